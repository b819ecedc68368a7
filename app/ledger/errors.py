"""What the ledger refuses."""

from app.foundation.problems import Problem


class CreditLimitReached(Problem):
    """You would owe more than your account allows. Pay what is open, then book again."""

    slug = "credit-limit-reached"
    title = "Your account does not cover this ride"
