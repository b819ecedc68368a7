import pytest

from load_tests.assignment import (
    CERTIFIED,
    DENSE,
    EXACT,
    FLOW,
    GREEDY,
    IN_WORDS,
    PATHS,
    clustered_city,
    judged,
    measured,
)
from load_tests.stalls import Stall, named_by_uuid


def test_every_method_takes_its_turns_and_the_optima_agree() -> None:
    turns = measured(clustered_city(30, 60, seed=3), turns=2)
    named = {turn.method for turn in turns}
    assert {DENSE, CERTIFIED, IN_WORDS, EXACT, PATHS, FLOW, GREEDY} <= named
    assert len(turns) == 2 * len(named)
    best_ds = {turn.outcome.objective_ds for turn in turns if turn.method in {DENSE, EXACT, FLOW}}
    assert len(best_ds) == 1
    assert all(turn.time_ratio == 1.0 for turn in turns if turn.method == DENSE)
    assert all(turn.gap_to_optimum >= 0 for turn in turns)


def test_a_wrong_optimum_ends_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("load_tests.assignment.linear_sum_assignment", lambda _: ([0], [0]))
    with pytest.raises(SystemExit, match="the optimum is"):
        measured(clustered_city(30, 60, seed=3), turns=1)


def test_a_city_named_as_in_a_live_tick_is_the_same_city() -> None:
    plain = clustered_city(30, 60, seed=3)
    live = named_by_uuid(plain, seed=1)
    assert live.demand.ids == named_by_uuid(plain, seed=1).demand.ids
    assert len(set(live.demand.ids) | set(live.supply.ids)) == 90
    assert (live.demand.lat == plain.demand.lat).all()
    assert (live.supply.lng == plain.supply.lng).all()


def test_a_stall_is_judged_only_while_something_is_solved() -> None:
    stalls = [Stall("idle", 1.0, 99.0, 99.0, 99.0, is_judged=False)]
    stalls += [Stall("thread", 1.0, 11.0, 12.0, 1.0, is_judged=True)]
    (goal,) = judged([], stalls=stalls)
    assert (goal.value, goal.is_met) == (11.0, False)
