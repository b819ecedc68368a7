"""How guests pay, and what they are told by text message: without any I/O."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from app.rides.lifecycle import RideState

MOST_TRIES: Final = 5
PAUSE: Final = timedelta(seconds=60)  # longer than a round of texts may take
# News that are older help nobody who stands at the kerb.
NEWS_LAST: Final = timedelta(minutes=30)
# A ride is booked at most 30 days ahead: one of before is over.
RIDES_LAST: Final = timedelta(days=32)


class GuestMethod(StrEnum):
    """How a guest's ride is paid: never from what another person has set up for themselves."""

    CASH = "cash"
    INVOICE = "invoice"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a guest is told about: the state of a ride, and the car that comes for it.

    `expected_at` is when the driver is to be at the pickup.
    """

    cooperative: str
    time_zone: str
    state: str
    driver_name: str | None = None
    car: str | None = None
    expected_at: datetime | None = None


_WORDS: Final = MappingProxyType(
    {
        RideState.ASSIGNED: "{driver} comes for you{when}. Car: {car}.",
        RideState.ARRIVED: "{driver} is there for you. Car: {car}.",
        RideState.NO_DRIVER: "no driver was found for your ride. Please call again.",
        RideState.CANCELLED: "your ride was called off. Please call if you still need it.",
    }
)
TOLD: Final = tuple(str(state) for state in _WORDS)


def text_of(news: News) -> str:
    """Return a text message: who comes, in which car and when, by the city's clock; no place."""
    zone = ZoneInfo(news.time_zone)
    expected_at = news.expected_at and news.expected_at.astimezone(zone)
    when = f" at about {expected_at:%H:%M}" if expected_at else ""
    words = _WORDS[RideState(news.state)]
    said = words.format(driver=news.driver_name or "Your driver", car=news.car, when=when)
    return f"{news.cooperative}: {said}"
