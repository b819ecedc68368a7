"""API shapes of tips, disputes and shared fares."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.after_ride.rules import (
    MOST_INVITED,
    Burden,
    DisputeKind,
    DisputeState,
    Outcome,
    PartState,
    equal_parts,
)
from app.foundation.schemas import RequestModel

_ID = "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d"
_RIDE = "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1c"
_TIP: dict[str, Any] = {
    "id": _ID,
    "ride_id": _RIDE,
    "amount_minor": 300,
    "currency": "CHF",
    "tipped_at": "2026-11-22T18:00:00Z",
}
_REASON = "The car stood for 12 minutes at the wrong entrance; the rider was at the right one."
_DECISION: dict[str, Any] = {
    "round": 1,
    "outcome": "refund",
    "amount_minor": 900,
    "from_driver_minor": 0,
    "from_commission_minor": 600,
    "from_costs_minor": 300,
    "reason": _REASON,
    "effective_at": "2026-11-23T09:00:00Z",
    "undone_at": None,
}
_DISPUTE: dict[str, Any] = {
    "id": _ID,
    "ride_id": _RIDE,
    "party": "rider",
    "kind": "wrong_fare",
    "text": "I was charged for waiting, but stood at the door.",
    "state": "decided",
    "currency": "CHF",
    "opened_at": "2026-11-22T18:00:00Z",
    "appealed_at": None,
    "appeal_text": None,
    "decisions": [_DECISION],
}
_STAFF: dict[str, Any] = _DISPUTE | {
    "opened_by": _ID,
    "rider_id": _ID,
    "driver_id": _RIDE,
    "decisions": [_DECISION | {"decided_by": _ID, "released_by": None}],
}
_PART: dict[str, Any] = {"position": 1, "state": "accepted", "amount_minor": None}
_OWN_PART: dict[str, Any] = {
    "ride_id": _RIDE,
    "rider_name": "Ada",
    "state": "invited",
    "most_minor": 1488,
    "amount_minor": None,
    "currency": "CHF",
}

type Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
type Amount = Annotated[int, Field(ge=0, le=10_000_000)]


class TipRequest(RequestModel):
    """How much the driver gets, all of it."""

    model_config = ConfigDict(json_schema_extra={"example": {"amount_minor": 300}})

    amount_minor: Annotated[
        int, Field(ge=1, le=10_000_000, description="all tips of a ride: up to 3 times its fare")
    ]


class TipView(BaseModel):
    """A tip, which went to the driver whole."""

    model_config = ConfigDict(json_schema_extra={"example": _TIP})

    id: UUID
    ride_id: UUID
    amount_minor: int
    currency: str
    tipped_at: datetime


class TipsView(BaseModel):
    """A ride's tips, the oldest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [_TIP]}})

    items: list[TipView]


class DisputeRequest(RequestModel):
    """What was settled wrongly, in your own words."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"kind": "wrong_fare", "text": _DISPUTE["text"]}}
    )

    kind: DisputeKind
    text: Words


class AppealRequest(RequestModel):
    """Why another person should look at it again."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"text": "The reason speaks of another entrance."}}
    )

    text: Words


class WithdrawalRequest(RequestModel):
    """Why a decision that waits for its release is given up."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"reason": "The commission was less than that."}}
    )

    reason: Words


class DecisionRequest(RequestModel):
    """What is decided, who bears it, and why, as both people will read it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "outcome": "refund",
                "from_commission_minor": 600,
                "from_costs_minor": 300,
                "reason": _REASON,
            }
        }
    )

    outcome: Outcome
    from_driver_minor: Annotated[Amount, Field(description="the driver gives it back")] = 0
    from_commission_minor: Annotated[Amount, Field(description="of the ride's commission")] = 0
    from_costs_minor: Annotated[Amount, Field(description="the cooperative bears it")] = 0
    reason: Words

    @property
    def burden(self) -> Burden:
        """Who bears the decision."""
        return Burden(
            from_driver_minor=self.from_driver_minor,
            from_commission_minor=self.from_commission_minor,
            from_costs_minor=self.from_costs_minor,
        )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        moves = self.outcome in (Outcome.REFUND, Outcome.PAY_DRIVER)
        if moves != (self.burden.amount_minor > 0):
            message = "a refund or more for the driver says who bears it; nothing else moves money"
            raise ValueError(message)
        if self.outcome is Outcome.PAY_DRIVER and self.from_driver_minor:
            message = "drivers do not pay themselves: say what commission and costs bear"
            raise ValueError(message)
        return self


class DecisionView(BaseModel):
    """What a person decided; not in force while it waits for a second one."""

    round: Annotated[int, Field(description="1 the first, 2 on appeal")]
    outcome: Outcome
    amount_minor: int
    from_driver_minor: int
    from_commission_minor: int
    from_costs_minor: int
    reason: str
    effective_at: Annotated[datetime | None, Field(description="null while it waits")]
    undone_at: Annotated[datetime | None, Field(description="when an appeal took it back")]


class StaffDecisionView(DecisionView):
    """A decision, and whose it was."""

    decided_by: UUID
    released_by: UUID | None


class DisputeView(BaseModel):
    """A dispute about a ride, as its rider and its driver see it."""

    model_config = ConfigDict(json_schema_extra={"example": _DISPUTE})

    id: UUID
    ride_id: UUID
    party: Annotated[str, Field(description="who opened it: rider or driver")]
    kind: DisputeKind
    text: str
    state: DisputeState
    currency: str
    opened_at: datetime
    appealed_at: datetime | None
    appeal_text: str | None
    decisions: list[DecisionView]

    @classmethod
    def to_party(cls, row: Any) -> Self:
        """Return it without what has not come to be."""
        decisions = [one for one in row["decisions"] if one["effective_at"] is not None]
        return cls.model_validate({**row, "decisions": decisions})


class DisputesView(BaseModel):
    """A page of disputes, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [_DISPUTE], "next_cursor": None}}
    )

    items: list[DisputeView]
    next_cursor: str | None


class StaffDisputeView(DisputeView):
    """A dispute as staff sees it."""

    model_config = ConfigDict(json_schema_extra={"example": _STAFF})

    opened_by: UUID
    rider_id: UUID
    driver_id: UUID
    decisions: list[StaffDecisionView]  # type: ignore[assignment]


class StaffDisputesView(BaseModel):
    """A page of disputes as staff sees them, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [_STAFF], "next_cursor": None}}
    )

    items: list[StaffDisputeView]
    next_cursor: str | None


class Invited(RequestModel):
    """Another rider, by the id of a member or by their number."""

    model_config = ConfigDict(json_schema_extra={"example": {"phone": "+423 234 56 78"}})

    member_id: UUID | None = None
    phone: Annotated[str, Field(min_length=5, max_length=30)] | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.member_id is None) == (self.phone is None):
            message = "name a member or a number, one of the two"
            raise ValueError(message)
        return self


class SplitRequest(RequestModel):
    """With whom the fare is shared: equal parts, yours among them."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"invited": [{"phone": "+423 234 56 78"}]}}
    )

    invited: Annotated[list[Invited], Field(min_length=1, max_length=MOST_INVITED)]


class PartView(BaseModel):
    """One invited rider's part, by the order in which you named them."""

    position: int
    state: PartState
    amount_minor: Annotated[int | None, Field(description="what they paid in the end")]


class SplitView(BaseModel):
    """How a fare is shared. What nobody accepts stays with you."""

    model_config = ConfigDict(json_schema_extra={"example": {"ride_id": _RIDE, "parts": [_PART]}})

    ride_id: UUID
    parts: list[PartView]


class OwnPartView(BaseModel):
    """Your part of somebody else's fare, and of nobody else's part anything."""

    model_config = ConfigDict(json_schema_extra={"example": _OWN_PART})

    ride_id: UUID
    rider_name: str
    state: PartState
    most_minor: Annotated[int, Field(description="you never pay more; it is held on acceptance")]
    amount_minor: int | None
    currency: str

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a part as its rider sees it."""
        asked = equal_parts(row["fare_minor"], invited=row["invited"])[row["position"]]
        return cls.model_validate({**row, "most_minor": row["most_minor"] or asked})


class OwnPartsView(BaseModel):
    """Your parts of others' fares, the newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [_OWN_PART]}})

    items: list[OwnPartView]
