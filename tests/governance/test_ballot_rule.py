"""Promises of the rules by name: the program and the independent recount decide the same."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.ballot_rule import BALLOT_RULES
from governance.verify import RULES, recount
from tests.governance.election import NUMBER, OPENS_AT, election

MAJORITIES = st.sampled_from([[1, 2, True], [2, 3, False], [3, 4, False], [2, 3, True]])
QUORUMS = st.integers(0, 9)
OPTIONS = ("chargers", "training", "audit", "no_change")

number_terms = st.fixed_dictionaries(
    {
        "status_quo": st.sampled_from([300, 900, 1_000, 1_525, 2_400]),
        "floor": st.just(500),
        "ceiling": st.just(2_000),
        "largest_step": st.sampled_from([None, 50, 300]),
        "to_raise": MAJORITIES,
        "to_cut": MAJORITIES,
        "grid": st.just(50),
    }
)
numbers = st.lists(st.sampled_from(range(500, 2_001, 250)), max_size=9)
budget_values = st.lists(st.integers(0, 10), min_size=2, max_size=2).map(
    lambda cuts: [min(cuts), max(cuts) - min(cuts), 10 - max(cuts)]
)
choices = st.permutations(OPTIONS).flatmap(
    lambda order: st.integers(0, 4).map(lambda count: order[:count])
)


def agree(rule: str, values: list[Any], parameters: Mapping[str, Any]) -> None:
    assert BALLOT_RULES[rule].decide(values, parameters) == RULES[rule].count(values, parameters)


@given(terms=number_terms, quorum=QUORUMS, values=numbers)
def test_a_number_is_decided_the_same_twice(
    terms: dict[str, Any], quorum: int, values: list[int]
) -> None:
    agree("number", [values], {**terms, "quorums": [quorum]})


@given(terms=number_terms, quorums=st.lists(QUORUMS, min_size=2, max_size=2), a=numbers, b=numbers)
def test_two_houses_decide_the_same_twice(
    terms: dict[str, Any], quorums: list[int], a: list[int], b: list[int]
) -> None:
    agree("two_houses", [a, b], {**terms, "quorums": quorums})


@given(
    majority=MAJORITIES,
    quorum=QUORUMS,
    values=st.lists(st.sampled_from(["yes", "no", "abstain"]), max_size=12),
)
def test_a_text_carries_the_same_twice(majority: list[Any], quorum: int, values: list[str]) -> None:
    agree("text", [values], {"majority": majority, "quorums": [quorum]})


@given(quorum=QUORUMS, present=budget_values, values=st.lists(budget_values, max_size=9))
def test_a_budget_is_divided_the_same_twice(
    quorum: int, present: list[int], values: list[list[int]]
) -> None:
    terms = {"pots": ["reserve", "dividend", "solidarity"], "present": present, "points": 10}
    agree("budget", [values], {**terms, "quorums": [quorum]})


@settings(max_examples=200)
@given(
    quorum=QUORUMS,
    values=st.lists(choices, max_size=9),
    majority=st.fixed_dictionaries({}, optional={"majority": MAJORITIES}),
)
def test_a_choice_is_made_the_same_twice(
    quorum: int, values: list[list[str]], majority: dict[str, Any]
) -> None:
    agree("choice", [values], {"options": list(OPTIONS[:3]), "quorums": [quorum], **majority})


CASES: dict[str, tuple[dict[str, Any], list[Any], list[Any]]] = {
    "number": ({**NUMBER, "quorums": [0]}, [1_200, 500, 2_000], [True, 1_210, 450, "1200", None]),
    "two_houses": ({**NUMBER, "quorums": [0, 0]}, [1_200], [1_201, [1_200]]),
    "text": (
        {"majority": [2, 3, False], "quorums": [0]},
        ["yes", "abstain"],
        ["maybe", 1, ["yes"]],
    ),
    "budget": (
        {"pots": ["a", "b"], "present": [5, 5], "points": 10, "quorums": [0]},
        [[4, 6], [0, 10]],
        [[5, 6], [10], [11, -1], [True, 9], "46", None],
    ),
    "choice": (
        {"options": ["a", "b"], "quorums": [0]},
        [["b", "no_change"], []],
        [["a", "a"], ["c"], "a", [1], None],
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_both_take_and_refuse_the_same_values(rule: str) -> None:
    parameters, taken, refused = CASES[rule]
    for admits in (BALLOT_RULES[rule].admits, RULES[rule].admits):
        assert all(admits(value, parameters) for value in taken)
        assert not any(admits(value, parameters) for value in refused)


@pytest.mark.parametrize("rule", CASES)
def test_an_election_under_each_rule_is_recounted_from_its_package(rule: str) -> None:
    parameters, taken, _ = CASES[rule]
    houses = BALLOT_RULES[rule].houses
    vote = election(sizes=(3,) * houses, rule=rule, parameters=parameters)
    values = [taken for _ in range(houses)]
    ballots = [
        vote.vote(vote.rolls[house][number], value, house_no=house)
        for house in range(houses)
        for number, value in enumerate(taken)
    ]
    vote.publish(ballots, at=OPENS_AT + timedelta(days=1))
    package = {**vote.package(), "result": BALLOT_RULES[rule].decide(values, parameters)}
    assert recount(package).faults == []


def test_the_published_vectors_come_out_under_their_names() -> None:
    simple = {**NUMBER, "to_raise": [1, 2, True], "largest_step": None}
    for ballots, quorum, expected in (
        ([1_000, 1_200, 1_500], 0, 1_200),
        ([1_000, 1_200, 1_500, 1_800], 0, 1_500),
        ([800] * 4, 9, 1_500),
        ([800] * 5, 9, 800),
        ([], 0, 1_500),
    ):
        agree("number", [ballots], {**simple, "quorums": [quorum]})
        found = RULES["number"].count([ballots], {**simple, "quorums": [quorum]})
        assert found == {"value": expected}
    percent = [
        [40, 30, 20, 10],
        [20, 60, 10, 10],
        [30, 40, 10, 20],
        [10, 70, 10, 10],
        [25, 25, 25, 25],
        [50, 20, 20, 10],
        [0, 100, 0, 0],
    ]
    terms = {"pots": list("rdsi"), "present": [25] * 4, "points": 100, "quorums": [0]}
    divided = RULES["budget"].count([percent], terms)
    assert divided == {"shares": [[4, 15], [16, 45], [1, 5], [8, 45]]}
