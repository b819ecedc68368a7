"""Three cooperatives owe each other: few payments make all quits, and nothing is counted twice."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.reciprocity.netting import open_positions
from app.reciprocity.papers import public_half, sign, statement_paper
from app.reciprocity.service.peers import own_of
from governance.clearing import Entry, Payment, net_positions, settle
from tests.app.commands import meent

VADUZ, BERN, WIEN = (
    own_of(Ed25519PrivateKey.from_private_bytes(bytes([n] * 32))) for n in (1, 2, 3)
)
NAMES = {"Vaduz": str(VADUZ.id), "Bern": str(BERN.id), "Wien": str(WIEN.id)}


def signed_month(debtor: Any, creditor: Any, minor: int, *, month: str = "2026-05-01") -> Any:
    """A month that both signed, as the creditor's staff see it."""
    entry = Entry(UUID(int=minor), creditor.id, minor)
    paper = statement_paper(
        own_id=creditor.id, peer_id=debtor.id, currency="CHF", month=month, entries=[entry]
    )
    return {
        "state": "agreed",
        "settled_at": None,
        "paper": paper,
        "own_public_key": public_half(creditor.key).hex(),
        "own_signature": sign(paper, key=creditor.key),
        "their_public_key": public_half(debtor.key).hex(),
        "their_signature": sign(paper, key=debtor.key),
    }


def other_side(statement: Any) -> Any:
    """The same month as the other cooperative's staff see it."""
    turned = {"own": "their", "their": "own"}
    return {
        "_".join([turned.get(first, first), *rest]): value
        for name, value in statement.items()
        for first, *rest in [name.split("_")]
    }


MONTHS = [
    signed_month(VADUZ, BERN, 10_000),
    signed_month(BERN, WIEN, 9_000),
    signed_month(WIEN, VADUZ, 4_000),
]


def test_one_month_in_both_sides_files_is_counted_once_and_all_sums_to_zero() -> None:
    nets = net_positions(open_positions([*MONTHS, *map(other_side, MONTHS)]))
    assert nets == {"CHF": {NAMES["Vaduz"]: -6_000, NAMES["Bern"]: 1_000, NAMES["Wien"]: 5_000}}
    assert sum(nets["CHF"].values()) == 0
    assert set(settle(nets)) == {
        Payment(NAMES["Vaduz"], NAMES["Wien"], "CHF", 5_000),
        Payment(NAMES["Vaduz"], NAMES["Bern"], "CHF", 1_000),
    }


def test_what_is_settled_on_one_side_or_only_offered_is_left_out() -> None:
    settled = deepcopy(MONTHS[0]) | {"settled_at": "2026-06-03T08:00:00Z"}
    offered = deepcopy(MONTHS[1]) | {"state": "offered", "their_signature": None}
    left = open_positions([MONTHS[0], settled, offered])
    assert left == []


@pytest.mark.parametrize("side", ["own", "their"])
def test_a_statement_that_was_changed_or_signed_by_somebody_else_is_refused(side: str) -> None:
    changed = deepcopy(MONTHS[0])
    changed["paper"]["nets"] = dict.fromkeys(changed["paper"]["nets"], 0)
    stranger = MONTHS[0] | {
        f"{side}_public_key": public_half(WIEN.key).hex(),
        f"{side}_signature": sign(MONTHS[0]["paper"], key=WIEN.key),
    }
    with pytest.raises(ValueError, match="does not hold"):
        open_positions([changed])
    with pytest.raises(ValueError, match="not of the two who signed it"):
        open_positions([stranger])


def test_two_statements_of_one_month_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="differ"):
        open_positions([MONTHS[0], signed_month(VADUZ, BERN, 9_999)])
    two = [MONTHS[0], signed_month(VADUZ, BERN, 9_999, month="2026-06-01")]
    assert sum(abs(one.amount_minor) for one in open_positions(two)) == 19_999


@pytest.mark.parametrize("content", ["[]", "7", '{"items": [3]}', '{"state": "agreed"}', "x"])
def test_a_file_that_is_none_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "answer.json"
    file.write_text(content)
    done = meent(tmp_path / "home", "sisters", "net", str(file))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_the_command_says_who_pays_whom(tmp_path: Path) -> None:
    files = []
    for number, months in enumerate([MONTHS[:2], MONTHS[1:]]):
        files.append(str(tmp_path / f"{number}.json"))
        Path(files[-1]).write_text(json.dumps({"items": months}))
    done = meent(tmp_path / "home", "sisters", "net", *files)
    told = json.loads(meent(tmp_path / "home", "sisters", "net", *files, "--json").stdout)

    assert done.returncode == 0, done.stderr
    assert "5,000" in done.stdout
    assert "settles every statement" in done.stderr
    assert sum(told["nets_minor"]["CHF"].values()) == 0
    assert sum(payment["amount_minor"] for payment in told["payments"]) == 6_000
