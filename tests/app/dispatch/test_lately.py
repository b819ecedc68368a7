"""Dispatch remembers for a quarter of an hour where riders asked, and no longer."""

from datetime import timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest

from app.dispatch import lately
from app.dispatch.lately import LatelyAsked
from matching.sought_after import RECENT_S
from tests.conftest import FRIDAY_EVENING

HERE, FAR_AWAY = (47.10, 9.52), (47.20, 9.52)


def ride(ride_id: UUID, place: tuple[float, float] = HERE) -> dict[str, object]:
    return {"id": ride_id, "pickup_lat": place[0], "pickup_lng": place[1]}


def sought(asked: LatelyAsked) -> list[float]:
    """How sought after a driver here is, and one far away."""
    lat, lng = np.array([HERE, FAR_AWAY]).T.copy()
    here, far_away = asked.sought_after(lat=lat, lng=lng)
    return [float(here), float(far_away)]


def test_a_driver_is_sought_after_where_riders_asked_and_not_elsewhere() -> None:
    asked = LatelyAsked()
    assert sought(asked) == [0.0, 0.0]
    asked.see([ride(uuid4())], now=FRIDAY_EVENING)
    once = sought(asked)[0]
    asked.see([ride(uuid4())], now=FRIDAY_EVENING)
    here, far_away = sought(asked)
    assert 0 < once < here < 1
    assert far_away == 0


def test_a_rider_who_waits_for_many_rounds_asked_once() -> None:
    asked, same = LatelyAsked(), ride(uuid4())
    asked.see([same], now=FRIDAY_EVENING)
    once = sought(asked)
    asked.see([same], now=FRIDAY_EVENING + timedelta(seconds=60))
    assert sought(asked) == once


def test_who_asked_longer_ago_is_forgotten() -> None:
    asked = LatelyAsked()
    asked.see([ride(uuid4())], now=FRIDAY_EVENING)
    asked.see([], now=FRIDAY_EVENING + timedelta(seconds=RECENT_S))
    assert sought(asked)[0] > 0
    asked.see([], now=FRIDAY_EVENING + timedelta(seconds=RECENT_S + 1))
    assert sought(asked) == [0.0, 0.0]


def test_of_too_many_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "MOST", 2)
    asked = LatelyAsked()
    asked.see([ride(uuid4(), FAR_AWAY)], now=FRIDAY_EVENING)
    asked.see([ride(uuid4()), ride(uuid4())], now=FRIDAY_EVENING)
    here, far_away = sought(asked)
    assert here > 0
    assert far_away == 0
