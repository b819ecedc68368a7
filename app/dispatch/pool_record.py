"""What a shared plan was decided from, as bytes that lead to the same plan again.

Coordinates stay out: the plan looks at driving times alone.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import orjson

from app.dispatch.pools import Shared, meaning_of, plan_shared, pooling_of
from app.dispatch.runs import Car, Party, planned_stops, stored_stops
from app.rides.lifecycle import RideState
from matching.arrays import FloatArray
from matching.travel import Point

_NOWHERE = Point(lat=0.0, lng=0.0)
_NOW = datetime(2000, 1, 1, tzinfo=UTC)  # moments are kept as seconds before the decision
_NO_WAY = -1


@dataclass(frozen=True, slots=True, eq=False)
class PoolInput:
    """What a plan is made from: cars, who waits, the times between all, and who was asked before.

    `drive_s` is as in `pooling_of`, in whole deciseconds, so that what is kept is what was used.
    """

    cars: tuple[Car, ...]
    waiting: tuple[Party, ...]
    drive_s: FloatArray
    asked: frozenset[tuple[UUID, UUID]]
    now: datetime

    def decide_again(self) -> Shared:
        """Return what the plan means; for the same input it is the same."""
        pooling = pooling_of(self.cars, self.waiting, drive_s=self.drive_s, now=self.now)
        return meaning_of(pooling, plan_shared(pooling.pool), asked=self.asked, now=self.now)


def whole_ds(drive_s: FloatArray) -> FloatArray:
    """Return times rounded up to whole deciseconds, as the plan takes them; nan stays."""
    rounded: FloatArray = np.ceil(drive_s * 10 - 1e-6) / 10
    return rounded


def pack_pool(given: PoolInput) -> bytes:
    """Return the input of a plan as compressed bytes; `unpack_pool` reads them."""
    here = {car.driver_id for car in given.cars}
    head = {
        "cars": [
            {
                "driver_id": str(car.driver_id),
                "seats": car.seats,
                "is_asked": car.is_asked,
                "parties": [_kept(party, given.now) for party in car.parties],
                **stored_stops(car.stops),
            }
            for car in given.cars
        ],
        "waiting": [_kept(party, given.now) for party in given.waiting],
        "asked": sorted((str(ride), str(driver)) for ride, driver in given.asked if driver in here),
        "shape": given.drive_s.shape,
    }
    times_ds = np.where(np.isnan(given.drive_s), _NO_WAY, np.round(given.drive_s * 10))
    body = orjson.dumps(head) + b"\n" + times_ds.astype("<i4").tobytes()
    return zlib.compress(body)


def unpack_pool(packed: bytes) -> PoolInput:
    """Return what was packed, without coordinates. Refused (ValueError): anything else."""
    try:
        head, times = zlib.decompress(packed).split(b"\n", maxsplit=1)
        kept = orjson.loads(head)
        times_ds = np.frombuffer(times, dtype="<i4").reshape(kept["shape"]).astype(np.float64)
        cars = tuple(
            Car(
                driver_id=UUID(car["driver_id"]),
                place=_NOWHERE,
                seats=car["seats"],
                parties=_parties(car["parties"]),
                stops=planned_stops(car),
                is_asked=car["is_asked"],
            )
            for car in kept["cars"]
        )
        return PoolInput(
            cars=cars,
            waiting=_parties(kept["waiting"]),
            drive_s=np.where(times_ds == _NO_WAY, np.nan, times_ds / 10),
            asked=frozenset((UUID(ride), UUID(driver)) for ride, driver in kept["asked"]),
            now=_NOW,
        )
    except (zlib.error, KeyError, TypeError) as damage:
        raise ValueError(f"no stored pool: {damage}") from damage


def _kept(party: Party, now: datetime) -> dict[str, Any]:
    boarded = party.boarded_at
    return {
        "ride_id": str(party.ride_id),
        "state": str(party.state),
        "seats": party.seats,
        "asked_s": (now - party.asked_at).total_seconds(),
        "boarded_s": None if boarded is None else (now - boarded).total_seconds(),
        "duration_s": party.duration_s,
        "max_wait_s": party.max_wait_s,
        "max_delay_s": party.max_delay_s,
    }


def _parties(kept: Sequence[dict[str, Any]]) -> tuple[Party, ...]:
    return tuple(
        Party(
            ride_id=UUID(one["ride_id"]),
            state=RideState(one["state"]),
            pickup=_NOWHERE,
            dropoff=_NOWHERE,
            seats=one["seats"],
            asked_at=_NOW - timedelta(seconds=one["asked_s"]),
            boarded_at=_before(one["boarded_s"]),
            duration_s=one["duration_s"],
            max_wait_s=one["max_wait_s"],
            max_delay_s=one["max_delay_s"],
        )
        for one in kept
    )


def _before(seconds: float | None) -> datetime | None:
    return None if seconds is None else _NOW - timedelta(seconds=seconds)


def with_record(shared: Shared, given: PoolInput) -> Shared:
    """Return the decision with what it was made from, where a driver is asked because of it."""
    return replace(shared, record=pack_pool(given)) if shared.joins else shared
