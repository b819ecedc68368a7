"""API shapes of tariffs."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from app.fares.schemas import FareItemView
from app.fares.words import EXAMPLE_DISTANCE_M, EXAMPLE_DURATION_S, describe, example
from app.foundation.schemas import Moment, RequestModel
from app.tariff import Tariff, read_tariff

TARIFF_EXAMPLE: dict[str, JsonValue] = {
    "base_minor": 600,
    "per_km_minor": 330,
    "per_minute_minor": 70,
    "minimum_minor": 1000,
    "free_wait_s": 180,
    "wait_per_minute_minor": 70,
    "nights": [{"name": "Night", "begins": "22:00", "ends": "06:00", "share_bp": 2000}],
    "zones": [{"name": "Airfield", "corners": [[47.10, 9.50], [47.10, 9.51], [47.11, 9.51]]}],
    "charges": [{"name": "Gate", "code": "airport", "amount_minor": 400, "zone": "Airfield"}],
    "fees": {"cancellation_minor": 600, "no_show_minor": 1000},
}


class TariffProposed(RequestModel):
    """A whole tariff, from when it is to be in force, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "tariff": TARIFF_EXAMPLE,
                "effective_from": "2026-12-01T00:00:00+01:00",
                "reason": "Electricity costs a tenth more.",
            }
        },
    )

    tariff: Tariff
    effective_from: Moment
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class ProposalView(BaseModel):
    """A proposed tariff and what became of it."""

    id: UUID
    tariff: Tariff
    in_words: list[str]
    reason: str
    effective_from: datetime
    proposed_by: UUID
    proposed_at: datetime
    released_by: UUID | None
    released_at: datetime | None
    withdrawn_by: UUID | None
    withdrawn_at: datetime | None


class ProposalsView(BaseModel):
    """Proposed tariffs, the newest first; ``next_cursor`` leads to the page after it."""

    items: list[ProposalView]
    next_cursor: str | None


class ExampleView(BaseModel):
    """What a ride of 5 km and 10 minutes costs on a Wednesday noon, outside all zones."""

    distance_m: int
    duration_s: int
    items: list[FareItemView]
    fare_minor: int


class TariffView(BaseModel):
    """A tariff in plain words, by an example, and as the program reads it."""

    id: UUID
    effective_from: datetime
    in_force: bool
    currency: str
    in_words: list[str]
    example: ExampleView
    tariff: Tariff


class TariffsView(BaseModel):
    """The tariffs to come, the one in force and those of before, the latest first."""

    items: list[TariffView]


def proposal_view(row: Any, *, currency: str) -> dict[str, Any]:
    """Return the API's form of a proposed tariff."""
    tariff = Tariff.model_validate(row["document"])
    words = describe(tariff, currency=currency)
    view = ProposalView.model_validate({**row, "tariff": tariff, "in_words": words})
    return view.model_dump(mode="json")


def tariff_view(row: Any) -> TariffView:
    """Return the API's form of a released tariff."""
    tariff = read_tariff(row)
    items = example(tariff, time_zone=ZoneInfo(row["time_zone"]))
    return TariffView(
        id=row["id"],
        effective_from=row["effective_from"],
        in_force=row["is_in_force"],
        currency=row["currency"],
        in_words=describe(tariff, currency=row["currency"]),
        example=ExampleView(
            distance_m=EXAMPLE_DISTANCE_M,
            duration_s=EXAMPLE_DURATION_S,
            items=[FareItemView(code=x.code, amount_minor=x.amount_minor) for x in items],
            fare_minor=sum(item.amount_minor for item in items),
        ),
        tariff=tariff,
    )
