"""What statements refuse."""

from app.foundation.problems import Problem


class PeriodNotReadable(Problem):
    """Name a `span` of the calendar and a day in it, or `since` and a later `until`; not both."""

    status = 422
    slug = "period-not-readable"
    title = "It is not clear which period is meant"


class PeriodTooLong(Problem):
    """A statement is of a year at most. Ask for shorter periods, one after the other."""

    status = 422
    slug = "period-too-long"
    title = "The period is too long for one statement"


class TooManyLines(Problem):
    """More moved on the account than one statement holds. Ask for shorter periods."""

    status = 422
    slug = "too-many-lines"
    title = "The period has too many movements for one statement"


class NothingChargedYet(Problem):
    """A receipt says what was paid, so there is one once the ride is over and cost something."""

    slug = "nothing-charged-yet"
    title = "Nothing was charged for this ride"


class PressBusy(Problem):
    """Others have their papers drawn just now. Ask again in a few seconds."""

    status = 503
    slug = "press-busy"
    title = "Too many papers are being drawn at once"

    def __init__(self) -> None:
        super().__init__(retry_after_s=5)
