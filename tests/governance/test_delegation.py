"""A lent voice arrives at somebody who voted, or at nobody; an own vote always wins."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.delegation import Concentration, Delegation, OpenVotes, resolve
from governance.electorate import House, Roll

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = ("ada", "bo", "cem", "dia", "eli")
ROLL = Roll(NOW, tuple((name, House.DRIVERS) for name in NAMES), frozenset())
MIXED = Roll(
    NOW,
    tuple((name, House.RIDERS if name == "eli" else House.DRIVERS) for name in NAMES),
    frozenset(),
)


def lend(giver: str, taker: str, *, days_ago: int = 1) -> Delegation:
    return Delegation(giver, taker, "fares", NOW - days_ago * DAY, NOW + DAY)


def close(
    own: Mapping[str, int], *delegations: Delegation, roll: Roll = ROLL, at: datetime = NOW
) -> OpenVotes[int]:
    return resolve(own, delegations=delegations, roll=roll, topic="fares", at=at)


def test_a_lent_voice_passes_on_to_whoever_voted() -> None:
    result = close({"cem": 7}, lend("ada", "bo"), lend("bo", "cem"))
    assert result.votes == {"ada": 7, "bo": 7, "cem": 7}
    assert result.carrier == {"ada": "cem", "bo": "cem", "cem": "cem"}
    assert result.abstained == ("dia", "eli")


def test_an_own_vote_overrides_a_delegation_for_oneself_and_for_whom_one_carries() -> None:
    result = close({"bo": 3, "cem": 7}, lend("ada", "bo"), lend("bo", "cem"))
    assert result.votes == {"ada": 3, "bo": 3, "cem": 7}


@pytest.mark.parametrize(
    "circle", [("ada", "bo"), ("ada", "bo", "cem"), ("ada", "bo", "cem", "dia")]
)
def test_everybody_in_a_circle_abstains_and_so_does_who_lends_into_it(
    circle: tuple[str, ...],
) -> None:
    lent = [
        lend(giver, taker) for giver, taker in zip(circle, circle[1:] + circle[:1], strict=True)
    ]
    result = close({}, *lent, lend("eli", "ada"))
    assert result.votes == {}
    assert result.in_circle == (*circle, "eli")
    assert set(result.abstained) == set(NAMES)


def test_one_own_vote_opens_a_circle() -> None:
    result = close({"bo": 1}, lend("ada", "bo"), lend("bo", "cem"), lend("cem", "ada"))
    assert result.votes == {"ada": 1, "bo": 1, "cem": 1}
    assert result.in_circle == ()


def test_who_lends_to_somebody_who_does_nothing_abstains_without_a_circle() -> None:
    result = close({}, lend("ada", "bo"))
    assert (result.votes, result.in_circle) == ({}, ())


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({}, True),
        ({"topic": "dispatch"}, False),
        ({"given_at": NOW}, True),
        ({"given_at": NOW + timedelta(hours=1)}, False),
        ({"expires_at": NOW}, False),
        ({"revoked_at": NOW}, False),
        ({"revoked_at": NOW + timedelta(hours=1)}, True),
    ],
)
def test_a_delegation_counts_on_its_topic_until_it_expires_or_is_revoked(
    changed: dict[str, Any],
    counts: bool,  # noqa: FBT001  pytest names what it gives
) -> None:
    result = close({"bo": 1}, replace(lend("ada", "bo"), **changed))
    assert ("ada" in result.votes) == counts


def test_the_last_delegation_counts_and_revoking_it_revives_no_earlier_one() -> None:
    first, last = lend("ada", "bo", days_ago=5), lend("ada", "cem", days_ago=2)
    assert close({"bo": 1, "cem": 2}, last, first).votes["ada"] == 2
    revoked = replace(last, revoked_at=NOW - DAY)
    assert "ada" not in close({"bo": 1, "cem": 2}, first, revoked).votes


def test_a_voice_stays_in_its_house_and_on_the_roll() -> None:
    crossing = close({"eli": 1}, lend("ada", "eli"), lend("bo", "zoe"), roll=MIXED)
    assert crossing.votes == {"eli": 1}


def test_concentration_says_who_carries_how_much_and_warns_over_the_cap() -> None:
    shown = close({"ada": 1, "dia": 2}, lend("bo", "ada"), lend("cem", "ada")).concentration
    assert shown.carried == (("ada", 3), ("dia", 1))
    assert (shown.largest_share, shown.gini) == (Fraction(3, 4), Fraction(1, 4))
    assert shown.over_cap == ("ada",)
    nobody = close({}).concentration
    assert nobody == Concentration((), Fraction(0), Fraction(0), ())


people = st.sampled_from(NAMES)
lendings = st.lists(
    st.tuples(people, people, st.integers(0, 9)).filter(lambda lent: lent[0] != lent[1]),
    max_size=12,
)


@given(st.dictionaries(people, st.integers(0, 9)), lendings, st.randoms())
def test_every_voice_counts_once_wherever_it_goes_and_in_whatever_order_it_is_listed(
    own: dict[str, int], lent: list[tuple[str, str, int]], random: Random
) -> None:
    delegations = [lend(giver, taker, days_ago=days) for giver, taker, days in lent]
    result = close(own, *delegations)
    assert own.items() <= result.votes.items()
    assert sorted((*result.votes, *result.abstained)) == sorted(NAMES)
    assert set(result.carrier.values()) <= own.keys()
    assert sum(voices for _, voices in result.concentration.carried) == len(result.votes)
    random.shuffle(delegations)
    assert close(own, *delegations) == result


@pytest.mark.parametrize(
    "changed",
    [
        {"taker": "ada"},
        {"expires_at": NOW - 2 * DAY},
        {"expires_at": datetime(2027, 1, 1)},  # noqa: DTZ001  what is refused
    ],
)
def test_a_delegation_that_lends_nothing_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"lend|end after|time zone"):
        replace(lend("ada", "bo"), **changed)


def test_a_vote_from_outside_the_roll_is_refused() -> None:
    with pytest.raises(ValueError, match="not on the roll: zoe"):
        close({"zoe": 1})
