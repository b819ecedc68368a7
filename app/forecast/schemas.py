"""API shapes of a member's own year at each share."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

_EXAMPLE: dict[str, Any] = {
    "currency": "CHF",
    "since": "2025-05-21T22:00:00Z",
    "until": "2026-05-21T22:00:00Z",
    "first_ride_at": "2025-06-02T07:12:00Z",
    "assumption": "This assumes that the same rides would have been driven at the same fares.",
    "status_quo_bp": 1500,
    "break_even_bp": 984,
    "floor_bp": 1000,
    "ceiling_bp": 2000,
    "rides_driven": 1140,
    "rides_taken": 0,
    "shares": [
        {
            "commission_bp": 1200,
            "as_driver": {
                "fares_minor": 4200000,
                "net_minor": 3696000,
                "refund_minor": 17942,
                "keeps_minor": 3713942,
            },
            "as_rider": None,
            "reserve_months": 1.5,
            "solidarity_months": None,
            "solidarity_minor": 26250,
            "surplus_minor": 260000,
        }
    ],
}

_FARES = "without tolls and tax that only pass through: the share is taken of the rest"


class DriverYearView(BaseModel):
    """What you would have kept as a driver."""

    fares_minor: Annotated[int, Field(description=_FARES)]
    net_minor: Annotated[int, Field(description="your fares less the cooperative's share")]
    refund_minor: Annotated[int, Field(description="your part of what would have been left")]
    keeps_minor: int


class RiderYearView(BaseModel):
    """What your fares contained as a rider."""

    fares_minor: Annotated[int, Field(description=_FARES)]
    commission_minor: Annotated[int, Field(description="what went to the cooperative")]
    to_drivers_minor: int


class YearAtShareView(BaseModel):
    """Your own year at one share, and what that share would have done to everybody's funds."""

    commission_bp: int
    as_driver: DriverYearView | None
    as_rider: RiderYearView | None
    reserve_months: Annotated[
        float | None, Field(description="how long the reserve would pay the costs; below 0 a debt")
    ]
    solidarity_months: Annotated[
        float | None, Field(description="how long the fund would pay; null: it has no claims yet")
    ]
    solidarity_minor: Annotated[int, Field(description="what would have gone into that fund")]
    surplus_minor: Annotated[int, Field(description="below 0 a deficit")]


class OwnYearView(BaseModel):
    """Your last twelve months, or what there is of them, at every share you can vote for."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    currency: str
    since: datetime
    until: Annotated[datetime, Field(description="this morning; your rides of today are left out")]
    first_ride_at: Annotated[datetime | None, Field(description="of yours in that time")]
    assumption: str
    status_quo_bp: int
    break_even_bp: Annotated[
        int | None, Field(description="the share that just pays for the costs, rounded up")
    ]
    floor_bp: Annotated[int | None, Field(description="the same on the grid of ballots")]
    ceiling_bp: int
    rides_driven: int
    rides_taken: int
    shares: list[YearAtShareView]


class ReplayedView(BaseModel):
    """What the simulated month came to at one value."""

    value: int
    requests: int
    served_share: float
    wait_mean_s: float | None
    wait_95_s: float | None
    empty_share: Annotated[float, Field(description="of all kilometres, those without a rider")]
    income_per_hour_minor: Annotated[
        float | None, Field(description="the middle driver's; null for fewer than 10 drivers")
    ]
    low_income_per_hour_minor: Annotated[
        float | None, Field(description="what a tenth of the drivers is below; null for few")
    ]
    gini_income_per_hour: float | None


class PolicyForecastView(BaseModel):
    """The last replayed month at several values of a dispatch policy: a simulation."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "key": "fairness_weight_s",
                "since": "2026-03-31T22:00:00Z",
                "until": "2026-04-30T22:00:00Z",
                "computed_at": "2026-05-02T03:00:00Z",
                "assumption": "This is a simulation of that month's riders and drivers.",
                "values": [
                    {
                        "value": 120,
                        "requests": 61240,
                        "served_share": 0.981,
                        "wait_mean_s": 244.0,
                        "wait_95_s": 531.0,
                        "empty_share": 0.31,
                        "income_per_hour_minor": 2810.0,
                        "low_income_per_hour_minor": 2304.0,
                        "gini_income_per_hour": 0.082,
                    }
                ],
            }
        }
    )

    key: str
    since: datetime
    until: datetime
    computed_at: datetime
    assumption: str
    values: list[ReplayedView]
