"""Answers "am I on the register?" in plain words, with the day from which."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from governance.electorate import Standing

APPLY_AGAIN = "You may apply again."


@dataclass(frozen=True, slots=True)
class Registered:
    """A membership as the words need it."""

    house: str
    applied_at: datetime
    shares_paid_at: datetime | None
    admitted_at: datetime | None
    refused_at: datetime | None
    reason: str | None
    left_at: datetime | None

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return what a row of the register says."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


def in_words(
    membership: Registered | None,
    *,
    standing: Standing,
    roll_from: datetime | None,
    zone: ZoneInfo,
) -> str:
    """Say how somebody stands, in sentences; days are those of the city."""

    def day(moment: datetime) -> str:
        local = moment.astimezone(zone)
        return f"{local.day} {local:%B %Y}"

    if membership is None:
        return "You are not on the register: you have not applied to join the cooperative."
    applied = f"You applied to join the {membership.house} on {day(membership.applied_at)}"
    if membership.refused_at is not None:
        refused = f"{applied}; a person refused it on {day(membership.refused_at)}"
        return f"You are not on the register. {refused}: {membership.reason} {APPLY_AGAIN}"
    if membership.left_at is not None:
        return f"You are not on the register: you left on {day(membership.left_at)}. {APPLY_AGAIN}"
    if membership.admitted_at is None:
        missing = (
            "your share is not paid yet."
            if membership.shares_paid_at is None
            else "your share is paid, and a person has yet to admit you."
        )
        return f"You are not on the register yet. {applied}; {missing}"
    since = f"You are on the register of the {membership.house} since {day(membership.admitted_at)}"
    assert roll_from is not None, "whoever is on the register knows the day of the rolls"
    if standing is Standing.TOO_NEW:
        return f"{since}. You can vote in every vote whose roll is frozen from {day(roll_from)} on."
    return f"{since}, and on the roll of every vote that was frozen from {day(roll_from)} on."
