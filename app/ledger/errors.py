"""What the ledger refuses."""

from app.foundation.problems import Problem


class CreditLimitReached(Problem):
    """You would owe more than your account allows. Pay what is open, then book again."""

    slug = "credit-limit-reached"
    title = "Your account does not cover this ride"


class DayIsInTheFuture(Problem):
    """Costs are booked for a day that has begun. Book it on its day, or correct the date."""

    status = 422
    slug = "day-is-in-the-future"
    title = "The day of a cost has not begun yet"


class CostReversedBefore(Problem):
    """Each cost is taken back once. Look at what took it back, and book what is right anew."""

    slug = "cost-reversed-before"
    title = "This cost was taken back before"


class ReversalIsFinal(Problem):
    """A reversal is not taken back itself. Book the cost anew instead."""

    slug = "reversal-is-final"
    title = "A reversal is not reversed"


class PeriodIsClosed(Problem):
    """The books of that time are closed. Book it now, with a reason that names the day."""

    slug = "period-is-closed"
    title = "The books of that time are closed"


class PeriodCannotBeClosed(Problem):
    """A period is closed once, after it ended. Choose an end after the last one, in the past."""

    slug = "period-cannot-be-closed"
    title = "This period is closed already, or not over"


class JournalReversedBefore(Problem):
    """What was booked is taken back once. Look at what took it back, and book what is right."""

    slug = "journal-reversed-before"
    title = "This booking was taken back before"


class BookingIsFinal(Problem):
    """A reversal is not reversed, nor is what entered the indivisible reserve. Book anew."""

    slug = "booking-is-final"
    title = "This booking is final"


class BalanceTooLow(Problem):
    """The account would fall below its limit. Take less, or wait until more stands on it."""

    slug = "balance-too-low"
    title = "The account does not hold enough"


class MoneyStands(Problem):
    """Money stands on an account of this person, or is set aside there. Settle that first."""

    slug = "money-stands"
    title = "Money stands on an account of this person"


class SealAwaited(Problem):
    """A booking of this person waits for its seal. Ask again in a minute."""

    slug = "seal-awaited"
    title = "A booking is not sealed yet"


class HoldEndedBefore(Problem):
    """Money that was set aside is taken, let go or expires once. Look at what became of it."""

    slug = "hold-ended-before"
    title = "This money is no longer set aside"
