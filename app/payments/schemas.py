"""API shapes of cards, payments, contract clients and what staff books of them."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from app.foundation.schemas import RequestModel
from app.payments.cards import holds_card_number
from app.payments.errors import CardNumberRefused
from app.payments.rules import Kind, Method, PaymentState

_ID = "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d"
_CARD: dict[str, Any] = {
    "id": _ID,
    "provider": "local",
    "label": "card ending 4242",
    "is_default": True,
    "added_at": "2026-05-22T15:00:00Z",
}
_PAYMENT: dict[str, Any] = {
    "id": _ID,
    "ride_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1c",
    "kind": "ride",
    "method": "card",
    "provider": "local",
    "label": "card ending 4242",
    "state": "captured",
    "currency": "CHF",
    "amount_minor": 4465,
    "captured_minor": 4465,
    "refunded_minor": 0,
    "begun_at": "2026-05-22T15:00:00Z",
    "failed_at": None,
    "failure": None,
}
_OPENING: dict[str, Any] = {
    "name": "Hospital of Vaduz",
    "billing_address": "Heiligkreuz 25, 9490 Vaduz",
    "vat_number": "LI54321",
    "limit_minor": 500_000,
}
_CLIENT: dict[str, Any] = _OPENING | {
    "id": _ID,
    "currency": "CHF",
    "owed_minor": 44_650,
    "held_minor": 0,
    "riders": 12,
    "opened_at": "2026-05-01T09:00:00Z",
    "ended_at": None,
}
_INVOICE: dict[str, Any] = {
    "id": _ID,
    "number": 7,
    "client_id": _ID,
    "name": _OPENING["name"],
    "billing_address": _OPENING["billing_address"],
    "vat_number": _OPENING["vat_number"],
    "month": "2026-05-01",
    "currency": "CHF",
    "total_minor": 4465,
    "due_on": "2026-07-01",
    "issued_at": "2026-06-01T08:00:00Z",
    "paid_at": None,
    "lines": [
        {
            "payment_id": _ID,
            "ride_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1c",
            "amount_minor": 4465,
            "booked_at": "2026-05-22T16:00:00Z",
        }
    ],
}
_SETTLEMENT: dict[str, Any] = {
    "provider": "stripe",
    "reference": "po_1OaJcx2eZvKYlo2C",
    "gross_minor": 120_000,
    "fee_minor": 2_150,
}


def _no_card_number(text: str) -> str:
    """Refuse what may be the number of a card, without repeating it."""
    if holds_card_number(text):
        raise CardNumberRefused
    return text


def _text(least: int, most: int) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=most)


type Money = Annotated[int, Field(gt=0, le=1_000_000_000, description="whole minor units")]


class CardRegistration(RequestModel):
    """A card, by the token that the provider's own form gave to your device."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"token": "tok_visa_Ab12", "label": "card ending 4242", "is_default": True}
        }
    )

    token: Annotated[
        str,
        AfterValidator(_no_card_number),
        StringConstraints(pattern=r"^[a-z]{2,8}_[A-Za-z0-9_]{1,200}$"),
        Field(description="never a number: a request with one is refused"),
    ]
    label: Annotated[
        str,
        AfterValidator(_no_card_number),
        _text(1, 60),
        StringConstraints(pattern=r"^\D*(\d{1,4}(\D+|$))*$"),
        Field(description="how you tell your cards apart: four digits in a row at most"),
    ]
    is_default: bool = False


class CardView(BaseModel):
    """A card you can pay with. `provider` is "local" where no money moves."""

    model_config = ConfigDict(json_schema_extra={"example": _CARD})

    id: UUID
    provider: str
    label: str
    is_default: bool
    added_at: datetime


class CardsView(BaseModel):
    """Your cards, the one you pay with first."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [_CARD]}})

    items: list[CardView]


class CardRemoved(BaseModel):
    """The card that is not yours to pay with any more."""

    model_config = ConfigDict(json_schema_extra={"example": {"id": _ID}})

    id: UUID


class PaymentView(BaseModel):
    """What you owed for a ride, and how far its payment has come."""

    model_config = ConfigDict(json_schema_extra={"example": _PAYMENT})

    id: UUID
    ride_id: UUID
    kind: Kind
    method: Method
    provider: str | None
    label: str | None
    state: PaymentState
    currency: str
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    begun_at: datetime
    failed_at: datetime | None
    failure: str | None

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a payment as it is shown."""
        return cls.model_validate(dict(row))


class PaymentsView(BaseModel):
    """A page of payments, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [_PAYMENT], "next_cursor": None}}
    )

    items: list[PaymentView]
    next_cursor: str | None


class PaymentRetried(BaseModel):
    """The payment that takes the place of one that failed."""

    model_config = ConfigDict(json_schema_extra={"example": {"id": _ID}})

    id: UUID


class EventTaken(BaseModel):
    """Whether an event was news; a provider tells some twice."""

    model_config = ConfigDict(json_schema_extra={"example": {"is_news": True}})

    is_news: bool


class ClientOpening(RequestModel):
    """A business or household that will be invoiced for rides."""

    model_config = ConfigDict(json_schema_extra={"example": _OPENING})

    name: Annotated[str, AfterValidator(_no_card_number), _text(1, 120)]
    billing_address: Annotated[str, AfterValidator(_no_card_number), _text(1, 500)]
    vat_number: Annotated[str, _text(4, 20)] | None = None
    limit_minor: Money


class ClientView(BaseModel):
    """A contract client, and what it owes."""

    model_config = ConfigDict(json_schema_extra={"example": _CLIENT})

    id: UUID
    name: str
    billing_address: str
    vat_number: str | None
    limit_minor: int
    currency: str
    owed_minor: Annotated[int, Field(description="for rides, whether invoiced or not yet")]
    held_minor: Annotated[int, Field(description="set aside for rides that are not over")]
    riders: int
    opened_at: datetime
    ended_at: datetime | None


class ClientsView(BaseModel):
    """A page of contract clients, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [_CLIENT], "next_cursor": None}}
    )

    items: list[ClientView]
    next_cursor: str | None


class RiderAuthorisation(RequestModel):
    """For whom a client pays."""

    model_config = ConfigDict(json_schema_extra={"example": {"rider_id": _ID}})

    rider_id: UUID


class InvoiceRequest(RequestModel):
    """For which month a client is asked to pay."""

    model_config = ConfigDict(json_schema_extra={"example": {"month": "2026-05"}})

    month: Annotated[str, StringConstraints(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]

    @property
    def first_day(self) -> date:
        """The month's first day."""
        return date.fromisoformat(f"{self.month}-01")


class InvoiceLine(BaseModel):
    """What a client took over for one ride; below 0: what came back."""

    payment_id: UUID
    ride_id: UUID
    amount_minor: int
    booked_at: datetime


class InvoiceView(BaseModel):
    """An invoice. Numbers follow each other without a gap."""

    model_config = ConfigDict(json_schema_extra={"example": _INVOICE})

    id: UUID
    number: int
    client_id: UUID
    name: str
    billing_address: str
    vat_number: str | None
    month: date
    currency: str
    total_minor: int
    due_on: date
    issued_at: datetime
    paid_at: datetime | None
    lines: list[InvoiceLine]


class InvoicesView(BaseModel):
    """A page of a client's invoices, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [_INVOICE], "next_cursor": None}}
    )

    items: list[InvoiceView]
    next_cursor: str | None


class SettlementBooking(RequestModel):
    """What a card provider paid to the bank."""

    model_config = ConfigDict(json_schema_extra={"example": _SETTLEMENT | {"day": "2026-05-22"}})

    provider: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,20}$")]
    reference: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$"),
        Field(description="the provider's own name of this payout"),
    ]
    gross_minor: Annotated[Money, Field(description="before the provider's fee")]
    fee_minor: Annotated[int, Field(ge=0, le=1_000_000_000)]
    day: Annotated[date, Field(description="when it reached the bank")]


class SettlementView(BaseModel):
    """What a card provider paid to the bank, as it is booked."""

    model_config = ConfigDict(
        json_schema_extra={"example": _SETTLEMENT | {"id": _ID, "booked_at": _CARD["added_at"]}}
    )

    id: UUID
    provider: str
    reference: str
    gross_minor: int
    fee_minor: int
    booked_at: datetime


class CashLimit(RequestModel):
    """How much a driver may owe of fares taken in cash."""

    model_config = ConfigDict(json_schema_extra={"example": {"limit_minor": 20_000}})

    limit_minor: Annotated[int, Field(ge=0, le=10_000_000)]
