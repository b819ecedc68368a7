"""What reciprocity refuses."""

from app.foundation.problems import Problem


class PeerKnown(Problem):
    """A cooperative with this key is registered. Pause or resume that one instead."""

    slug = "peer-known"
    title = "This sister cooperative is registered already"


class PeerKeyInvalid(Problem):
    """The key is not one that signs, or it is our own. Ask the sister for `GET /v1/peers/self`."""

    status = 422
    slug = "peer-key-invalid"
    title = "This is not the key of a sister cooperative"


class OwnPeerProposal(Problem):
    """Two people register a sister. Let somebody else of staff compare the key and confirm it."""

    slug = "own-peer-proposal"
    title = "Whoever proposed a sister does not confirm it"


class PeerDecided(Problem):
    """It was confirmed before, or is in that state already. Look at it again."""

    slug = "peer-decided"
    title = "The sister cooperative is not in a state for this"


class PeerPaused(Problem):
    """No new rides are exchanged with this sister for now. What was ridden is still cleared."""

    slug = "peer-paused"
    title = "This sister cooperative is paused or not yet confirmed"


class PeerLimitReached(Problem):
    """The two cooperatives would owe each other more than agreed. Ask for less, or ask later."""

    slug = "peer-limit-reached"
    title = "The credit between the cooperatives is used up"


class PaperNotSigned(Problem):
    """The paper is not signed by the cooperative it names, or is meant for somebody else."""

    status = 403
    slug = "paper-not-signed"
    title = "The signature does not hold"


class ClearingDiffers(Problem):
    """A clearing with this id came with other content. Ids are never used again."""

    slug = "clearing-differs"
    title = "This clearing was sent with other content before"


class ClearingOutOfOrder(Problem):
    """More is given back than was claimed so far. Send the earlier claim first, then this again."""

    slug = "clearing-out-of-order"
    title = "An earlier clearing has not arrived"


class MonthNotOver(Problem):
    """A statement is of a whole month that is over in UTC. Choose an earlier one."""

    status = 422
    slug = "month-not-over"
    title = "The month is not over"


class StatementExists(Problem):
    """This month was offered or agreed before. Look at that statement."""

    slug = "statement-exists"
    title = "There is a statement of this month"


class StatementNotAgreed(Problem):
    """Only what both signed is settled, once, and where something stands."""

    slug = "statement-not-agreed"
    title = "This statement cannot be settled"


class OwnStatement(Problem):
    """Whoever drew a statement does not book its settlement. Let somebody else of staff do it."""

    slug = "own-statement"
    title = "Another person settles a statement"
