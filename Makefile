# Meent. `make` alone lists what there is.
.DEFAULT_GOAL := help
UV_HOME := .uv
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(READY): pyproject.toml requirements.lock .ci/bootstrap .python-version
	@sh .ci/bootstrap
	@touch $@

.PHONY: ready
ready: $(READY) ## prepare the environment, nothing else

.PHONY: demo
demo: $(READY) ## set everything up and run a city (ARGS="--minutes 30" for its options)
	@$(VENV)/bin/meent demo $(ARGS)

.PHONY: test
test: $(READY) ## set everything up and pass every check and test
	@sh .ci/check

.PHONY: test-long
test-long: $(READY) ## pass the tests that take too long for each change
	@$(VENV)/bin/pytest -q -m slow $(ARGS)

.PHONY: lock
lock: $(READY) ## write requirements.lock anew from pyproject.toml
	@sh .ci/lock

.PHONY: bench
bench: $(READY) ## measure bookings and positions under load (ARGS="--json FILE" to keep the figures)
	@$(VENV)/bin/python -m load_tests.report $(ARGS)

$(VENV)/.peers: $(READY) load_tests/requirements.lock .ci/peers
	@sh .ci/peers
	@touch $@

.PHONY: bench-dispatch
bench-dispatch: $(VENV)/.peers ## measure dispatch beside its peers (ARGS="--quick --json FILE")
	@$(PY) -m load_tests.dispatch $(ARGS)

.PHONY: bench-election
bench-election: $(READY) ## hold a vote of 1,000 members and recount it (ARGS="--json FILE" to keep the figures)
	@$(PY) -m load_tests.election $(ARGS)

.PHONY: bench-ledger
bench-ledger: $(READY) ## measure how many rides the books take (ARGS="--rounds 3 --json FILE")
	@$(PY) -m load_tests.ledger $(ARGS)

.PHONY: bench-seals
bench-seals: $(READY) ## measure sealing beside 32 clients who post (ARGS="--rounds 2 --json FILE")
	@$(PY) -m load_tests.seals $(ARGS)

.PHONY: kill-nine
kill-nine: $(READY) ## kill the API and PostgreSQL ten times each while the demo runs; nothing may be lost
	@$(PY) load_tests/kill_nine.py --times 10
