"""What the dispatch room refuses."""

from app.foundation.problems import Problem


class OfferNoLongerOpen(Problem):
    """The offer is over, was taken, or was never yours. It costs you nothing; wait for the next."""

    slug = "offer-no-longer-open"
    title = "This offer is no longer open"


class NotOnShift(Problem):
    """Start a shift first: `POST /v1/shifts`."""

    slug = "not-on-shift"
    title = "You are not on shift"
