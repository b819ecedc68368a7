"""What the elections' room refuses, and what keeps a vote from going on."""

from app.foundation.problems import Problem


class ElectionUnknown(Problem):
    """There is no such election. A proposal has one from the moment its terms are frozen."""

    status = 404
    slug = "election-unknown"
    title = "There is no such election"


class NotCountedYet(Problem):
    """Nothing is told of a result before voting has closed and everything is counted."""

    slug = "not-counted-yet"
    title = "This vote has not been counted yet"


class IssuerAway(Exception):
    """An issuer gave no answer that can be used; the round goes on without it and comes again."""
