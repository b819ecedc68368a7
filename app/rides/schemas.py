"""API shapes of the rides' room: each party sees what it needs, and no more."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.fares.schemas import FareItemView, QuoteView, StopView, with_stops
from app.fares.terms import Verdict
from app.foundation.schemas import Position, RequestModel
from app.payments.rules import Method
from app.rides.lifecycle import RideState

Reason = Annotated[
    str, Field(max_length=200, description="in your own words; the other side reads it")
]


class RideRequest(RequestModel):
    """Book the price of a quote."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "quote_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1b",
                "payment_method": "balance",
            }
        },
    )

    quote_id: UUID
    payment_method: Annotated[
        Method,
        Field(description="your account, your default card, cash, or the client who pays for you"),
    ] = Method.BALANCE


class RideRequested(BaseModel):
    """A ride that was booked; one booked ahead has a pickup window."""

    id: UUID
    state: RideState
    fare_minor: int
    pickup_from: datetime | None
    pickup_until: datetime | None
    shared: bool


class Cancellation(RequestModel):
    """Why a ride will not take place."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"reason": "My train came after all."}}
    )

    reason: Reason = ""


class RideCancellation(Cancellation):
    """Why a ride will not take place, and how much that may cost at most."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"reason": "My train came after all.", "most_fee_minor": 0}},
    )

    most_fee_minor: Annotated[
        int | None,
        Field(ge=0, description="if it costs more, nothing is cancelled; left out: whatever it is"),
    ] = None


class CancellationView(BaseModel):
    """What it costs to cancel a ride now, why, and who gets it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "fee_minor": 0,
                "currency": "CHF",
                "why": "within_grace",
                "free_until": "2026-11-22T17:02:08Z",
                "driver_gets_minor": 0,
                "cooperative_gets_minor": 0,
            }
        }
    )

    fee_minor: int
    currency: str
    why: Annotated[
        Verdict,
        Field(
            description="free: `nobody_on_the_way`, `within_grace`, `driver_late` (later than"
            " promised), `by_the_platform`, `no_fee` (the tariff asks none); not free:"
            " `cancelled_late`, `did_not_come` (the free waiting time is over)"
        ),
    ]
    free_until: Annotated[datetime | None, Field(description="it costs nothing until then")]
    driver_gets_minor: int
    cooperative_gets_minor: Annotated[int, Field(description="the voted share")]


class ChangeRequest(RequestModel):
    """Where to go instead."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"dropoff": {"lat": 47.1067, "lng": 9.5282}}}
    )

    dropoff: Position


class ChangeView(BaseModel):
    """Another drop-off and its price; unless it is accepted in time, nothing changes."""

    id: UUID
    ride_id: UUID
    fare_before_minor: int
    quote: QuoteView
    accepted: bool


class CarView(BaseModel):
    """How to recognise the car, and the driver's first name."""

    driver_name: str
    make: str
    model: str
    colour: str
    plate: str


class SettlementView(BaseModel):
    """What a ride cost in the end, line by line, and who got which part."""

    kind: Annotated[str, Field(description="`fare`, or `fee` of a ride that did not take place")]
    items: list[FareItemView]
    fare_minor: int
    pass_through_minor: Annotated[int, Field(description="of which nobody took a share")]
    remitted_minor: Annotated[int, Field(description="of which this is owed to others")]
    commission_minor: int
    driver_net_minor: int
    vat_bp: int
    vat_minor: int
    vat_remitted_by: str
    settled_at: datetime


class RideView(BaseModel):
    """A ride as one of its parties sees it; ``fare_minor`` and its parts are those of the price."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1c",
                "state": "assigned",
                "rider_name": "Ada",
                "car": {
                    "driver_name": "Bo",
                    "make": "Skoda",
                    "model": "Enyaq",
                    "colour": "green",
                    "plate": "FL 12345",
                },
                "pickup": {"lat": 47.1410, "lng": 9.5209, "name": "Städtle"},
                "dropoff": {"lat": 47.0660, "lng": 9.5030, "name": "Höfle"},
                "distance_m": 8820,
                "duration_s": 894,
                "seats": 1,
                "shared": False,
                "sharing_with": 0,
                "wheelchair": False,
                "currency": "CHF",
                "fare_minor": 4465,
                "commission_bp": 1500,
                "commission_minor": 669,
                "driver_net_minor": 3796,
                "payment_method": "card",
                "policy_version_id": "019aab1c-2d3e-7f40-8a5b-000000000001",
                "requested_at": "2026-11-22T17:00:00Z",
                "pickup_from": None,
                "pickup_until": None,
                "assigned_at": "2026-11-22T17:00:08Z",
                "promised_at": "2026-11-22T17:03:38Z",
                "arrived_at": None,
                "started_at": None,
                "ended_at": None,
                "cancelled_by": None,
                "reason": None,
                "settlement": None,
            }
        }
    )

    id: UUID
    state: RideState
    rider_name: str
    car: CarView | None
    pickup: StopView
    dropoff: StopView
    distance_m: int
    duration_s: int
    seats: Annotated[int, Field(description="how many the rider's party are")]
    shared: Annotated[bool, Field(description="others may ride along part of the way")]
    sharing_with: Annotated[
        int, Field(description="other parties in the car now, or about to be; never who or where")
    ]
    wheelchair: Annotated[bool, Field(description="the rider brings one")]
    currency: str
    fare_minor: int
    commission_bp: int
    commission_minor: int
    driver_net_minor: int
    payment_method: Annotated[Method, Field(description="cash is given to the driver")]
    policy_version_id: UUID
    requested_at: datetime
    pickup_from: Annotated[datetime | None, Field(description="of a ride booked ahead")]
    pickup_until: Annotated[
        datetime | None, Field(description="until when the car is on time; null for rides now")
    ]
    assigned_at: datetime | None
    promised_at: Annotated[
        datetime | None,
        Field(description="the driver is to be at the pickup by then; later is the driver's fault"),
    ]
    arrived_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    cancelled_by: str | None
    reason: str | None
    settlement: Annotated[SettlementView | None, Field(description="null: it cost nothing yet")]


class RidesView(BaseModel):
    """A page of rides, newest first; ``next_cursor`` leads to the page after it."""

    items: list[RideView]
    next_cursor: str | None


def ride_view(row: Any) -> dict[str, Any]:
    """Return the API's form of a ride."""
    values = with_stops(row)
    car = {name: values[name] for name in CarView.model_fields} if values["driver_id"] else None
    flags = {"shared": values["is_shared"], "wheelchair": values["with_wheelchair"]}
    view = RideView.model_validate({**values, "car": car, **flags})
    return view.model_dump(mode="json")
