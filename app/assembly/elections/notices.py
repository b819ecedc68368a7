"""What the members on a roll are told, and when: never that somebody voted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction


class Notice(StrEnum):
    """One thing a member is told once in a vote."""

    KEY_MISSING = "key_missing"  # before the freeze: without a member key no issuer knows you
    ON_ROLL = "on_roll"  # the roll is frozen and you are on it
    FIRST_REMINDER = "first_reminder"
    LAST_REMINDER = "last_reminder"


class Alarm(StrEnum):
    """One thing that is wrong with a vote under way, of which all members are told once."""

    UNREADABLE = "unreadable"  # ballots with receipts wait, and nobody can open them


EVENTS = {
    Notice.KEY_MISSING: "election.key_missing",
    Notice.ON_ROLL: "election.on_roll",
    Notice.FIRST_REMINDER: "election.reminder",
    Notice.LAST_REMINDER: "election.reminder",
}


@dataclass(frozen=True, slots=True)
class _Reminder:
    """How long before closing; in a vote not twice as long, after which part of it instead."""

    before_close: timedelta
    part_gone: Fraction


_REMINDERS = {
    Notice.FIRST_REMINDER: _Reminder(timedelta(hours=72), Fraction(1, 2)),
    Notice.LAST_REMINDER: _Reminder(timedelta(hours=24), Fraction(7, 8)),
}
# The logs are read in rounds, so that what a member is told, and when, does not tell the minute
# at which she fetched her credential.
_LOG_ROUNDS = 16
_LOG_PACE_MOST = timedelta(hours=1)


def reminders_due(*, opens_at: datetime, closes_at: datetime, at: datetime) -> tuple[Notice, ...]:
    """Return which reminders have come due at a moment of a vote that has not closed."""
    if not opens_at <= at < closes_at:
        return ()
    lasts = closes_at - opens_at
    due = []
    for notice, reminder in _REMINDERS.items():
        gone = lasts - reminder.before_close
        # A vote of three days does not remind at its first minute.
        if lasts < 2 * reminder.before_close:
            gone = lasts * reminder.part_gone.numerator / reminder.part_gone.denominator
        if at >= opens_at + gone:
            due.append(notice)
    return tuple(due)


def log_round(*, opens_at: datetime, closes_at: datetime, at: datetime) -> int:
    """Return the number of the round in which issuers' logs are read at a moment.

    An hour each, or a sixteenth of the vote where that is shorter.
    """
    pace = min(_LOG_PACE_MOST, (closes_at - opens_at) / _LOG_ROUNDS)
    return int((at - opens_at) / pace)
