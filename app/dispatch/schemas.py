"""API shapes of the dispatch room: an offer's card, and why it was made."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.dispatch.models import OfferState
from app.fares.schemas import StopView, with_stops


class OfferView(BaseModel):
    """A ride on offer, with all that a driver needs to decide. Declining costs nothing, ever."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d",
                "ride_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1c",
                "state": "open",
                "offered_at": "2026-11-22T17:00:02Z",
                "expires_at": "2026-11-22T17:00:17Z",
                "pickup_s": 210,
                "pickup_m": 1480,
                "pickup": {"lat": 47.1410, "lng": 9.5209, "name": "Städtle"},
                "dropoff": {"lat": 47.0660, "lng": 9.5030, "name": "Höfle"},
                "distance_m": 8820,
                "duration_s": 894,
                "currency": "CHF",
                "fare_minor": 4465,
                "commission_bp": 1500,
                "commission_minor": 669,
                "driver_net_minor": 3796,
            }
        }
    )

    id: UUID
    ride_id: UUID
    state: OfferState
    offered_at: datetime
    expires_at: datetime
    pickup_s: Annotated[int, Field(description="the drive to the pickup, as this city drives")]
    pickup_m: Annotated[int, Field(description="to the pickup as the crow flies")]
    pickup: StopView
    dropoff: StopView
    distance_m: int
    duration_s: int
    currency: str
    fare_minor: int
    commission_bp: int
    commission_minor: int
    driver_net_minor: int


class OffersView(BaseModel):
    """Your open offers: at most one."""

    items: list[OfferView]


class CostTermView(BaseModel):
    """One named part of the cost by which riders and drivers were paired, in seconds."""

    name: str
    cost_s: float


class ExplanationView(BaseModel):
    """Why this ride was offered to you."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "candidates": 7,
                "rank": 1,
                "terms": [
                    {"name": "pickup", "cost_s": 210.0},
                    {"name": "age_credit", "cost_s": -2.4},
                ],
                "cost_s": 207.6,
                "runner_up_cost_s": 244.0,
                "runner_up_took_another_ride": False,
                "riders": 3,
                "drivers": 12,
                "solver": "ortools min cost flow",
                "solver_version": "9.15",
                "is_estimate": False,
                "sentence": "7 drivers were near enough. You were the 1st nearest by driving time.",
            }
        }
    )

    candidates: Annotated[int, Field(description="drivers who were considered for this ride")]
    rank: Annotated[int, Field(description="1: nobody among them could be there sooner")]
    terms: list[CostTermView]
    cost_s: float
    runner_up_cost_s: float | None
    runner_up_took_another_ride: bool | None
    riders: Annotated[int, Field(description="riders in the same round")]
    drivers: Annotated[int, Field(description="free drivers in the same round")]
    solver: str
    solver_version: str
    is_estimate: bool
    sentence: str


class OfferAccepted(BaseModel):
    """The ride is yours."""

    offer_id: UUID
    ride_id: UUID
    state: OfferState


class OfferDeclined(BaseModel):
    """The ride goes to somebody else; this has no other effect."""

    offer_id: UUID
    state: OfferState


def offer_view(row: Any) -> dict[str, Any]:
    """Return the API's form of an offer."""
    return OfferView.model_validate(with_stops(row)).model_dump(mode="json")
