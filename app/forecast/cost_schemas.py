"""API shapes of the platform's own costs."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.foundation.schemas import RequestModel
from app.ledger.accounts import (
    PURPOSES_OF_COSTS,
    PURPOSES_OF_INCOME,
    JournalKind,
    Purpose,
)
from app.ledger.costs import NewCost

type Kind = Literal["platform_cost", "other_income"]
_ENTRY: dict[str, Any] = {
    "id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d",
    "kind": "platform_cost",
    "purpose": "servers",
    "document": "Invoice 2026-118 of the data centre",
    "document_sha256": None,
    "day": "2026-05-01",
    "amount_minor": 42000,
    "currency": "CHF",
    "booked_at": "2026-05-04T08:30:00Z",
    "reverses": None,
    "reversed_by": None,
    "reason": None,
}


class CostBooking(RequestModel):
    """A cost that was paid, or other income that came in."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "kind": "platform_cost",
                "purpose": "servers",
                "amount_minor": 42000,
                "day": "2026-05-01",
                "document": "Invoice 2026-118 of the data centre",
            }
        }
    )

    kind: Kind = "platform_cost"
    purpose: Purpose
    # Strict: a text is no amount.
    amount_minor: Annotated[int, Field(strict=True, gt=0, le=10**12)]
    day: Annotated[
        date,
        Field(
            ge=date(2000, 1, 1),
            lt=date(3000, 1, 1),
            description="the day it concerns, by the city's own time",
        ),
    ]
    document: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
        Field(description="what it can be checked by, such as an invoice's number"),
    ]
    document_sha256: Annotated[
        str | None,
        Field(pattern="^[0-9a-f]{64}$", description="of the document's file, if there is one"),
    ] = None

    @model_validator(mode="after")
    def _is_for_what_such_money_is_for(self) -> Self:
        is_cost = self.kind == "platform_cost"
        if self.purpose not in (PURPOSES_OF_COSTS if is_cost else PURPOSES_OF_INCOME):
            raise ValueError(f"{self.purpose} is no purpose of {self.kind}")
        return self

    def as_cost(self) -> NewCost:
        """Return it as the ledger takes it."""
        return NewCost(
            kind=JournalKind(self.kind),
            purpose=self.purpose,
            amount_minor=self.amount_minor,
            day=self.day,
            document=self.document,
            document_sha256=bytes.fromhex(self.document_sha256) if self.document_sha256 else None,
        )


class CostReversal(RequestModel):
    """Why a cost is taken back."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"reason": "The invoice was booked twice"}}
    )

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class CostView(BaseModel):
    """A cost, another income, or the reversal of one. Who booked it is known to the auditor."""

    model_config = ConfigDict(json_schema_extra={"example": _ENTRY})

    id: UUID
    kind: Kind
    purpose: Purpose
    document: str
    document_sha256: str | None
    day: Annotated[date, Field(description="the day it concerns, by the city's own time")]
    amount_minor: Annotated[int, Field(description="below 0 for a reversal")]
    currency: str
    booked_at: datetime
    reverses: Annotated[UUID | None, Field(description="the cost that this entry takes back")]
    reversed_by: Annotated[UUID | None, Field(description="the entry that took this one back")]
    reason: Annotated[str | None, Field(description="of a reversal")]


class CostsView(BaseModel):
    """A page of costs, the one booked last first."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [_ENTRY], "next_cursor": None}}
    )

    items: list[CostView]
    next_cursor: str | None


class CostSumView(BaseModel):
    """What one purpose came to in one month, reversals taken off."""

    month: Annotated[str, Field(description="year and month, by the city's own time")]
    kind: Kind
    purpose: Purpose
    entries: int
    amount_minor: int


class CostSummaryView(BaseModel):
    """Costs and other income by purpose and month, the newest month first."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "currency": "CHF",
                "items": [
                    {
                        "month": "2026-05",
                        "kind": "platform_cost",
                        "purpose": "servers",
                        "entries": 1,
                        "amount_minor": 42000,
                    }
                ],
            }
        }
    )

    currency: str
    items: list[CostSumView]
