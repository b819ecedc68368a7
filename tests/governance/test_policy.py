"""Members set the policies that the statutes leave them, and the last one in force counts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governance.number_vote import Held, Limit, tally_number
from governance.policy import NUMBER_POLICIES, PolicyVersion, in_force, number_terms

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize("key", sorted(NUMBER_POLICIES))
def test_every_policys_range_lies_on_its_grid(key: str) -> None:
    policy = NUMBER_POLICIES[key]
    assert policy.least % policy.grid == policy.most % policy.grid == 0
    assert number_terms(key, status_quo=policy.least).admits(policy.most)


def test_raising_the_commission_takes_two_thirds_and_cutting_it_more_than_half() -> None:
    terms = number_terms("commission_bp", status_quo=1500, floor=1000, ceiling=2000)
    raised = tally_number([1800] * 5 + [1200] * 4, terms=terms)
    assert (raised.value, raised.held) == (1500, (Held(Limit.MAJORITY, 1800),))
    assert tally_number([1200] * 5 + [1800] * 4, terms=terms).value == 1200


@pytest.mark.parametrize(
    ("key", "bounds"),
    [
        ("name_of_the_chair", {}),
        ("offer_time_s", {"floor": 0}),
        ("offer_time_s", {"ceiling": 121}),
        ("offer_time_s", {"floor": 60, "ceiling": 30}),
    ],
)
def test_what_no_vote_may_set_is_refused(key: str, bounds: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no number|goes from|floor"):
        number_terms(key, status_quo=15, **bounds)


def test_a_version_is_in_force_from_its_moment_until_the_next_ones() -> None:
    versions = [
        PolicyVersion("commission_bp", 1200, FIRST + 9 * DAY),
        PolicyVersion("commission_bp", 1500, FIRST),
        PolicyVersion("offer_time_s", 15, FIRST + 10 * DAY),
    ]
    moments = [FIRST - DAY, FIRST, FIRST + 9 * DAY - timedelta.resolution, FIRST + 9 * DAY]
    found = [in_force(versions, key="commission_bp", at=at) for at in moments]
    assert [version and version.value for version in found] == [None, 1500, 1500, 1200]


def test_two_values_from_one_moment_are_refused() -> None:
    versions = [PolicyVersion("offer_time_s", seconds, FIRST) for seconds in (15, 20)]
    with pytest.raises(ValueError, match="two values"):
        in_force(versions, key="offer_time_s", at=FIRST)


def test_a_version_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        PolicyVersion("offer_time_s", 15, datetime(2026, 1, 1))  # noqa: DTZ001  what is refused
