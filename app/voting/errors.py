"""What a voter is told when something does not work, in words that say what to do."""

from typing import Any


class VotingError(Exception):
    """One plain sentence or two; nothing was lost by it."""


class FalseTermsError(VotingError):
    """What the cooperative shows does not hold together: do not vote before this is explained."""


class SignedOutError(VotingError):
    """The cooperative does not know who asks: nobody is signed in, or no longer."""

    def __init__(self) -> None:
        super().__init__("You are not signed in. Sign in: meent vote sign-in --phone NUMBER")


class RefusedError(VotingError):
    """A server said no; `slug` is the problem's name."""

    def __init__(self, status: int, document: Any) -> None:
        body = document if isinstance(document, dict) else {}
        self.status = status
        self.slug = str(body.get("type", "")).rpartition("/")[2]
        said = body.get("detail") or body.get("title") or f"answer {status}"
        super().__init__(str(said).rstrip(".") + ".")
