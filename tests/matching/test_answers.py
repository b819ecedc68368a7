"""Promises about replayed offers that wait for their answers, and about what is learnt of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.replay.answers import Answers, observed_answers
from matching.replay.day import Day, Rules
from matching.replay.simulation import NOBODY, Outcome
from tests.matching.test_replay import day, replayed

WINDOW_S = 5.0
NEVER_S = float("inf")


def answering(given_day: Day, *answers: tuple[float, bool], offer_time_s: float) -> Outcome:
    after_s, comes = zip(*answers, strict=True)
    known = Answers(after_s=np.array(after_s), comes=np.array(comes))
    rules = replace(given_day.rules, offer_time_s=offer_time_s)
    return replayed(replace(given_day, rules=rules, answers=known), policy="greedy-closest")


def one_ride(*, drivers: list[int], patience_s: float = 600.0) -> Day:
    rules = Rules(window_s=WINDOW_S, patience_s=patience_s, boarding_s=30.0)
    return day([(1.0, 10, 12, 120.0)], drivers=drivers, rules=rules)


def test_a_driver_sets_out_when_she_has_answered() -> None:
    outcome = answering(one_ride(drivers=[11]), (8.0, True), offer_time_s=15.0)

    assert outcome.ended_waiting_s[0] == WINDOW_S + 8
    assert outcome.picked_up_s[0] == WINDOW_S + 8 + 60


@pytest.mark.parametrize(("offer_time_s", "answered_by"), [(39.0, None), (40.0, 45.0)])
def test_who_answers_too_late_does_not_come(offer_time_s: float, answered_by: float | None) -> None:
    outcome = answering(one_ride(drivers=[11]), (40.0, True), offer_time_s=offer_time_s)

    assert (outcome.shift[0] == NOBODY) == (answered_by is None)
    if answered_by is not None:
        assert outcome.ended_waiting_s[0] == answered_by


def test_a_rider_whose_driver_is_silent_goes_to_the_next_one_after_the_offers_time() -> None:
    asked = one_ride(drivers=[11, 14])
    # By these lots the nearer driver is silent and the other answers at once.
    answers = ((NEVER_S, False), (NEVER_S, False), (0.0, True))

    waited_s = []
    for offer_time_s in (10.0, 30.0):
        outcome = answering(asked, *answers, offer_time_s=offer_time_s)
        assert (outcome.shift[0], outcome.declined) == (1, 1)
        waited_s.append(outcome.ended_waiting_s[0])

    assert waited_s == [WINDOW_S + 10, WINDOW_S + 30]


def test_nobody_else_gets_a_driver_who_has_an_open_offer() -> None:
    two = day([(1.0, 10, 12, 120.0), (6.0, 11, 12, 120.0)], drivers=[11])

    outcome = answering(two, (20.0, True), offer_time_s=30.0)

    first, second = outcome.ended_waiting_s
    assert first == WINDOW_S + 20
    assert second > outcome.dropped_off_s[0]


def test_a_rider_who_gives_up_while_a_driver_thinks_is_lost_and_the_driver_is_free_again() -> None:
    rules = Rules(window_s=WINDOW_S, patience_s=20.0, boarding_s=30.0)
    two = day([(1.0, 10, 12, 120.0), (24.0, 11, 12, 120.0)], drivers=[11], rules=rules)

    outcome = answering(two, (18.0, True), offer_time_s=60.0)

    assert outcome.shift.tolist() == [NOBODY, 0]
    assert outcome.ended_waiting_s.tolist() == [21.0, 25.0 + 18.0]


@settings(max_examples=60, deadline=None)
@given(
    asked=st.lists(
        st.tuples(st.floats(0, 900), st.integers(0, 59), st.integers(0, 59), st.floats(30, 600)),
        min_size=1,
        max_size=12,
    ),
    drivers=st.lists(st.integers(0, 59), min_size=1, max_size=4),
    answers=st.lists(
        st.tuples(st.floats(0, 90) | st.just(NEVER_S), st.booleans()), min_size=1, max_size=5
    ),
    offer_time_s=st.floats(0, 60),
)
def test_everybody_is_served_once_or_lost_however_drivers_answer(
    asked: list[tuple[float, int, int, float]],
    drivers: list[int],
    answers: list[tuple[float, bool]],
    offer_time_s: float,
) -> None:
    today = day(sorted(asked), drivers=drivers)

    outcome = answering(today, *answers, offer_time_s=offer_time_s)
    again = answering(today, *answers, offer_time_s=offer_time_s)

    assert np.array_equal(outcome.ended_waiting_s, again.ended_waiting_s)
    assert not np.isnan(outcome.ended_waiting_s).any()
    for shift in range(len(drivers)):
        mine = np.flatnonzero(outcome.shift == shift)
        begin = np.sort(outcome.ended_waiting_s[mine])
        end = np.sort(outcome.dropped_off_s[mine])
        assert (begin[1:] >= end[:-1]).all()


def test_who_was_silent_is_taken_to_answer_at_the_pace_of_late_answers() -> None:
    random = np.random.default_rng(5)
    really_s = random.exponential(30.0, 40_000)
    stood_s = 15.0
    answered = really_s <= stood_s

    learnt = observed_answers(
        answered_s=really_s[answered],
        comes=np.ones(int(answered.sum()), dtype=np.bool_),
        unanswered_s=np.full(int((~answered).sum()), stood_s),
        seed=1,
    )

    for late_s in (20.0, 30.0, 60.0):
        share = np.mean(learnt.after_s <= late_s)
        assert share == pytest.approx(1 - np.exp(-late_s / 30.0), abs=0.02)


def test_where_nobody_answers_late_the_silent_never_do() -> None:
    learnt = observed_answers(
        answered_s=np.array([1.0, 2.0]),
        comes=np.array([True, False]),
        unanswered_s=np.array([15.0]),
        seed=1,
    )

    assert learnt.after_s.tolist() == [1.0, 2.0, NEVER_S]
    assert learnt.comes.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("after_s", "comes", "refusal"),
    [
        ([], [], "must have an entry"),
        ([-1.0], [True], "after_s"),
        ([1.0], [True, False], "1 entries"),
        ([1.0], [1], "true or false"),
    ],
)
def test_answers_that_cannot_be_are_refused(
    after_s: list[float], comes: list[bool], refusal: str
) -> None:
    with pytest.raises(ValueError, match=refusal):
        Answers(after_s=np.array(after_s), comes=np.array(comes))


def test_without_any_offer_there_is_nothing_to_learn_from() -> None:
    nothing = np.empty(0)
    with pytest.raises(ValueError, match="no offer to learn from"):
        observed_answers(
            answered_s=nothing, comes=np.empty(0, dtype=np.bool_), unanswered_s=nothing, seed=1
        )
