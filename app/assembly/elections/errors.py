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


class NothingToStop(Problem):
    """Auditors stop a vote from the freeze of its terms until its result is enacted."""

    slug = "nothing-to-stop"
    title = "This vote cannot be stopped now"


class StopAsked(Problem):
    """You asked already to stop this vote. Another auditor confirms it, or asks anew."""

    slug = "stop-asked"
    title = "You have asked to stop this vote"


class StopUnknown(Problem):
    """No auditor has asked for this in this vote."""

    status = 404
    slug = "stop-unknown"
    title = "There is no such request to stop"


class TwoAuditorsNeeded(Problem):
    """You asked for it, so somebody else looks: another auditor has to confirm."""

    status = 403
    slug = "two-auditors-needed"
    title = "Two different auditors stop a vote"


class OwnProposal(Problem):
    """You wrote what is voted on. Leave it to the other auditors."""

    status = 403
    slug = "own-proposal"
    title = "Nobody audits their own proposal"


class IssuerAway(Exception):
    """An issuer gave no answer that can be used; the round goes on without it and comes again."""
