"""Small evenings of shared rides for the tests: in a plane, on a line, and drawn by hypothesis."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from matching.pooling.words import (
    Pool,
    Requests,
    Rules,
    Stop,
    StopKind,
    TravelTimes,
    Vehicles,
    requests_under,
)

PICKUP, DROPOFF = StopKind.PICKUP, StopKind.DROPOFF
ROOMY = Rules(wait_s=600, detour_s=600, boarding_s=0, unserved_s=3600)


def on_a_line(
    trips: Sequence[tuple[float, float]],
    cars: Sequence[float],
    *,
    rules: Rules = ROOMY,
    party: Sequence[int] | None = None,
    seats: int = 4,
    waited_s: Sequence[float] | None = None,
    earliest_s: Sequence[float] | None = None,
    committed: tuple[tuple[Stop, ...], ...] = (),
    locked: Sequence[int] | None = None,
) -> Pool:
    """Places are seconds along one street: cars first, then pickups, then drop-offs."""
    at = np.array([*cars, *(trip[0] for trip in trips), *(trip[1] for trip in trips)], dtype=float)
    times = TravelTimes(np.abs(at[:, np.newaxis] - at[np.newaxis, :]))
    first, count = len(cars), len(trips)
    asked = requests_under(
        rules,
        times=times,
        pickup=np.arange(first, first + count),
        dropoff=np.arange(first + count, first + 2 * count),
        seats=None if party is None else np.array(party),
        waited_s=None if waited_s is None else np.array(waited_s),
        earliest_pickup_s=None if earliest_s is None else np.array(earliest_s),
    )
    fleet = Vehicles(
        place=np.arange(first),
        ready_s=np.zeros(first),
        seats=np.full(first, seats),
        committed=committed,
        locked=None if locked is None else np.array(locked, dtype=np.int64),
    )
    return Pool(asked, fleet, times, rules.boarding_s)


def asking(pool: Pool, requests: Requests) -> Pool:
    """The same cars and ways, but other requests."""
    return Pool(requests, pool.vehicles, pool.times, pool.boarding_s)


@st.composite
def pools(draw: st.DrawFn, *, most_requests: int = 6, most_cars: int = 3) -> Pool:
    """Evenings of every kind: nobody, large parties, bookings for later, promises and late cars."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, cars = draw(st.integers(0, most_requests)), draw(st.integers(0, most_cars))
    at = random.uniform(0, 600, (cars + 2 * count, 2))
    apart_s = np.hypot(*(at[:, np.newaxis] - at[np.newaxis, :]).transpose(2, 0, 1))
    times = TravelTimes(apart_s)
    rules = Rules(
        wait_s=draw(st.sampled_from([0.0, 300.0, 900.0])),
        detour_s=draw(st.sampled_from([0.0, 300.0, 1200.0])),
        detour_share=draw(st.sampled_from([0.0, 0.5])),
        boarding_s=draw(st.sampled_from([0.0, 12.3])),
        unserved_s=draw(st.sampled_from([0.0, 400.0, 3600.0])),
    )
    later_s = np.where(random.random(count) < 0.5, 0.0, 500.0).astype(np.float64)
    committed = _promises(random, count=count, cars=cars) if draw(st.booleans()) else ()
    for stops in committed:
        picked = {stop.request for stop in stops if stop.kind is PICKUP}
        for stop in stops:
            later_s[stop.request] = 0.0 if stop.request in picked else -60.0
    asked = requests_under(
        rules,
        times=times,
        pickup=np.arange(cars, cars + count),
        dropoff=np.arange(cars + count, cars + 2 * count),
        seats=random.choice([1, 1, 2], count),
        waited_s=np.where(later_s > 0, 0.0, random.uniform(0, 100, count)),
        earliest_pickup_s=later_s,
    )
    fleet = Vehicles(
        place=np.arange(cars),
        ready_s=random.uniform(0, 100, cars),
        seats=random.choice([4, 6], cars) if cars else np.empty(0, dtype=np.int64),
        committed=committed,
    )
    return Pool(asked, fleet, times, rules.boarding_s)


def _promises(
    random: np.random.Generator, *, count: int, cars: int
) -> tuple[tuple[Stop, ...], ...]:
    """Up to two parties in each car already: on board, fetched next, or both."""
    free = list(range(count))
    committed = []
    for _ in range(cars):
        stops: list[Stop] = []
        for request in [free.pop() for _ in range(min(len(free), int(random.integers(0, 3))))]:
            if random.random() < 0.5:
                stops.append(Stop(request, DROPOFF))
            else:
                stops += [Stop(request, PICKUP), Stop(request, DROPOFF)]
        committed.append(tuple(stops))
    return tuple(committed)
