"""API shapes of the dispatch room: an offer's card, and why it was made."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.dispatch.models import OfferState
from app.fares.schemas import StopView, with_stops
from app.payments.rules import Method
from app.rides.lifecycle import RideState
from matching.passed_over import WhyNot
from matching.pooling.words import StopKind


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
                "seats": 1,
                "wheelchair": False,
                "shared": False,
                "added_s": None,
                "currency": "CHF",
                "fare_minor": 4465,
                "commission_bp": 1500,
                "commission_minor": 669,
                "driver_net_minor": 3796,
                "payment_method": "cash",
                "pickup_from": None,
                "pickup_until": None,
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
    seats: Annotated[int, Field(description="how many the rider's party are")]
    wheelchair: Annotated[
        bool, Field(description="one of them stays in a wheelchair; only cars that take one")
    ]
    shared: Annotated[bool, Field(description="others may ride along part of the way")]
    added_s: Annotated[
        int | None,
        Field(description="joins your shared ride: how much longer your way gets; else null"),
    ]
    currency: str
    fare_minor: int
    commission_bp: int
    commission_minor: int
    driver_net_minor: int
    payment_method: Annotated[
        Method, Field(description="cash is given to you, and the books net it")
    ]
    pickup_from: Annotated[
        datetime | None,
        Field(description="booked ahead: be there from then on; waiting for it is not a no-show"),
    ]
    pickup_until: Annotated[
        datetime | None, Field(description="booked ahead: be there by then; null for rides now")
    ]


class OffersView(BaseModel):
    """Your open offers: at most one."""

    items: list[OfferView]


class CostTermView(BaseModel):
    """One part of the cost by which riders and drivers were paired, in seconds, and in words."""

    name: str
    label: str
    cost_s: float


class PolicyUsedView(BaseModel):
    """A decision of the members that this round followed."""

    key: str
    version_id: UUID
    value: int


class ExplanationView(BaseModel):
    """Why this ride was offered to you."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "candidates": 7,
                "rank": 1,
                "terms": [
                    {"name": "pickup", "label": "the drive to the pickup", "cost_s": 210.0},
                    {
                        "name": "age_credit",
                        "label": "what the rider has waited already",
                        "cost_s": -2.4,
                    },
                ],
                "cost_s": 207.6,
                "runner_up_cost_s": 244.0,
                "runner_up_took_another_ride": False,
                "rider_price_s": 244.0,
                "driver_price_s": -36.4,
                "gap": 0.0,
                "riders": 3,
                "drivers": 12,
                "solver": "or-tools min-cost flow",
                "solver_version": "9.15.6755",
                "program_version": "0.1.0",
                "fallback": None,
                "weights": {"age_credit": 0.3, "unserved_s": 3000.0, "fairness_s": 0.0},
                "policies": [
                    {
                        "key": "offer_time_s",
                        "version_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1e",
                        "value": 15,
                    }
                ],
                "is_estimate": False,
                "added_s": None,
                "language": "en",
                "sentences": [
                    "7 drivers were near enough, you among them.",
                    "Nobody could have been there sooner.",
                    "The next best choice would have cost 36 seconds more.",
                    "Declining costs you nothing.",
                ],
                "sentence": "7 drivers were near enough, you among them. Nobody could have been"
                " there sooner. The next best choice would have cost 36 seconds more. Declining"
                " costs you nothing.",
            }
        }
    )

    candidates: Annotated[int, Field(description="drivers who were considered for this ride")]
    rank: Annotated[int, Field(description="1: nobody among them could be there sooner")]
    terms: Annotated[list[CostTermView], Field(description="they add up to `cost_s`")]
    cost_s: float
    runner_up_cost_s: Annotated[
        float | None, Field(description="what the cheapest other driver would have cost")
    ]
    runner_up_took_another_ride: bool | None
    rider_price_s: Annotated[
        float | None, Field(description="dual price: what this rider added to the whole round")
    ]
    driver_price_s: Annotated[
        float | None,
        Field(description="dual price: minus what the round would have cost more without you"),
    ]
    gap: Annotated[
        float | None, Field(description="proven: no pairing is better by more than this share")
    ]
    riders: Annotated[int, Field(description="riders in the same round")]
    drivers: Annotated[int, Field(description="drivers in the same round")]
    solver: str
    solver_version: str
    program_version: str | None
    fallback: Annotated[str | None, Field(description="why a quicker method had to choose")]
    weights: Annotated[dict[str, float], Field(description="what counted how much")]
    policies: list[PolicyUsedView]
    is_estimate: bool
    added_s: Annotated[
        float | None, Field(description="joins your shared ride: how much longer your way gets")
    ]
    language: Annotated[str, Field(description="of the words: en, nl or fr")]
    sentences: list[str]
    sentence: Annotated[str, Field(description="all sentences in one")]


class RoundView(BaseModel):
    """A round of dispatch in which you could have been asked and were not."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "tick_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1f",
                "at": "2026-11-22T17:00:02Z",
                "riders": 3,
                "drivers": 12,
                "offers": 3,
            }
        }
    )

    tick_id: UUID
    at: datetime
    riders: int
    drivers: int
    offers: int


class RoundsView(BaseModel):
    """A page of rounds, the newest first."""

    items: list[RoundView]
    next_cursor: str | None


class RoundExplanationView(BaseModel):
    """Why you got no ride in a round, seen from the rider nearest to you. It names nobody."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "tick_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1f",
                "at": "2026-11-22T17:00:02Z",
                "why": "nearer_driver",
                "riders": 3,
                "drivers": 12,
                "riders_in_reach": 2,
                "candidates": 7,
                "rank": 2,
                "pickup_s": 180.0,
                "terms": [{"name": "pickup", "label": "the drive to the pickup", "cost_s": 180.0}],
                "cost_s": 180.0,
                "chosen_pickup_s": 95.0,
                "chosen_cost_s": 95.0,
                "extra_s": 85.0,
                "language": "en",
                "sentences": [
                    "2 riders within your reach were looking for a driver.",
                    "Another driver could be there 85 seconds sooner.",
                ],
                "sentence": "2 riders within your reach were looking for a driver. Another driver"
                " could be there 85 seconds sooner.",
            }
        }
    )

    tick_id: UUID
    at: datetime
    why: WhyNot
    riders: Annotated[int, Field(description="riders in the round")]
    drivers: Annotated[int, Field(description="drivers in the round")]
    riders_in_reach: Annotated[int, Field(description="riders for whom you were considered")]
    candidates: Annotated[int, Field(description="drivers considered for the rider nearest to you")]
    rank: Annotated[int | None, Field(description="yours among them; 1: nobody sooner")]
    pickup_s: Annotated[float | None, Field(description="your drive to that rider")]
    terms: Annotated[list[CostTermView], Field(description="yours; they add up to `cost_s`")]
    cost_s: float | None
    chosen_pickup_s: Annotated[float | None, Field(description="the chosen driver's drive")]
    chosen_cost_s: Annotated[float | None, Field(description="what that choice cost in all")]
    extra_s: Annotated[
        float | None, Field(description="what the whole round would have cost more with you")
    ]
    language: Annotated[str, Field(description="of the words: en, nl or fr")]
    sentences: list[str]
    sentence: Annotated[str, Field(description="all sentences in one")]


class RunStopView(BaseModel):
    """Where to stop next, for whom, and whether they get in or out."""

    ride_id: UUID
    kind: StopKind
    place: StopView
    state: Annotated[RideState, Field(description="of the ride: `arrived` if you stand there")]
    rider_name: str
    seats: int


class RunView(BaseModel):
    """Everything you have still to do, in the order that keeps what was promised to everybody."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "shared": True,
                "stops": [
                    {
                        "ride_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1c",
                        "kind": "pickup",
                        "place": {"lat": 47.1410, "lng": 9.5209, "name": "Städtle"},
                        "state": "assigned",
                        "rider_name": "Ada",
                        "seats": 1,
                    },
                    {
                        "ride_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1c",
                        "kind": "dropoff",
                        "place": {"lat": 47.0660, "lng": 9.5030, "name": "Höfle"},
                        "state": "assigned",
                        "rider_name": "Ada",
                        "seats": 1,
                    },
                ],
            }
        }
    )

    shared: Annotated[bool, Field(description="others may still join")]
    stops: Annotated[list[RunStopView], Field(description="none while you drive nobody")]


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
    added_s = row["explanation"].get("added_s")
    values = with_stops(row) | {
        "shared": row["is_shared"],
        "wheelchair": row["with_wheelchair"],
        "added_s": None if added_s is None else round(added_s),
    }
    return OfferView.model_validate(values).model_dump(mode="json")
