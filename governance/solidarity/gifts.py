"""What a sick member is given for a month: within waiting time and duration, from what is there."""

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from governance.apportionment import apportion
from governance.solidarity.rules import RELAPSE_DAYS


@dataclass(frozen=True, slots=True)
class SickLeave:
    """When a member could not work, and nothing about why.

    `ended_on` is the first day of work again, None before; `member_until` the day of leaving the
    circle. `waited_days` and `given_days` were ill and with a gift in the illness that it goes on
    with. Refused (ValueError): a day that comes before the first one, a negative waiting time,
    no duration.
    """

    began_on: date
    ended_on: date | None
    member_until: date | None
    waiting_days: int
    longest_months: int
    waited_days: int = 0
    given_days: int = 0

    def __post_init__(self) -> None:
        if self.ended_on is not None and self.ended_on < self.began_on:
            raise ValueError(f"nobody is well again on {self.ended_on}, before {self.began_on}")
        if self.waiting_days < 0 or self.longest_months < 1:
            raise ValueError("a waiting time is 0 days or more, a duration 1 month or more")

    @property
    def gifts_from(self) -> date:
        """The first day for which there is a gift."""
        return self.began_on + timedelta(days=max(self.waiting_days - self.waited_days, 0))

    @property
    def ill_until(self) -> date | None:
        """The day after the last one that counts as ill, None while it lasts."""
        ends = [day for day in (self.ended_on, self.member_until) if day is not None]
        return min(ends, default=None)

    @property
    def gifts_until(self) -> date:
        """The day after the last one for which there is a gift, if the illness lasts."""
        longest = later_month(self.gifts_from, months=self.longest_months)
        ends = longest - timedelta(days=self.given_days)
        return max(min(ends, self.ill_until or ends), self.gifts_from)


def going_on(leaves: Iterable[SickLeave]) -> list[SickLeave]:
    """Return a member's illnesses, the oldest first, each with what it goes on from.

    One that begins less than four weeks after the end of the one before goes on with it: what was
    waited counts as waited, and gifts go on for as long as was left.
    """
    known: list[SickLeave] = []
    for leave in leaves:
        before = known[-1] if known else None
        if (
            before is not None
            and before.ill_until is not None
            and leave.began_on < before.ill_until + timedelta(days=RELAPSE_DAYS)
        ):
            known.append(
                replace(
                    leave,
                    waited_days=before.waited_days + (before.ill_until - before.began_on).days,
                    given_days=before.given_days + (before.gifts_until - before.gifts_from).days,
                )
            )
        else:
            known.append(leave)
    return known


def later_month(day: date, *, months: int) -> date:
    """Return the same day so many months later, or the last of the month where there is none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def first_of_month(day: date) -> date:
    """Return the first day of a day's month."""
    return day.replace(day=1)


def gift_days(leave: SickLeave, *, month: date) -> int:
    """Return for how many days of the month, given by its first day, there is a gift."""
    month_ends = later_month(month, months=1)
    return max(
        (min(month_ends, leave.gifts_until) - max(month, leave.gifts_from)).days,
        0,
    )


def gift_months(leave: SickLeave, *, before: date) -> list[date]:
    """Return the months that are over before a day and for which there is a gift."""
    months, month = [], first_of_month(leave.gifts_from)
    while later_month(month, months=1) <= before and month < leave.gifts_until:
        months.append(month)
        month = later_month(month, months=1)
    return [month for month in months if gift_days(leave, month=month)]


def full_gift_minor(
    *, tier_minor: int, month: date, days: int, circle_due_minor: int, circle_paid_minor: int
) -> int:
    """Return a member's gift for a month, rounded down.

    It is the tier, by the days of the month, in the proportion in which the circle's members
    contributed that month of what they were to: a circle gives what it gathers. Where nothing was
    due, nothing is cut. Refused (ValueError): days beyond the month, more paid than due.
    """
    month_days = calendar.monthrange(month.year, month.month)[1]
    if not 0 <= days <= month_days or not 0 <= circle_paid_minor <= circle_due_minor:
        raise ValueError("a gift is for days of the month, by what was paid of what was due")
    gathered, of = (circle_paid_minor, circle_due_minor) if circle_due_minor else (1, 1)
    return tier_minor * days * gathered // (month_days * of)


def share_what_is_there(wanted: Mapping[str, int], *, fund_minor: int) -> dict[str, int]:
    """Return what each is given: all of it, or fair parts of the fund where it cannot bear it.

    The fund is never overdrawn. Refused (ValueError): a gift below 0.
    """
    if any(amount < 0 for amount in wanted.values()):
        raise ValueError("a gift is 0 or more")
    there = max(fund_minor, 0)
    if sum(wanted.values()) <= there:
        return dict(wanted)
    return apportion(there, weights=wanted)
