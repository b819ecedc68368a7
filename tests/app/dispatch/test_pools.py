"""Whoever is offered to a car under way breaks nobody's promise; who is held may ride together."""

import zlib
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from uuid import UUID

import numpy as np
import pytest

from app.dispatch.pool_record import PoolInput, pack_pool, unpack_pool, whole_ds
from app.dispatch.pools import (
    HOLD_S,
    NEARLY_THERE_S,
    Join,
    Pooling,
    Shared,
    insert_last,
    meaning_of,
    places_of,
    plan_shared,
    pooling_of,
)
from app.dispatch.runs import MOST_PARTIES, Car, Party, RunStop, stops_left
from app.fares.rules import max_delay_s
from app.foundation.ids import new_id
from app.rides.lifecycle import RideState
from matching.arrays import FloatArray
from matching.pooling.check import check_plan
from matching.pooling.plan import plan_of
from matching.pooling.words import Stop, StopKind
from matching.travel import Point, great_circle_m
from tests.conftest import FRIDAY_EVENING as NOW

S = RideState
HERE = Point(lat=47.14, lng=9.52)


def north(metres: float) -> Point:
    return Point(lat=HERE.lat + metres / 111_195, lng=HERE.lng)


def drives_s(cars: Sequence[Car], waiting: Sequence[Party]) -> FloatArray:
    """Straight ways at 10 m/s, and half a minute for each."""
    here, ends = places_of(cars, waiting)
    everything = [*here, *ends]
    metres = great_circle_m(
        from_lat=np.array([p.lat for p in everything])[:, np.newaxis],
        from_lng=np.array([p.lng for p in everything])[:, np.newaxis],
        to_lat=np.array([p.lat for p in ends])[np.newaxis, :],
        to_lng=np.array([p.lng for p in ends])[np.newaxis, :],
    )
    return 30.0 + metres / 10.0


def pooled(cars: Sequence[Car], waiting: Sequence[Party]) -> Pooling:
    return pooling_of(cars, waiting, drive_s=drives_s(cars, waiting), now=NOW)


def decided(
    cars: Sequence[Car],
    waiting: Sequence[Party],
    *,
    asked: frozenset[tuple[UUID, UUID]] = frozenset(),
) -> Shared:
    pooling = pooled(cars, waiting)
    return meaning_of(pooling, plan_shared(pooling.pool), asked=asked, now=NOW)


def party(
    pickup: Point,
    dropoff: Point,
    *,
    seats: int = 1,
    state: RideState = S.REQUESTED,
    waited_s: float = 10.0,
) -> Party:
    metres = float(
        great_circle_m(
            from_lat=pickup.lat, from_lng=pickup.lng, to_lat=dropoff.lat, to_lng=dropoff.lng
        )
    )
    duration_s = round(30 + metres / 10)
    return Party(
        ride_id=new_id(),
        state=state,
        pickup=pickup,
        dropoff=dropoff,
        seats=seats,
        asked_at=NOW - timedelta(seconds=waited_s),
        boarded_at=NOW if state is S.UNDER_WAY else None,
        duration_s=duration_s,
        max_wait_s=600,
        max_delay_s=max_delay_s(duration_s),
    )


def car(place: Point, *parties: Party, seats: int = 4, is_asked: bool = False) -> Car:
    return Car(
        driver_id=new_id(),
        place=place,
        seats=seats,
        parties=parties,
        stops=stops_left((), {one.ride_id: one.state for one in parties}),
        is_asked=is_asked,
    )


def test_who_lies_on_the_way_joins_the_car_under_way_rather_than_an_empty_one() -> None:
    aboard = party(north(-3000), north(6000), state=S.UNDER_WAY)
    under_way, empty = car(HERE, aboard), car(north(500))
    waiting = party(north(2000), north(6000))

    shared = decided([under_way, empty], [waiting])

    [join] = shared.joins
    assert (join.ride_id, join.driver_id) == (waiting.ride_id, under_way.driver_id)
    assert join.run[0] == RunStop(waiting.ride_id, StopKind.PICKUP)
    # Two stops of half a minute, and a start of half a minute at each of them.
    assert join.added_s == pytest.approx(120.0, abs=1)
    assert shared.held == frozenset()
    assert (join.cars, join.rank) == (2, 2)  # The empty car stands nearer.


def test_nothing_turns_a_car_away_from_a_rider_who_sees_it_come_or_from_a_near_stop() -> None:
    coming = party(north(3000), north(9000), state=S.ASSIGNED)
    nearly_there = party(north(-3000), north(10 * (NEARLY_THERE_S - 31)), state=S.UNDER_WAY)
    waiting = party(north(100), north(9000))

    for riding in (coming, nearly_there):
        for join in decided([car(HERE, riding)], [waiting]).joins:
            assert join.run[0].ride_id == riding.ride_id


def test_who_was_asked_or_has_no_room_does_not_get_company() -> None:
    aboard = party(north(-3000), north(6000), state=S.UNDER_WAY, seats=2)
    under_way = car(HERE, aboard)
    waiting = party(north(2000), north(6000), seats=2)
    large = party(north(2000), north(6000), seats=3)

    assert len(decided([under_way], [waiting]).joins) == 1
    asked = frozenset({(waiting.ride_id, under_way.driver_id)})
    assert decided([under_way], [waiting], asked=asked) == Shared()
    assert decided([under_way], [large]) == Shared()


def test_who_follows_into_an_empty_car_is_held_for_a_while_and_then_asks_alone() -> None:
    empty = car(HERE)
    first, second = party(north(500), north(8000)), party(north(900), north(8000))
    patient = party(north(900), north(8000), waited_s=HOLD_S)

    assert decided([empty], [first, second]) == Shared(held=frozenset({second.ride_id}))
    assert decided([empty], [first, patient]) == Shared()


def test_while_a_driver_is_being_asked_nobody_else_is_offered_to_her() -> None:
    offered = party(north(500), north(8000))
    follower = party(north(900), north(8000))

    shared = decided([car(HERE, offered, is_asked=True)], [follower])

    assert shared == Shared(held=frozenset({follower.ride_id}))


def test_a_car_that_cannot_reach_what_it_promised_is_left_out() -> None:
    lost = car(HERE, party(north(-3000), north(6000), state=S.UNDER_WAY))
    waiting = party(north(2000), north(6000))
    drive_s = drives_s([lost], [waiting])
    drive_s[0, :] = np.nan

    pooling = pooling_of([lost], [waiting], drive_s=drive_s, now=NOW)

    assert (pooling.cars, pooling.parties) == ((), (waiting,))


def test_a_quote_says_where_a_party_would_join() -> None:
    under_way = car(HERE, party(north(-3000), north(6000), state=S.UNDER_WAY))

    found = insert_last(pooled([under_way], [party(north(2000), north(6000))]).pool)
    nowhere = insert_last(pooled([under_way], [party(north(-9000), north(-20_000))]).pool)

    assert found is not None
    assert found.ride.pickup_s == pytest.approx(230, abs=1)
    assert nowhere is None


def _town(chance: Random) -> tuple[list[Car], list[Party]]:
    def place() -> Point:
        return Point(
            lat=HERE.lat + chance.uniform(-0.05, 0.05), lng=HERE.lng + chance.uniform(-0.07, 0.07)
        )

    cars = []
    for _ in range(12):
        riding = [
            party(
                place(),
                place(),
                state=chance.choice([S.ASSIGNED, S.ARRIVED, S.UNDER_WAY]),
                waited_s=chance.uniform(0, 600),
            )
            for _ in range(chance.choice([0, 0, 1, 1, 2]))
        ]
        cars.append(car(place(), *riding, is_asked=chance.random() < 0.2))
    waiting = [party(place(), place(), seats=chance.choice([1, 1, 1, 2, 3])) for _ in range(15)]
    return cars, waiting


def _faults(pooling: Pooling, join: Join) -> tuple[str, ...]:
    """What is wrong with the plan in which this party joins, and nobody else."""
    number = {one.ride_id: at for at, one in enumerate(pooling.parties)}
    orders = [
        [Stop(number[stop.ride_id], stop.kind) for stop in join.run]
        if one.driver_id == join.driver_id
        else list(committed)
        for one, committed in zip(pooling.cars, pooling.pool.vehicles.committed, strict=True)
    ]
    return check_plan(pooling.pool, plan_of(pooling.pool, orders))


@pytest.mark.parametrize("seed", range(6))
def test_what_is_kept_of_a_decision_leads_to_the_same_decision(seed: int) -> None:
    cars, waiting = _town(Random(seed))
    asked = frozenset({(waiting[0].ride_id, cars[0].driver_id)})
    drive_s = whole_ds(drives_s(cars, waiting) + 0.123)
    drive_s[3, 2] = np.nan
    given = PoolInput(tuple(cars), tuple(waiting), drive_s, asked, NOW)

    again = unpack_pool(pack_pool(given)).decide_again()

    first = given.decide_again()
    assert [(one.ride_id, one.driver_id, one.run) for one in again.joins] == [
        (one.ride_id, one.driver_id, one.run) for one in first.joins
    ]
    assert again.held == first.held


@pytest.mark.parametrize("damaged", [b"", b"x", zlib.compress(b"{}\n"), zlib.compress(b"x")])
def test_what_is_no_stored_pool_is_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack_pool(damaged)


@pytest.mark.parametrize("seed", range(12))
def test_whoever_joins_in_any_town_breaks_no_promise(seed: int) -> None:
    cars, waiting = _town(Random(seed))
    pooling = pooled(cars, waiting)

    shared = meaning_of(pooling, plan_shared(pooling.pool), asked=frozenset(), now=NOW)

    by_driver = {one.driver_id: one for one in cars}
    for join in shared.joins:
        assert _faults(pooling, join) == ()
        joined = by_driver[join.driver_id]
        assert not joined.is_asked
        assert len(joined.parties) < MOST_PARTIES
    assert len({join.driver_id for join in shared.joins}) == len(shared.joins)
    assert shared.held.isdisjoint(join.ride_id for join in shared.joins)
    assert shared.spoken_for <= {one.ride_id for one in waiting}


def test_the_towns_of_this_test_do_share() -> None:
    towns = [_town(Random(seed)) for seed in range(12)]

    assert sum(len(decided(cars, waiting).joins) for cars, waiting in towns) > 5
