"""What a freeze and the clock decide, without a database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.assembly.elections.notices import Notice, log_round, reminders_due
from app.assembly.elections.rules import (
    changes_anything,
    present_division,
    pseudonym,
    rolls_of,
    seat_members,
    seat_salt,
    shown_counts,
    shown_result,
)
from governance.electorate import House, Roll
from governance.manifest import member_hash

OPENS = datetime(2027, 1, 10, 18, tzinfo=UTC)
SALT = b"s" * 32
ADA, BO = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("lasts", "after", "due"),
    [
        (timedelta(days=7), timedelta(days=4, seconds=-1), ()),
        (timedelta(days=7), timedelta(days=4), (Notice.FIRST_REMINDER,)),
        (timedelta(days=7), timedelta(days=6), (Notice.FIRST_REMINDER, Notice.LAST_REMINDER)),
        (timedelta(days=7), timedelta(days=7), ()),
        (timedelta(days=2), timedelta(hours=23), ()),
        (timedelta(days=2), timedelta(hours=24), (Notice.FIRST_REMINDER, Notice.LAST_REMINDER)),
        (timedelta(minutes=8), timedelta(minutes=4), (Notice.FIRST_REMINDER,)),
        (
            timedelta(minutes=8),
            timedelta(minutes=7),
            (Notice.FIRST_REMINDER, Notice.LAST_REMINDER),
        ),
        (timedelta(minutes=8), timedelta(minutes=-1), ()),
    ],
)
def test_reminders_come_three_days_and_one_day_before_closing_or_in_parts_of_a_short_vote(
    lasts: timedelta, after: timedelta, due: tuple[Notice, ...]
) -> None:
    assert reminders_due(opens_at=OPENS, closes_at=OPENS + lasts, at=OPENS + after) == due


def test_logs_are_read_once_an_hour_or_sixteen_times_in_a_short_vote() -> None:
    week, minutes = OPENS + timedelta(days=7), OPENS + timedelta(minutes=16)

    def round_of(closes_at: datetime, **after: float) -> int:
        return log_round(opens_at=OPENS, closes_at=closes_at, at=OPENS + timedelta(**after))

    assert (round_of(week, minutes=59), round_of(week, minutes=60)) == (0, 1)
    assert (round_of(minutes, seconds=59), round_of(minutes, seconds=60)) == (0, 1)


def test_a_pseudonym_changes_with_the_member_key_and_with_the_vote() -> None:
    names = {
        pseudonym(ADA, None, salt=SALT),
        pseudonym(ADA, b"k" * 32, salt=SALT),
        pseudonym(ADA, None, salt=b"t" * 32),
        pseudonym(BO, None, salt=SALT),
    }

    assert len(names) == 4


def test_the_salt_of_ones_seat_gives_ones_own_pseudonym_and_no_other() -> None:
    key = b"k" * 32
    of_ada, of_bo = (seat_salt(SALT, member) for member in (ADA, BO))

    assert member_hash(f"{ADA}:{key.hex()}", salt=of_ada) == pseudonym(ADA, key, salt=SALT)
    # Whoever knows Bo's id, and his key from an issuer, does not find his line with her own salt.
    assert member_hash(f"{BO}:{key.hex()}", salt=of_ada) != pseudonym(BO, key, salt=SALT)
    assert len({SALT, of_ada, of_bo, seat_salt(b"t" * 32, ADA)}) == 4


def test_a_vote_by_houses_seats_each_member_in_one_and_a_common_vote_all_in_one() -> None:
    roll = Roll(OPENS, ((str(ADA), House.DRIVERS), (str(BO), House.RIDERS)), frozenset())

    by_houses = seat_members(roll, {}, rule="two_houses", salt=SALT)
    together = seat_members(roll, {}, rule="text", salt=SALT)

    assert [(line.house_no, line.member_id) for line in by_houses] == [(0, ADA), (1, BO)]
    assert {line.house_no for line in together} == {0}
    assert [len(names) for names in rolls_of(by_houses, houses=2)] == [1, 1]
    names = rolls_of(together, houses=1)[0]
    assert list(names) == sorted(names)


@pytest.mark.parametrize(
    ("in_force", "points"),
    [
        (None, [4, 3, 3]),
        ({"pots": ["a", "b", "c"], "shares": [[1, 2], [1, 3], [1, 6]]}, [5, 3, 2]),
        # A pot is gone and one is new: the others keep their proportion.
        ({"pots": ["a", "b", "old"], "shares": [[1, 4], [1, 4], [1, 2]]}, [5, 5, 0]),
        ({"pots": ["old"], "shares": [[1, 1]]}, [4, 3, 3]),
    ],
)
def test_the_present_division_is_the_one_in_force_else_even(
    in_force: dict[str, list[object]] | None, points: list[int]
) -> None:
    assert present_division(["a", "b", "c"], points=10, in_force=in_force) == points


def test_no_count_of_fewer_than_ten_ballots_is_told_nor_left_as_a_difference() -> None:
    few_no = {"carried": True, "yes": 27, "no": 2, "abstain": 10}
    many = {"carried": True, "yes": 27, "no": 12, "abstain": 0}

    assert shown_result(few_no, counted=[39]) == {"carried": True}
    assert shown_result(many, counted=[39]) == many
    assert shown_result(many, counted=[9]) == {"carried": True}
    assert shown_counts([9, 10]) == [None, None]
    assert shown_counts([12, 10]) == [12, 10]


def test_a_budget_that_comes_out_as_it_is_changes_nothing() -> None:
    parameters = {"points": 10, "present": [5, 5]}

    def changes(*shares: list[int]) -> bool:
        return changes_anything("budget", result={"shares": list(shares)}, parameters=parameters)

    assert not changes([1, 2], [1, 2])
    assert changes([2, 3], [1, 3])
