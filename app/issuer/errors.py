"""What an issuer refuses."""

from typing import ClassVar

from app.foundation.problems import Problem


class IssuerProblem(Problem):
    """An issuer refused; its own pages say what each refusal means."""

    slug = "issuer-refused"
    title = "The issuer refused"
    # An issuer is a program of its own: the cooperative's catalogue does not list what it refuses.
    pages: ClassVar[dict[str, type[Problem]]] = {}

    def __init_subclass__(cls) -> None:
        """Enter the problem among the issuer's own pages."""
        assert cls.slug not in cls.pages, f"two problems are called {cls.slug}"
        cls.pages[cls.slug] = cls


class UnknownVote(IssuerProblem):
    """This issuer has sealed no terms of such a vote. Ask once all issuers have."""

    status = 404
    slug = "unknown-vote"
    title = "This issuer knows no such vote"


class OrderNotSigned(IssuerProblem):
    """Only the cooperative whose key this issuer knows gives orders, signed over path and body."""

    status = 403
    slug = "order-not-signed"
    title = "The order is not signed by the cooperative"


class TermsRefused(IssuerProblem):
    """These terms or rolls do not hold together; ``detail`` says where. Correct and order anew."""

    status = 422
    slug = "terms-refused"
    title = "The issuer does not seal these terms"


class AnotherManifest(IssuerProblem):
    """Other terms of this vote were fixed here before, and an issuer never seals two."""

    slug = "another-manifest"
    title = "Other terms of this vote are fixed already"


class NotOnTheRoll(IssuerProblem):
    """No such member stands on this house's roll. The roll was frozen before the vote."""

    status = 403
    slug = "not-on-the-roll"
    title = "This member is not on the roll"


class BadSignature(IssuerProblem):
    """The request is not signed by the key that stands on the roll for this member."""

    status = 403
    slug = "bad-signature"
    title = "The member's signature does not hold"


class BadBlinding(IssuerProblem):
    """A blinded vote key is a number as long as this house's modulus, and below it."""

    status = 422
    slug = "bad-blinding"
    title = "This is no blinded vote key for this house"


class AlreadyStamped(IssuerProblem):
    """This member was stamped once; only the very same request gets its stamp again.

    If that was not you, tell the auditors: your name stands on the public log.
    """

    slug = "already-stamped"
    title = "This member has been stamped already"


class MembershipEnded(IssuerProblem):
    """The cooperative has told this issuer that the membership ended: no stamp any more."""

    status = 403
    slug = "membership-ended"
    title = "The membership has ended"


class VoteClosed(IssuerProblem):
    """Stamps are given from the sealing of the terms until casting ends."""

    slug = "vote-closed"
    title = "No more stamps are given for this vote"


class IssuerTooManyRequests(IssuerProblem):
    """You asked too often. Wait the seconds named in Retry-After, then ask again."""

    status = 429
    slug = "too-many-requests"
    title = "Too many requests of one member"


class IssuerBusy(IssuerProblem):
    """More is asked than this issuer can do now. Repeat the same request: nothing doubles."""

    status = 503
    slug = "issuer-busy"
    title = "The issuer is busy for a moment"

    def __init__(self) -> None:
        super().__init__(retry_after_s=1)
