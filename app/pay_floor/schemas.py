"""API shapes of the pay floor, in numbers and in plain words."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from app.foundation.money import decimal
from governance.pay_floor import Week, WeekPay

_WORDS = (
    "You were engaged for 21 h 30 min, from accepting a ride to its end, and drove 312.4 km to"
    " riders and with them. By the rates that members voted that makes CHF 516.00 at least. You"
    " earned CHF 490.00 without tips, so CHF 26.00 were added."
)
_WEEK: dict[str, Any] = {
    "week_start": "2026-05-17T22:00:00Z",
    "week_end": "2026-05-24T22:00:00Z",
    "state": "over",
    "engaged_s": 77_400,
    "distance_m": 312_400,
    "earned_minor": 49_000,
    "floor_minor": 51_600,
    "top_up_minor": 2_600,
    "words": _WORDS,
}


def in_words(pay: WeekPay, *, currency: str, is_over: bool) -> str:
    """Return how a week's floor comes about, as a driver would explain it."""
    hours, minutes = divmod(pay.engaged_s // 60, 60)
    floor, earned, top_up = (
        f"{currency} {decimal(minor, currency=currency)}"
        for minor in (pay.floor_minor, pay.earned_minor, pay.top_up_minor)
    )
    if pay.top_up_minor == 0:
        end = "which is as much or more, so nothing is added."
    elif is_over:
        end = f"so {top_up} were added."
    else:
        end = f"so {top_up} would be added if the week ended now."
    return (
        f"You were engaged for {hours} h {minutes} min, from accepting a ride to its end, and"
        f" drove {pay.distance_m / 1000:.1f} km to riders and with them. By the rates that members"
        f" voted that makes {floor} at least. You earned {earned} without tips, {end}"
    )


class WeekView(BaseModel):
    """A calendar week by the cooperative's own clocks."""

    week_start: datetime
    week_end: datetime
    state: Literal["running", "over"]
    engaged_s: Annotated[int, Field(description="time of several rides at once counts once")]
    distance_m: Annotated[int, Field(description="to riders and with them")]
    earned_minor: Annotated[int, Field(description="without tips and without laid-out tolls")]
    floor_minor: int
    top_up_minor: Annotated[int, Field(description="floor - earned, or 0")]
    words: str

    @classmethod
    def of(cls, pay: WeekPay, *, week: Week, currency: str, is_over: bool) -> Self:
        """Return a week as it is shown."""
        return cls(
            week_start=week.start,
            week_end=week.end,
            state="over" if is_over else "running",
            engaged_s=pay.engaged_s,
            distance_m=pay.distance_m,
            earned_minor=pay.earned_minor,
            floor_minor=pay.floor_minor,
            top_up_minor=pay.top_up_minor,
            words=in_words(pay, currency=currency, is_over=is_over),
        )


class PayFloorView(BaseModel):
    """The rates in force, the week that runs, and those before it, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "currency": "CHF",
                "per_hour_minor": 2400,
                "per_km_minor": 0,
                "running": _WEEK | {"state": "running"},
                "weeks": [_WEEK],
            }
        }
    )

    currency: str
    per_hour_minor: Annotated[int, Field(description="for an hour engaged, as members voted")]
    per_km_minor: Annotated[int, Field(description="for a km driven, as members voted")]
    running: WeekView
    weeks: list[WeekView]
