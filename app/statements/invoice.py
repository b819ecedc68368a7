"""A client's invoice: what was taken over ride by ride, the tax in it, and what is due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from app.statements.receipt import Issuer


class Charged(StrEnum):
    """What a line of an invoice is for."""

    RIDE = "ride"
    FEE = "fee"  # of a ride that did not take place
    TIP = "tip"
    LATER = "later"  # charged after the ride was settled, by a decision
    BACK = "back"  # given back, by a decision


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """What a client took over for one ride (below 0: what it gets back), and the tax in it.

    `taxed_minor` is the part that bears the tax, with it; the rest was laid out for others, such as
    tolls, or is a tip. `reference` is what the dispatcher noted for this client.
    """

    ride_id: UUID
    what: Charged
    at: datetime
    pickup_name: str
    dropoff_name: str
    reference: str | None
    amount_minor: int
    vat_bp: int
    taxed_minor: int
    vat_minor: int
    vat_remitted_by: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Return the line of a charge, of which the ride's settlement says how it is taxed.

        A part of a fare bears that part of its tax, to the nearest minor unit.
        """
        amount_minor, fare_minor = row["amount_minor"], row["fare_minor"]
        what = Charged(row["what"])
        is_taxed = what in (Charged.RIDE, Charged.LATER, Charged.BACK) and row["vat_bp"] > 0
        shown = {name: row[name] for name in cls.__dataclass_fields__ if name in row}
        tax = {
            "vat_bp": row["vat_bp"] if is_taxed else 0,
            "taxed_minor": (
                part_of(row["taxed_minor"], amount_minor, fare_minor) if is_taxed else 0
            ),
            "vat_minor": part_of(row["vat_minor"], amount_minor, fare_minor) if is_taxed else 0,
            "vat_remitted_by": row["vat_remitted_by"] if is_taxed else "nobody",
        }
        return cls(**shown | tax | {"what": what})


def part_of(minor: int, amount_minor: int, whole_minor: int) -> int:
    """Return the share of `minor` that an amount is of a whole, halves away from zero.

    The whole of it is exactly `minor`, and what is given back is the same with the other sign.
    """
    share = (2 * abs(amount_minor) * minor + whole_minor) // (2 * whole_minor)
    return share if amount_minor >= 0 else -share


@dataclass(frozen=True, slots=True, kw_only=True)
class VatTotal:
    """All that bears the tax at one rate: with the tax, the tax, and without it."""

    rate_bp: int
    gross_minor: int
    vat_minor: int

    @property
    def net_minor(self) -> int:
        """What is left without the tax."""
        return self.gross_minor - self.vat_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who is asked to pay."""

    id: UUID
    name: str
    billing_address: str
    vat_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """All that an invoice says; `pay_to` is the cooperative's own bank account, if it is set."""

    id: UUID
    number: int
    month: date
    issuer: Issuer
    client: Client
    currency: str
    time_zone: str
    issued_at: datetime
    due_on: date
    paid_at: datetime | None
    total_minor: int
    pay_to: str | None
    lines: tuple[InvoiceLine, ...]

    @property
    def due_minor(self) -> int:
        """What is left to be paid."""
        return 0 if self.paid_at else self.total_minor

    @property
    def vat_totals(self) -> tuple[VatTotal, ...]:
        """The tax by rate, the highest first; together they are the total, to the cent."""
        gross: dict[int, int] = {}
        vat: dict[int, int] = {}
        for line in self.lines:
            untaxed_minor = line.amount_minor - line.taxed_minor
            for rate_bp, part_minor in ((line.vat_bp, line.taxed_minor), (0, untaxed_minor)):
                if part_minor:
                    gross[rate_bp] = gross.get(rate_bp, 0) + part_minor
            vat[line.vat_bp] = vat.get(line.vat_bp, 0) + line.vat_minor
        return tuple(
            VatTotal(rate_bp=rate_bp, gross_minor=gross[rate_bp], vat_minor=vat.get(rate_bp, 0))
            for rate_bp in sorted(gross, reverse=True)
        )
