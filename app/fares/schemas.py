"""API shapes of the fares' room."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.foundation.schemas import Moment, Position, RequestModel


class QuoteRequest(RequestModel):
    """From where to where, for how many, when, and whether together with others."""

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
        Moment | None,
        Field(description="be fetched then, 30 minutes to 30 days ahead; left out: now"),
    ] = None
    seats: Annotated[int, Field(ge=1, le=8, description="how many you are")] = 1
    shared: Annotated[
        bool,
        Field(description="others may ride along part of the way, for less; for rides now only"),
    ] = False

    wheelchair: Annotated[
        bool,
        Field(description="you stay in one: only cars that take it come; it never costs more"),
    ] = False

    @model_validator(mode="after")
    def _shares_now(self) -> Self:
        if self.shared and self.pickup_at is not None:
            message = "a shared ride is for now: leave out pickup_at, or share nothing"
            raise ValueError(message)
        return self


class FareItemView(BaseModel):
    """One line of a price."""

    code: Annotated[
        str,
        Field(
            description="of the price: `base`, `distance`, `time`, `minimum` (fills up to it),"
            " `fixed`, `night`, `zone`, `surge`, `shared` (what sharing saves you), `legal_most`"
            " and `legal_least` (what the law takes off or asks); passed through without a share:"
            " `airport`, `toll`, `tax`; afterwards: `waiting`; instead: `cancellation`, `no_show`"
        ),
    ]
    amount_minor: Annotated[int, Field(description="below zero: what it costs less")]


class SurgeView(BaseModel):
    """How much more a ride costs because few drivers are near; what it brings is shared as all is.

    Each ride that waits near the pickup and for which no free driver is near adds one step.
    """

    multiplier_bp: Annotated[int, Field(description="10,000 is once: nothing more")]
    cap_bp: Annotated[int, Field(description="the most that the members allow")]
    policy_version_id: Annotated[
        UUID | None, Field(description="the decision that set the cap; null: of before surge")
    ]
    goes_to: Annotated[str, Field(description="who gets it")] = (
        "the driver, less the voted share, as of every part of the price"
    )


class TermsView(BaseModel):
    """What waiting and not riding cost, said before anything is booked."""

    free_wait_s: Annotated[int, Field(description="the driver waits so long for nothing")]
    wait_per_minute_minor: Annotated[int, Field(description="afterwards, by the second")]
    grace_s: Annotated[int, Field(description="cancel free so long after a driver set out")]
    late_after_s: Annotated[
        int, Field(description="cancel free if the driver is later than promised by more")
    ]
    cancellation_minor: Annotated[int, Field(description="for cancelling later")]
    no_show_minor: Annotated[int, Field(description="for not coming in the free waiting time")]
    vat_bp: Annotated[int, Field(description="the value-added tax in the price")]
    vat_remitted_by: Annotated[str, Field(description="driver, cooperative or nobody")]


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
                "seats": 1,
                "shared": True,
                "max_wait_s": 600,
                "max_delay_s": 779,
                "arrival_eta_s": 1260,
                "items": [
                    {"code": "base", "amount_minor": 600},
                    {"code": "distance", "amount_minor": 2822},
                    {"code": "time", "amount_minor": 1043},
                    {"code": "shared", "amount_minor": -893},
                ],
                "currency": "CHF",
                "fare_minor": 3572,
                "pass_through_minor": 0,
                "surge": {
                    "multiplier_bp": 10000,
                    "cap_bp": 10000,
                    "policy_version_id": "019aab1c-2d3e-7f40-8a5b-000000000002",
                    "goes_to": "the driver, less the voted share, as of every part of the price",
                },
                "terms": {
                    "free_wait_s": 180,
                    "wait_per_minute_minor": 70,
                    "grace_s": 120,
                    "late_after_s": 300,
                    "cancellation_minor": 600,
                    "no_show_minor": 1000,
                    "vat_bp": 0,
                    "vat_remitted_by": "nobody",
                },
                "wheelchair": False,
                "plain_fare_minor": None,
                "solo_fare_minor": 4465,
                "commission_bp": 1500,
                "commission_minor": 535,
                "driver_net_minor": 3037,
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
    seats: Annotated[int, Field(description="how many you are")]
    shared: Annotated[bool, Field(description="others may ride along part of the way")]
    max_wait_s: Annotated[
        int | None, Field(description="nobody joins who would make you wait longer; null: alone")
    ]
    max_delay_s: Annotated[
        int | None,
        Field(
            description="nobody joins who would make you arrive later than a ride at once and alone"
            " would by more than this, waiting counted; null: alone"
        ),
    ]
    arrival_eta_s: Annotated[
        int | None, Field(description="of a shared ride, in whole minutes; no promise")
    ]
    items: list[FareItemView]
    currency: str
    fare_minor: Annotated[int, Field(description="holds, whether or not anybody rides along")]
    pass_through_minor: Annotated[
        int, Field(description="of it: tolls, fees and taxes, of which nobody takes a share")
    ]
    surge: SurgeView
    terms: TermsView
    wheelchair: bool
    plain_fare_minor: Annotated[
        int | None, Field(description="with a wheelchair: what it costs without, never less")
    ]
    solo_fare_minor: Annotated[
        int | None, Field(description="what the same ride costs alone; null: this is alone")
    ]
    commission_bp: Annotated[int, Field(description="the share in force, of 10,000")]
    commission_minor: int
    driver_net_minor: int
    policy_version_id: Annotated[UUID, Field(description="the decision that set the share")]
    expires_at: datetime
