"""What the proposals' room refuses."""

from app.foundation.problems import Problem


class ProposalUnknown(Problem):
    """There is no such proposal, or it is somebody's draft."""

    status = 404
    slug = "proposal-unknown"
    title = "There is no such proposal"


class StepRefused(Problem):
    """The proposal does not stand where this can be done, or its time has passed. Read it again."""

    slug = "proposal-step-refused"
    title = "The proposal does not stand there any more"


class NotInTheRegister(Problem):
    """Only members in good standing do this. `GET /v1/me/membership` says what is missing."""

    status = 403
    slug = "not-in-the-register"
    title = "You are not a member in good standing"


class NotTheAuthor(Problem):
    """Only who made the proposal decides this."""

    status = 403
    slug = "not-the-author"
    title = "This is for the author of the proposal to decide"


class ProposalIncomplete(Problem):
    """Something is missing before others can support this. ``faults`` names each thing."""

    status = 422
    slug = "proposal-incomplete"
    title = "The proposal is not complete"


class TooManyProposals(Problem):
    """You have as many drafts, or as many proposals that seek support, as one member may have."""

    slug = "too-many-proposals"
    title = "You have many proposals under way already"


class VersionMissing(Problem):
    """Send `If-Match` with the version that you read, in quotes, so that nothing is lost."""

    status = 428
    slug = "version-missing"
    title = "Say which version you edit"


class VersionChanged(Problem):
    """It was edited after you read it. Read it again, then edit ``version``."""

    status = 412
    slug = "version-changed"
    title = "It has changed since you read it"


class AlreadySupported(Problem):
    """You support this already; once each."""

    slug = "already-supported"
    title = "You support this already"


class NotSupported(Problem):
    """You do not support this, so there is nothing to take back."""

    slug = "not-supported"
    title = "You do not support this"


class CommentUnknown(Problem):
    """There is no such comment on this proposal, or it is not yours to take back."""

    status = 404
    slug = "comment-unknown"
    title = "There is no such comment"


class NotAText(Problem):
    """Only proposals of the kind text have versions and amendments."""

    slug = "not-a-text"
    title = "This proposal has no text to amend"


class TextUnknown(Problem):
    """There is no such version of this text."""

    status = 404
    slug = "text-unknown"
    title = "There is no such version"


class AmendmentUnknown(Problem):
    """There is no such amendment to this proposal."""

    status = 404
    slug = "amendment-unknown"
    title = "There is no such amendment"


class AmendmentEmpty(Problem):
    """Your text is the version you started from. Change what you want changed."""

    status = 422
    slug = "amendment-empty"
    title = "The amendment changes nothing"


class AmendmentStale(Problem):
    """The text has changed since the amendment was written; version ``text_number`` stands.

    Write the amendment anew. As it is, it can only be voted on beside the text.
    """

    slug = "amendment-stale"
    title = "The text has changed since then"


class AmendmentDecided(Problem):
    """The author has decided about this amendment, or it was frozen."""

    slug = "amendment-decided"
    title = "This amendment was decided"


class TooManyAmendments(Problem):
    """You have as many open amendments to this text as one member may have."""

    slug = "too-many-amendments"
    title = "You have several open amendments already"


class PanelUnknown(Problem):
    """This proposal has no panel yet."""

    status = 404
    slug = "panel-unknown"
    title = "There is no panel"


class PanelExists(Problem):
    """The list of this panel is fixed, and one who is drawn stays drawn."""

    slug = "panel-exists"
    title = "The panel is fixed already"


class PanelTooEarly(Problem):
    """Randomness must become public after the list is fixed. Wait until ``public_at``."""

    slug = "panel-too-early"
    title = "The randomness cannot be known yet"


class NotOnThePanel(Problem):
    """Only members who were drawn write the pages, each on one side."""

    status = 403
    slug = "not-on-the-panel"
    title = "You do not write this page"


class PageTooLong(Problem):
    """A page has at most 200 words."""

    status = 422
    slug = "page-too-long"
    title = "The page has too many words"
