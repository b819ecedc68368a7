"""What we ask of any card provider, and what it may answer: the port behind which each stands."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Seen:
    """A payment as its provider sees it: sums of all that ever happened, in minor units.

    None of them shrinks, so of two sights of one payment the larger sums are the later ones, in
    whatever order they come.

    Attributes:
        payment_id: Our own name of it, which the provider keeps for us; None if it did not.
        reference: The provider's name of it.
        withdrawn_minor: What the rider's bank took back.
        reinstated_minor: What it gave up again.
        failure: Why nothing can be had of it any more, such as ``card_declined``; else None.
    """

    payment_id: UUID | None
    reference: str
    authorised_minor: int
    captured_minor: int
    refunded_minor: int
    withdrawn_minor: int = 0
    reinstated_minor: int = 0
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The provider did what it was asked, now or at an earlier try under the same key."""

    seen: Seen


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider will never do it: ``code`` says why, in its own words."""

    code: str
    seen: Seen | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows whether it was done. To ask again under the same key is safe."""

    why: str


type Outcome = Done | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Told:
    """An event of a provider, its signature checked: ``seen`` is None where it tells of no payment.

    Its sums may be of a part alone: what it does not tell is 0.
    """

    event_id: str
    type: str
    seen: Seen | None


class EventInvalid(ValueError):
    """What came is no event of the provider: not signed by it, too old, or of another form."""


class PaymentPort(Protocol):
    """A card provider. Under one key it acts once, however often it is asked.

    Nothing is raised for what a provider or the network does: each such case is an outcome.
    """

    @property
    def name(self) -> str:
        """The provider's name, as it stands in the table of payments."""
        ...

    async def authorise(
        self, *, payment_id: UUID, token: str, amount_minor: int, currency: str, key: str
    ) -> Outcome:
        """Set an amount aside on the card behind `token`, to be captured or voided later."""
        ...

    async def capture(self, *, reference: str, amount_minor: int, key: str) -> Outcome:
        """Take what was set aside, or a part of it; the rest is free again."""
        ...

    async def void(self, *, reference: str, key: str) -> Outcome:
        """Let go what was set aside."""
        ...

    async def refund(self, *, reference: str, amount_minor: int, key: str) -> Outcome:
        """Give back a part of what was captured, or all of it."""
        ...

    async def look_up(self, *, reference: str) -> Outcome:
        """Return a payment as the provider sees it now."""
        ...

    def read_event(self, body: bytes, *, signature: str | None) -> Told:
        """Return what a webhook tells.

        Raises:
            EventInvalid: see there.
        """
        ...
