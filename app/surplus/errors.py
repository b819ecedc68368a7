"""What closing a period and paying capital back refuse."""

from app.foundation.problems import Problem


class PeriodLeavesAGap(Problem):
    """Periods follow each other. Begin where the last one ended; the first one with the books."""

    slug = "period-leaves-a-gap"
    title = "This period does not begin where the last one ended"


class PeriodNotOver(Problem):
    """A period is closed after its end. Choose an end that is past, and a start before it."""

    status = 422
    slug = "period-not-over"
    title = "This period is not over yet"


class BooksHaveChanged(Problem):
    """Something was booked, or decided, since this close was prepared. Prepare it anew."""

    slug = "books-have-changed"
    title = "The books are not those that were prepared"


class ConfirmedByAnother(Problem):
    """Two people close a period. Ask another member of staff to look at it and confirm."""

    slug = "confirmed-by-another"
    title = "Somebody else confirms what you prepared"


class MemberHasNotLeft(Problem):
    """Capital is paid back to who has left. It stays the member's, and counts up to then."""

    slug = "member-has-not-left"
    title = "This person is still a member"


class CapitalNotDue(Problem):
    """The delay of the statutes is not over. ``due_at`` says when it is."""

    slug = "capital-not-due"
    title = "This capital is not due yet"


class MeansDoNotReach(Problem):
    """What is at the bank is owed to others, or the reserve's. Nothing is lost: try again later."""

    slug = "means-do-not-reach"
    title = "The cooperative cannot pay this capital back now"


class NoCapital(Problem):
    """Nothing is left to pay back: there was no capital, or all of it was paid."""

    slug = "no-capital"
    title = "This person has no capital here"


class PeriodNotSealed(Problem):
    """What was booked last waits for its seal. Ask again in a minute."""

    slug = "period-not-sealed"
    title = "This period is not sealed yet"


class PeriodCutsAnHour(Problem):
    """Sealed books show times to the quarter of an hour, so nobody could check such a period."""

    slug = "period-cuts-an-hour"
    title = "This period begins or ends inside a quarter of an hour"
