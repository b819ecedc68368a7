"""What the room of open votes refuses."""

from app.foundation.problems import Problem


class NoOpenVote(Problem):
    """This proposal has no open vote, or not yet: its terms are frozen after the deliberation."""

    status = 404
    slug = "no-open-vote"
    title = "There is no open vote on this proposal"


class VoteIsSecret(Problem):
    """This vote is secret. Cast a ballot with your device; a voice cannot be lent here."""

    slug = "vote-is-secret"
    title = "This vote is secret"


class NotVotingTime(Problem):
    """Votes are taken from ``opens_at`` until before ``closes_at``, and not after the count."""

    slug = "not-voting-time"
    title = "Votes are not taken now"


class NoSeat(Problem):
    """You were not on the roll when it was frozen, or your membership has ended since."""

    status = 403
    slug = "not-on-the-open-roll"
    title = "You have no vote here"


class ValueNotAdmitted(Problem):
    """For a text say yes, no or abstain; for a choice name its options, each once, best first."""

    status = 422
    slug = "value-not-admitted"
    title = "A vote here cannot say that"


class ResultNotOut(Problem):
    """Results are shown when the vote is closed and counted, so that nobody votes by them."""

    slug = "result-not-out"
    title = "The vote is not counted yet"


class VoiceAlreadyLent(Problem):
    """You have lent your voice on this topic. Take it back before you lend it to another."""

    slug = "voice-already-lent"
    title = "Your voice on this topic is lent already"


class TakerNotEligible(Problem):
    """A voice goes to another member in good standing of your own house."""

    slug = "taker-not-eligible"
    title = "A voice cannot be lent to them"


class LentTooLong(Problem):
    """Name an end that is later than now and at most 365 days away."""

    status = 422
    slug = "lent-too-long"
    title = "A voice is lent for a year at most"


class NoSuchDelegation(Problem):
    """There is no such lent voice of yours that is open still."""

    status = 404
    slug = "no-such-delegation"
    title = "You have no such lent voice"
