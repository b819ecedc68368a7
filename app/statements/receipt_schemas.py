"""API shapes of a receipt."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.statements.receipt import Receipt
from app.statements.schemas import ShareView


class IssuerView(BaseModel):
    """Who gives the receipt."""

    name: str
    legal_name: str | None
    address: str | None
    vat_number: str | None


class ReceiptItemView(BaseModel):
    """One line of the price, by the codes of a quote."""

    code: str
    amount_minor: int


class RefundView(BaseModel):
    """What came back, when and why."""

    at: datetime
    kind: str
    amount_minor: int
    reason: str | None


class VatView(BaseModel):
    """The value-added tax in the fare as it was settled, and who owes it to the state."""

    rate_bp: int
    amount_minor: int
    remitted_by: Annotated[str, Field(description="driver, cooperative or nobody")]


class SplitView(BaseModel):
    """Who has which part of what was paid; without what others paid it is the total."""

    driver_minor: Annotated[int, Field(description="with all of the tip")]
    cooperative_minor: int
    passed_on_minor: int
    others_paid_minor: Annotated[int, Field(description="what others who rode along took over")]


class PaymentView(BaseModel):
    """By which method, how far it has come, and how much."""

    method: str
    state: str
    amount_minor: int


class SealView(BaseModel):
    """Where the ride's entry is sealed; `proof` is what `meent-verify` reads."""

    height: int
    root: str
    proof: dict[str, Any]


class ReceiptView(BaseModel):
    """What your ride cost, and where every cent went."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "example": {
                "ride_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1c",
                "kind": "fare",
                "issuer": {
                    "name": "Liechtenstein",
                    "legal_name": "Meent Liechtenstein eG",
                    "address": "Städtle 1, 9490 Vaduz",
                    "vat_number": None,
                },
                "pickup_name": "Städtle",
                "dropoff_name": "Höfle",
                "started_at": "2026-11-22T17:05:00Z",
                "ended_at": "2026-11-22T17:20:00Z",
                "settled_at": "2026-11-22T17:20:00Z",
                "distance_m": 8820,
                "driver_name": "Bo",
                "car": "Skoda Enyaq FL 12345",
                "currency": "CHF",
                "items": [{"code": "base", "amount_minor": 600}],
                "fare_minor": 4465,
                "tips_minor": 200,
                "later_minor": 0,
                "refunds": [],
                "total_minor": 4665,
                "split": {
                    "driver_minor": 3996,
                    "cooperative_minor": 669,
                    "passed_on_minor": 0,
                    "others_paid_minor": 0,
                },
                "vat": {"rate_bp": 0, "amount_minor": 0, "remitted_by": "nobody"},
                "share": {
                    "policy_version_id": "019aab1c-2d3e-7f40-8a5b-000000000001",
                    "commission_bp": 1500,
                    "effective_from": "2026-01-01T00:00:00Z",
                    "source": "founding",
                    "proposal_id": None,
                    "election_id": None,
                    "title": None,
                    "tallied_at": None,
                },
                "payments": [{"method": "card", "state": "captured", "amount_minor": 4465}],
                "seal": None,
            }
        },
    )

    ride_id: UUID
    kind: Annotated[str, Field(description="`fare`, or `fee` where the ride did not take place")]
    issuer: IssuerView
    pickup_name: str
    dropoff_name: str
    started_at: datetime | None
    ended_at: datetime
    settled_at: datetime
    distance_m: int
    driver_name: str
    car: str
    currency: str
    items: list[ReceiptItemView]
    fare_minor: Annotated[int, Field(description="what the lines add up to")]
    tips_minor: int
    later_minor: Annotated[int, Field(description="charged afterwards")]
    refunds: list[RefundView]
    total_minor: int
    split: SplitView
    vat: VatView
    share: Annotated[ShareView, Field(description="what was taken, and who decided it")]
    payments: list[PaymentView]
    seal: Annotated[SealView | None, Field(description="null until the entry is sealed")]

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """Return the API's form."""
        charges = receipt.charges
        alike = cls.model_fields.keys() & Receipt.__dataclass_fields__.keys()
        own = {name: getattr(receipt, name) for name in alike - {"items", "share"}}
        return cls.model_validate(
            own
            | {
                "items": [{"code": code, "amount_minor": minor} for code, minor in receipt.items],
                "share": ShareView.of(receipt.share),
                "fare_minor": charges.first_minor,
                "tips_minor": charges.tips_minor,
                "later_minor": charges.later_minor,
                "refunds": charges.refunds,
                "total_minor": charges.total_minor,
                "split": charges.split,
            },
            from_attributes=True,
        )
