"""A rider's receipt: what a ride cost in the end, and where every cent of it went."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.ledger.accounts import AccountKind, JournalKind
from app.statements.earnings import Share

# These only pay what others charged, or fail to: a receipt shows them as the way of payment.
PAYING: Final = (
    JournalKind.CARD_CAPTURE,
    JournalKind.CARD_REFUND,
    JournalKind.CHARGEBACK,
    JournalKind.CASH_TAKEN,
    JournalKind.INVOICE_ISSUED,
    JournalKind.INVOICE_PAID,
    JournalKind.BAD_DEBT,
    # The fund takes over what a rider cannot pay, and gets it back when they can.
    JournalKind.SOLIDARITY_PAYMENT,
    JournalKind.SOLIDARITY_CONTRIBUTION,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A line of a journal that is for the ride.

    `debit_own` and `credit_own` say whether that account is the rider's whose receipt it is.
    """

    journal_id: int
    kind: str
    undone_kind: str | None
    reason: str | None
    effective_at: datetime
    debit_kind: str
    debit_own: bool
    credit_kind: str
    credit_own: bool
    amount_minor: int

    @property
    def is_charge(self) -> bool:
        """Whether it changes what the ride costs, and does not only pay it."""
        return (self.undone_kind or self.kind) not in PAYING

    @property
    def charged_minor(self) -> int:
        """What the rider owes more by it; below 0 what came back."""
        return self.amount_minor * (self.debit_own - self.credit_own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Who got which part of what the rider paid: together it is the total, to the cent.

    `others_paid_minor` is what other riders took over of it, below 0 for who paid for others.
    """

    driver_minor: int
    cooperative_minor: int
    passed_on_minor: int
    others_paid_minor: int

    @property
    def total_minor(self) -> int:
        """What the rider paid."""
        shared = self.driver_minor + self.cooperative_minor + self.passed_on_minor
        return shared - self.others_paid_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """What came back to the rider, when and why."""

    at: datetime
    kind: str
    amount_minor: int
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """What a ride cost: at first, what came to it and what came back, and who has it now."""

    first_minor: int
    tips_minor: int
    later_minor: int
    refunds: tuple[Refund, ...]
    split: Split

    @property
    def total_minor(self) -> int:
        """What the ride cost its rider in the end."""
        return self.split.total_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who gives the receipt, as the law wants it named; what was not set is None."""

    name: str
    legal_name: str | None
    address: str | None
    vat_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Where the ride's journal is sealed, and the proof that `meent-verify` reads."""

    height: int
    root: str
    proof: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vat:
    """The value-added tax in the fare as it was settled, and who owes it to the state."""

    rate_bp: int
    amount_minor: int
    remitted_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """By which method the ride is paid, how far that has come, and how much of it."""

    method: str
    state: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """All that a receipt says."""

    issuer: Issuer
    ride_id: UUID
    kind: str
    time_zone: str
    currency: str
    pickup_name: str
    dropoff_name: str
    started_at: datetime | None
    ended_at: datetime
    settled_at: datetime
    distance_m: int
    driver_name: str
    car: str
    items: tuple[tuple[str, int], ...]
    charges: Charges
    vat: Vat
    share: Share
    payments: tuple[Payment, ...]
    seal: Seal | None


def reckon_charges(movements: Iterable[Movement]) -> Charges:
    """Return what the movements of a ride come to for its rider.

    Each line leaves one account and reaches another, so whatever was booked, the parts add up to
    what the rider paid. What went to an account of the house is the cooperative's.
    """
    held = dict.fromkeys(("driver", "cooperative", "passed_on", "others", "own"), 0)
    first, tips, later = 0, 0, 0
    refunds: dict[int, Refund] = {}
    for line in movements:
        if not line.is_charge:
            continue
        held[_holder(line.credit_kind, own=line.credit_own)] += line.amount_minor
        held[_holder(line.debit_kind, own=line.debit_own)] -= line.amount_minor
        charged = line.charged_minor
        if charged < 0:
            # What was decided at once came back at once, whoever bore which part of it.
            before = refunds.get(line.journal_id)
            refunds[line.journal_id] = Refund(
                at=line.effective_at,
                kind=line.kind,
                amount_minor=(before.amount_minor if before else 0) - charged,
                reason=line.reason,
            )
        elif line.kind in (JournalKind.RIDE_FARE, JournalKind.RIDE_FEE, JournalKind.PEER_RIDE):
            first += charged
        elif line.kind == JournalKind.TIP:
            tips += charged
        else:
            later += charged
    split = Split(
        driver_minor=held["driver"],
        cooperative_minor=held["cooperative"],
        passed_on_minor=held["passed_on"],
        others_paid_minor=-held["others"],
    )
    assert split.total_minor == -held["own"], "every line leaves one account and reaches another"
    return Charges(
        first_minor=first,
        tips_minor=tips,
        later_minor=later,
        refunds=tuple(refunds.values()),
        split=split,
    )


_HOLDERS: Final = {
    AccountKind.DRIVER: "driver",
    AccountKind.PASS_THROUGH: "passed_on",
    AccountKind.PEER_COOPERATIVE: "passed_on",
    AccountKind.RIDER: "others",
}


def _holder(kind: str, *, own: bool) -> str:
    return "own" if own else _HOLDERS.get(AccountKind(kind), "cooperative")
