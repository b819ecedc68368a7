"""API shapes of the outlook's room: a hint, and why there is none."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.fares.schemas import StopView
from app.outlook.models import Basis


class Advice(StrEnum):
    """What a driver is advised: to wait elsewhere, or why nothing."""

    WAIT_THERE = "wait_there"
    STAND_WELL = "stand_well"
    HAS_RIDE = "has_ride"
    OFF_SHIFT = "off_shift"


class WaitingPlaceView(BaseModel):
    """Where to wait, and the numbers that are the reason."""

    place: StopView
    drive_s: Annotated[int, Field(description="the drive there from where you were")]
    expected_requests: Annotated[float, Field(description="riders who will ask there, on average")]
    within_s: Annotated[int, Field(description="the time in which they are expected")]
    drivers_there: Annotated[int, Field(description="others who are there or were sent there")]
    based_on: Annotated[
        Basis,
        Field(
            description="`history`: the cooperative's own rides; `city`: a guess for such a city"
        ),
    ]
    made_at: datetime
    good_until: datetime


class HintView(BaseModel):
    """Advice where to wait. Following it or not has no effect on anything."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "advice": "wait_there",
                "hint": {
                    "place": {"lat": 47.1410, "lng": 9.5209, "name": "Städtle"},
                    "drive_s": 240,
                    "expected_requests": 3.1,
                    "within_s": 1800,
                    "drivers_there": 1,
                    "based_on": "history",
                    "made_at": "2026-11-22T17:00:00Z",
                    "good_until": "2026-11-22T17:14:00Z",
                },
                "language": "en",
                "sentences": [
                    "A better place to wait: Städtle, about 4 minutes' drive away.",
                    "About 3 riders are expected there in the next 30 minutes.",
                    "One other driver is there or on the way there.",
                    "This is advice: following it or not has no effect on anything.",
                ],
                "sentence": "A better place to wait: Städtle, about 4 minutes' drive away. About"
                " 3 riders are expected there in the next 30 minutes. One other driver is there or"
                " on the way there. This is advice: following it or not has no effect on anything.",
            }
        }
    )

    advice: Advice
    hint: Annotated[WaitingPlaceView | None, Field(description="only with `wait_there`")]
    language: str
    sentences: list[str]
    sentence: str
