"""Promises of the words: what a voter types is what is sent, and is said back the same."""

from typing import Any

import pytest

from app.voting.errors import VotingError
from app.voting.plain_words import read_value, say_choices, say_result, say_value
from governance.manifest import Manifest
from tests.governance.election import NUMBER, manifest_for

ROLL = ["00" * 32]
COMMISSION = manifest_for([ROLL], rule="number", parameters=NUMBER | {"key": "commission_bp"})
OFFER_TIME = manifest_for(
    [ROLL],
    rule="number",
    parameters=NUMBER
    | {"key": "offer_time_s", "status_quo": 15, "floor": 5, "ceiling": 120, "grid": 5},
)
HOUSES = manifest_for(
    [ROLL, ["11" * 32]],
    rule="two_houses",
    parameters=NUMBER | {"key": "commission_bp", "quorums": [1, 1]},
)
TEXT = manifest_for([ROLL], rule="text", parameters={"majority": [2, 3, False], "quorums": [5]})
CHOICE = manifest_for(
    [ROLL], rule="choice", parameters={"options": ["red", "blue"], "quorums": [5]}
)
BUDGET = manifest_for(
    [ROLL],
    rule="budget",
    parameters={"pots": ["reserve", "dividend"], "present": [5, 5], "points": 10, "quorums": [5]},
)


@pytest.mark.parametrize(
    ("manifest", "text", "value", "said"),
    [
        (COMMISSION, "12.5%", 1_250, "12.5 %"),
        (COMMISSION, " 12,50 % ", 1_250, "12.5 %"),
        (COMMISSION, "10 %", 1_000, "10 %"),
        (COMMISSION, "20%", 2_000, "20 %"),
        (COMMISSION, "1250", 1_250, "12.5 %"),
        (HOUSES, "13%", 1_300, "13 %"),
        (OFFER_TIME, "20", 20, "20 s"),
        (TEXT, "Yes", "yes", "yes"),
        (TEXT, "abstain", "abstain", "I abstain"),
        (CHOICE, "blue, no_change", ["blue", "no_change"], "blue, then no change"),
        (CHOICE, "red", ["red"], "red"),
        (BUDGET, "3,7", [3, 7], "reserve 3 of 10, dividend 7 of 10"),
        (BUDGET, "dividend=10", [0, 10], "reserve 0 of 10, dividend 10 of 10"),
    ],
)
def test_a_value_is_read_as_meant_and_said_back(
    manifest: Manifest, text: str, value: Any, said: str
) -> None:
    assert read_value(manifest, text) == value
    assert say_value(manifest, value) == said


@pytest.mark.parametrize(
    ("manifest", "text"),
    [
        (COMMISSION, "12.3%"),
        (COMMISSION, "12.555%"),
        (COMMISSION, "25%"),
        (COMMISSION, "12.5"),
        (COMMISSION, "٣"),
        (COMMISSION, "-5"),
        (OFFER_TIME, "20%"),
        (TEXT, "maybe"),
        (CHOICE, "green"),
        (CHOICE, "red, red"),
        (BUDGET, "3,8"),
        (BUDGET, "3"),
        (BUDGET, "-3,13"),
        (BUDGET, "gifts=10"),
        (BUDGET, "reserve=5,reserve=5"),
        (BUDGET, "٣,7"),
    ],
)
def test_what_the_vote_does_not_take_is_refused_with_what_it_takes(
    manifest: Manifest, text: str
) -> None:
    with pytest.raises(VotingError) as refused:
        read_value(manifest, text)
    assert say_choices(manifest) in str(refused.value)


def test_what_a_ballot_may_say_is_told_in_one_sentence() -> None:
    assert say_choices(COMMISSION) == (
        "It takes 5 % to 20 % in steps of 0.5 %; now it is 15 %. Write it with the % sign."
    )
    assert say_choices(OFFER_TIME) == "It takes 5 s to 120 s in steps of 5 s; now it is 15 s."
    assert "red, blue, no_change" in say_choices(CHOICE)
    assert "reserve=…, dividend=…" in say_choices(BUDGET)


@pytest.mark.parametrize(
    ("manifest", "result", "said"),
    [
        (COMMISSION, {"value": 1_200}, "12 %"),
        (
            TEXT,
            {"carried": True, "yes": 6, "no": 2, "abstain": 1},
            "carried (6 yes, 2 no, 1 abstain)",
        ),
        (CHOICE, {"winner": "no_change"}, "no change"),
        (CHOICE, {"winner": "blue"}, "blue"),
        (BUDGET, {"shares": [[1, 3], [2, 3]]}, "reserve 33.3 %, dividend 66.7 %"),
    ],
)
def test_a_result_is_said_in_words(manifest: Manifest, result: Any, said: str) -> None:
    assert say_result(manifest, result) == said
