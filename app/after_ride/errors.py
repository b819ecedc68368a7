"""What is refused after a ride."""

from app.foundation.problems import Problem


class RideNotSettled(Problem):
    """This ride cost nothing, or is not over yet. What is not settled cannot be disputed."""

    slug = "ride-not-settled"
    title = "This ride was not settled"


class RideNotTaken(Problem):
    """A tip thanks for a ride that took place. This one did not, or is not over yet."""

    slug = "ride-not-taken"
    title = "This ride was not taken"


class TooLateToTip(Problem):
    """A ride can be tipped for 30 days. Thank the driver in words, or at the next ride."""

    slug = "too-late-to-tip"
    title = "This ride is too long ago to be tipped"


class TipTooLarge(Problem):
    """All tips of a ride together are up to three times its fare. Look whether you mistyped it."""

    slug = "tip-too-large"
    title = "This tip is larger than three times the fare"


class DisputeIsOpen(Problem):
    """You have a dispute about this ride that waits for its decision. It comes with a reason."""

    slug = "dispute-is-open"
    title = "You have disputed this ride already"


class TooLateToDispute(Problem):
    """A ride can be disputed for 90 days after it was settled. Write to staff instead."""

    slug = "too-late-to-dispute"
    title = "This ride is too long ago to be disputed"


class DisputeDecided(Problem):
    """This dispute does not wait for a decision, or one waits to be released. Look at it again."""

    slug = "dispute-decided"
    title = "This dispute was decided before"


class OwnRide(Problem):
    """Nobody decides on a ride that they took or drove. Ask a colleague."""

    slug = "own-ride"
    title = "This is your own ride"


class AnotherPersonDecides(Problem):
    """Who decided first, or released it, does not decide the appeal. Ask a colleague."""

    slug = "another-person-decides"
    title = "Another person decides this"


class NothingToUphold(Problem):
    """Only an appeal upholds a decision. Refuse, refund, or pay the driver."""

    slug = "nothing-to-uphold"
    title = "There is no earlier decision"


class MoreThanWasPaid(Problem):
    """A refund is up to what was paid, each part of it up to what that party got. Ask for less.

    What was given back before counts.
    """

    slug = "more-than-was-paid"
    title = "This is more than was paid"


class NothingToRelease(Problem):
    """No decision of this dispute waits for a second person, perhaps not any more."""

    slug = "nothing-to-release"
    title = "No decision waits to be released"


class NothingToAppeal(Problem):
    """A decision is appealed once, within 30 days. The decision on an appeal is final."""

    slug = "nothing-to-appeal"
    title = "There is no decision to appeal against"


class SplitOver(Problem):
    """A fare is shared before the ride ends, and each part answered once."""

    slug = "split-over"
    title = "This fare cannot be shared any more"


class FareSplitBefore(Problem):
    """A ride's fare is shared once, with up to three others, all invited at once."""

    slug = "fare-split-before"
    title = "You have shared this fare already"


class InvitedYourself(Problem):
    """You pay a part of your own ride anyway. Invite others."""

    status = 422
    slug = "invited-yourself"
    title = "You invited yourself"
