"""API shapes of the transparency report."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

_INCOME = {
    "drivers": 38,
    "gini_before_refunds": 0.1432,
    "gini_after_refunds": 0.1405,
    "per_hour_before_minor": {"p10": 2204, "p50": 2751, "p90": 3388},
    "per_hour_after_minor": {"p10": 2238, "p50": 2790, "p90": 3431},
}
_REPORT: dict[str, Any] = {
    "period_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d",
    "cooperative": "Liechtenstein",
    "currency": "CHF",
    "since": "2025-12-31T23:00:00Z",
    "until": "2026-12-31T23:00:00Z",
    "published_at": "2027-01-20T09:00:00Z",
    "seal_height": 812,
    "seal_hash": "9f" * 32,
    "rides": 41250,
    "came_in": {"rides": 98_000_000, "other": 150_000},
    "of_ten": [
        {
            "words": "is the driver's at once, tips included",
            "amount_minor": 85_000_000,
            "of_ten_minor": 866,
        },
        {
            "words": "goes back to driver-members",
            "amount_minor": 13_150_000,
            "of_ten_minor": 134,
        },
    ],
    "rates": [
        {
            "key": "commission_bp",
            "value": 1300,
            "effective_from": "2026-05-22T15:20:00Z",
            "election_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1e",
        }
    ],
    "costs": {"servers": 420_000},
    "reserves_minor": 1_240_000,
    "reserve_months": 4.1,
    "income": _INCOME,
    "votes": [
        {
            "election_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1e",
            "on_the_roll": 81,
            "turnout": 0.877,
        }
    ],
    "fewest_shown": 10,
}


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": example})


class PartOfTen(BaseModel):
    """Where a part of all that came in went, and how much of each ten that is, in hundredths."""

    model_config = _example(_REPORT["of_ten"][0])

    words: str
    amount_minor: int
    of_ten_minor: int


class RateView(BaseModel):
    """A number that members vote on; without an election it is of the founding statutes."""

    model_config = _example(_REPORT["rates"][0])

    key: str
    value: float
    effective_from: datetime
    election_id: UUID | None


class Quantiles(BaseModel):
    """A tenth of the drivers had less than `p10`, half less than `p50`; each a mean of three."""

    p10: int
    p50: int
    p90: int


class IncomeView(BaseModel):
    """How unequal income per hour online was; 0 is equal, 1 is one who has it all."""

    model_config = _example(_INCOME)

    drivers: int
    gini_before_refunds: float
    gini_after_refunds: float
    per_hour_before_minor: Quantiles
    per_hour_after_minor: Quantiles


class TurnoutView(BaseModel):
    """A vote that was counted in the period."""

    model_config = _example(_REPORT["votes"][0])

    election_id: UUID
    on_the_roll: int
    turnout: Annotated[float | None, Field(description="null: fewer than ten voted, or did not")]


class ReportView(BaseModel):
    """What became of the money of a closed period, made of books that are sealed."""

    model_config = _example(_REPORT)

    period_id: UUID
    cooperative: str
    currency: str
    since: datetime
    until: datetime
    published_at: datetime
    seal_height: Annotated[int, Field(description="the seal up to which the books were read")]
    seal_hash: str
    rides: Annotated[int | None, Field(description="driven and paid; null: too few to be shown")]
    came_in: Annotated[dict[str, int], Field(description="minor units, by where it came from")]
    of_ten: list[PartOfTen]
    rates: list[RateView]
    costs: Annotated[dict[str, int], Field(description="minor units, by purpose")]
    reserves_minor: int
    reserve_months: Annotated[
        float | None, Field(description="so long they would pay such costs; null: there were none")
    ]
    income: Annotated[IncomeView | None, Field(description="null: too few drivers to be shown")]
    votes: list[TurnoutView]
    fewest_shown: Annotated[int, Field(description="of smaller groups no figure is shown")]


class ReportsView(BaseModel):
    """A page of reports, the newest period first."""

    model_config = _example({"items": [_REPORT], "next_cursor": None})

    items: list[ReportView]
    next_cursor: str | None
