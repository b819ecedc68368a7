"""API shapes of the fares' room."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.foundation.schemas import Position, RequestModel


class QuoteRequest(RequestModel):
    """From where to where, and for when."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "pickup": {"lat": 47.1410, "lng": 9.5209},
                "dropoff": {"lat": 47.0660, "lng": 9.5030},
                "pickup_at": "2026-11-23T06:30:00Z",
            }
        },
    )

    pickup: Position
    dropoff: Position
    pickup_at: Annotated[
        AwareDatetime | None,
        Field(description="be fetched then, 30 minutes to 30 days ahead; left out: now"),
    ] = None


class FareItemView(BaseModel):
    """One line of a price."""

    code: Annotated[str, Field(description="base, distance, time or minimum")]
    amount_minor: int


class StopView(BaseModel):
    """An end of a ride: the place on the road, and the street's name where the map has one."""

    lat: float
    lng: float
    name: str


def with_stops(row: Any) -> dict[str, Any]:
    """Return a row's columns, with both ends of the ride as one value each."""
    values = dict(row)
    for end in ("pickup", "dropoff"):
        values[end] = {part: values[f"{end}_{part}"] for part in ("lat", "lng", "name")}
    return values


class QuoteView(BaseModel):
    """A price that holds until ``expires_at``; booking it by its ``id`` locks it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1b",
                "pickup": {"lat": 47.1410, "lng": 9.5209, "name": "Städtle"},
                "dropoff": {"lat": 47.0660, "lng": 9.5030, "name": "Höfle"},
                "distance_m": 8820,
                "duration_s": 894,
                "is_estimate": False,
                "pickup_eta_s": 240,
                "pickup_at": None,
                "items": [
                    {"code": "base", "amount_minor": 600},
                    {"code": "distance", "amount_minor": 2822},
                    {"code": "time", "amount_minor": 1043},
                ],
                "currency": "CHF",
                "fare_minor": 4465,
                "commission_bp": 1500,
                "commission_minor": 669,
                "driver_net_minor": 3796,
                "policy_version_id": "019aab1c-2d3e-7f40-8a5b-000000000001",
                "expires_at": "2026-11-22T17:02:00Z",
            }
        }
    )

    id: UUID
    pickup: StopView
    dropoff: StopView
    distance_m: int
    duration_s: Annotated[int, Field(description="with a rider on board, as this city drives")]
    is_estimate: Annotated[bool, Field(description="true while the road engine is away")]
    pickup_eta_s: Annotated[
        int | None, Field(description="until a driver could be there, in whole minutes; no promise")
    ]
    pickup_at: Annotated[datetime | None, Field(description="booked ahead for then; null: now")]
    items: list[FareItemView]
    currency: str
    fare_minor: int
    commission_bp: Annotated[int, Field(description="the share in force, of 10,000")]
    commission_minor: int
    driver_net_minor: int
    policy_version_id: Annotated[UUID, Field(description="the decision that set the share")]
    expires_at: datetime
