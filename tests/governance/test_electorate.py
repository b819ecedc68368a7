"""A roll holds one seat per member, by rules that a page can explain."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from governance.electorate import House, Member, Roll, RollRules, Standing, freeze_roll, standing

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
RULES = RollRules(waiting=30 * DAY, active_for=90 * DAY, quorum_bp=2000, support_bp=300)
ADA = Member("ada", House.DRIVERS, NOW - 400 * DAY, NOW - 399 * DAY, last_active_at=NOW - DAY)


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (ADA, Standing.ON_ROLL),
        (replace(ADA, admitted_at=None), Standing.NOT_ADMITTED),
        (replace(ADA, admitted_at=NOW + DAY), Standing.NOT_ADMITTED),
        (replace(ADA, left_at=NOW), Standing.LEFT),
        (replace(ADA, left_at=NOW + DAY), Standing.ON_ROLL),
        (replace(ADA, shares_paid_at=None), Standing.SHARES_UNPAID),
        (replace(ADA, shares_paid_at=NOW + DAY), Standing.SHARES_UNPAID),
        (replace(ADA, admitted_at=NOW - 29 * DAY), Standing.TOO_NEW),
        (replace(ADA, admitted_at=NOW - 30 * DAY), Standing.ON_ROLL),
        (replace(ADA, last_active_at=None), Standing.ON_ROLL),
    ],
)
def test_a_member_learns_whether_she_is_on_the_roll_and_what_is_missing(
    member: Member, expected: Standing
) -> None:
    assert standing(member, at=NOW, rules=RULES) is expected
    assert ("ada" in freeze_roll([member], at=NOW, rules=RULES)) == (expected is Standing.ON_ROLL)


def town(drivers: int, riders: int) -> list[Member]:
    houses = [House.DRIVERS] * drivers + [House.RIDERS] * riders
    return [replace(ADA, id=f"m{n:04}", house=house) for n, house in enumerate(houses)]


def test_a_roll_is_the_same_in_whatever_order_the_register_lists_members() -> None:
    members = town(3, 4)
    roll = freeze_roll(members, at=NOW, rules=RULES)
    assert roll == freeze_roll(reversed(members), at=NOW, rules=RULES)
    assert len(roll) == 7
    assert roll.members(House.DRIVERS) == ("m0000", "m0001", "m0002")
    assert roll.house_of("m0003") is House.RIDERS
    assert roll.house_of("nobody") is None


def test_one_member_has_one_seat() -> None:
    twice = [ADA, replace(ADA, house=House.RIDERS)]
    with pytest.raises(ValueError, match="one seat"):
        freeze_roll(twice, at=NOW, rules=RULES)


@pytest.mark.parametrize(
    ("drivers", "riders", "all_seats", "driver_seats"),
    [(0, 0, 0, 0), (1, 0, 1, 1), (40, 60, 21, 9), (41, 59, 21, 9), (1000, 0, 201, 201)],
)
def test_the_quorum_is_an_odd_part_of_the_active_members_rounded_up(
    drivers: int, riders: int, all_seats: int, driver_seats: int
) -> None:
    roll = freeze_roll(town(drivers, riders), at=NOW, rules=RULES)
    assert roll.quorum(RULES) == all_seats
    assert roll.quorum(RULES, house=House.DRIVERS) == driver_seats


def test_sleepers_keep_their_vote_but_raise_no_quorum() -> None:
    asleep = [replace(member, last_active_at=NOW - 91 * DAY) for member in town(100, 0)]
    roll = freeze_roll(asleep, at=NOW, rules=RULES)
    assert (len(roll), roll.quorum(RULES)) == (100, 0)


@pytest.mark.parametrize(
    ("members", "needed"), [(0, 5), (100, 5), (166, 5), (167, 6), (1000, 30), (1001, 31)]
)
def test_a_proposal_needs_five_supporters_or_three_in_a_hundred_active_members(
    members: int, needed: int
) -> None:
    roll = freeze_roll(town(members, 0), at=NOW, rules=RULES)
    assert roll.supporters_needed(RULES) == needed


def test_activity_of_somebody_not_on_the_roll_is_refused() -> None:
    with pytest.raises(ValueError, match="must be on the roll"):
        Roll(NOW, (("ada", House.DRIVERS),), frozenset({"bo"}))


@pytest.mark.parametrize(
    "moments",
    [
        {"admitted_at": datetime(2026, 1, 1)},  # noqa: DTZ001  what is refused
        {"left_at": NOW - 500 * DAY},
        {"admitted_at": None, "left_at": NOW},
    ],
)
def test_moments_that_cannot_be_are_refused(moments: dict[str, datetime]) -> None:
    with pytest.raises(ValueError, match=r"no time zone|left before"):
        replace(ADA, **moments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "rules",
    [
        {"waiting": -DAY},
        {"active_for": -DAY},
        {"quorum_bp": 10_001},
        {"support_bp": -1},
        {"least_supporters": 0},
    ],
)
def test_rules_without_a_meaning_are_refused(rules: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must"):
        RollRules(**rules)  # type: ignore[arg-type]
