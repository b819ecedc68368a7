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
