"""What the ballot box refuses."""

from app.foundation.problems import Problem


class BallotNamesItsVoter(Problem):
    """Send this request again without Authorization and without cookies: a ballot has no name.

    Your client gave away who you are. It should take a connection of its own for ballots.
    """

    status = 400
    slug = "ballot-names-its-voter"
    title = "This request says who you are, and a ballot must not"


class VoteNotOpen(Problem):
    """The vote opens at ``opens_at``. Keep your ballot and cast it then."""

    slug = "vote-not-open"
    title = "The vote is not open yet"


class VoteClosed(Problem):
    """The vote closed at ``closes_at``, and no ballot is taken any more."""

    slug = "vote-closed"
    title = "The vote is closed"


class BallotsStillSecret(Problem):
    """What is in the box can be read from ``closes_at`` on. Proofs and roots are there already."""

    slug = "ballots-still-secret"
    title = "Nobody reads ballots while the vote is open"


class BallotRefused(Problem):
    """``detail`` says what does not fit. Nothing was stored; correct the ballot and cast it."""

    status = 422
    slug = "ballot-refused"
    title = "This is no ballot of this vote"


class SequenceTaken(Problem):
    """Another ballot of this key has this sequence number. To change your mind take the next."""

    slug = "ballot-sequence-taken"
    title = "This sequence number was used for another ballot"


class BallotBoxAway(Problem):
    """The box cannot sign receipts now, so it takes no ballots. Keep yours and try again later."""

    status = 503
    slug = "ballot-box-away"
    title = "The ballot box takes nothing at the moment"


class ReceiptRefused(Problem):
    """``detail`` says why this receipt proves nothing here. Look for the vote it was given in."""

    status = 422
    slug = "receipt-refused"
    title = "This is no receipt of this vote's board"


class BallotIsThere(Problem):
    """The box holds the ballot of this receipt, so nothing was dropped. Ask for its proof."""

    slug = "ballot-is-there"
    title = "The ballot of this receipt is in the box"


class ObjectionsClosed(Problem):
    """The objection window is over, or the vote is void already. Keep your receipt all the same."""

    slug = "objections-closed"
    title = "There is nothing left to object to"
