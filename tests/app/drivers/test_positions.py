"""Only positions that can be true are taken, only of drivers on shift, and the newest wins."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf, nan
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.positions import NearDriver, PositionResult, Positions
from app.foundation import metrics
from app.foundation.database import Database
from app.foundation.ids import new_id
from matching.travel import Point, distance_m
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import make_driver

VADUZ = Point(47.1410, 9.5209)
METRE = 1 / 111_195  # degrees of latitude


@dataclass
class Car:
    """A driver on shift who reports to `positions` at a clock of the test's own."""

    positions: Positions = field(default_factory=lambda: Positions(stale_s=30))
    driver_id: UUID = field(default_factory=new_id)
    now: datetime = FRIDAY_EVENING

    def __post_init__(self) -> None:
        self.positions._on_shift.add(self.driver_id)

    def report(
        self, *, north_m: float = 0, at_s: float = 0, lat: float | None = None
    ) -> PositionResult:
        """Report a place so many metres north of Vaduz, at a time relative to now."""
        return self.positions.report(
            self.driver_id,
            lat=VADUZ.lat + north_m * METRE if lat is None else lat,
            lng=VADUZ.lng,
            device_at=self.now + timedelta(seconds=at_s),
            now=self.now,
        )


@pytest.mark.parametrize(
    ("at_s", "result"),
    [
        (-30.001, PositionResult.STALE),
        (-30, PositionResult.ACCEPTED),
        (0, PositionResult.ACCEPTED),
        (5, PositionResult.ACCEPTED),
        (5.001, PositionResult.FROM_THE_FUTURE),
    ],
)
def test_a_position_is_taken_from_30_seconds_ago_to_5_ahead(
    at_s: float, result: PositionResult
) -> None:
    assert Car().report(at_s=at_s) is result


@pytest.mark.parametrize(
    ("at_s", "result"),
    [
        (-20, PositionResult.STALE),
        (-10, PositionResult.STALE),
        (-9.001, PositionResult.TOO_OFTEN),
        (-9, PositionResult.ACCEPTED),
    ],
)
def test_the_next_position_is_at_least_a_second_newer(at_s: float, result: PositionResult) -> None:
    car = Car()
    assert car.report(at_s=-10) is PositionResult.ACCEPTED
    assert car.report(at_s=at_s) is result


@pytest.mark.parametrize(
    ("north_m", "result"),
    [
        (139, PositionResult.ACCEPTED),
        (-139, PositionResult.ACCEPTED),
        (141, PositionResult.TOO_FAST),
    ],
)
def test_nobody_drives_faster_than_70_metres_a_second(
    north_m: float, result: PositionResult
) -> None:
    car = Car()
    car.report(at_s=-2)
    assert car.report(north_m=north_m) is result


def test_a_leap_is_measured_from_the_last_position_that_was_believed() -> None:
    car = Car()
    car.report(at_s=-4)
    assert car.report(at_s=-2, north_m=5_000) is PositionResult.TOO_FAST
    assert car.report(north_m=100) is PositionResult.ACCEPTED


@pytest.mark.parametrize("lat", [90.01, -90.01, nan, inf])
def test_a_place_that_is_not_on_earth_is_malformed(lat: float) -> None:
    car = Car()
    assert car.report(lat=lat) is PositionResult.MALFORMED
    assert len(car.positions) == 0


def test_a_time_without_a_zone_is_malformed() -> None:
    car = Car()
    naive = car.now.replace(tzinfo=None)
    result = car.positions.report(car.driver_id, lat=47, lng=9, device_at=naive, now=car.now)
    assert result is PositionResult.MALFORMED


def test_who_is_off_shift_is_not_followed() -> None:
    car = Car()
    car.positions._on_shift.clear()
    assert car.report() is PositionResult.OFF_SHIFT
    assert car.positions.find(car.driver_id) is None


@pytest.mark.parametrize("result", list(PositionResult))
def test_each_position_is_counted_by_what_was_done_with_it(result: PositionResult) -> None:
    car = Car()
    counter = metrics.POSITIONS.labels(result)
    if result in (PositionResult.TOO_OFTEN, PositionResult.TOO_FAST):
        car.report(at_s=-1.5)
    if result is PositionResult.OFF_SHIFT:
        car.positions._on_shift.clear()
    before = counter._value.get()
    reports = {
        PositionResult.ACCEPTED: {},
        PositionResult.STALE: {"at_s": -31},
        PositionResult.FROM_THE_FUTURE: {"at_s": 6},
        PositionResult.TOO_OFTEN: {"at_s": -1},
        PositionResult.TOO_FAST: {"north_m": 900},
        PositionResult.OFF_SHIFT: {},
        PositionResult.MALFORMED: {"lat": 91},
    }
    assert car.report(**reports[result]) is result
    assert counter._value.get() == before + 1


@given(
    st.lists(
        st.tuples(
            st.floats(min_value=-60, max_value=10), st.floats(min_value=-2_000, max_value=2_000)
        ),
        max_size=40,
    )
)
def test_what_is_held_is_always_fresh_and_only_ever_gets_newer(
    reports: list[tuple[float, float]],
) -> None:
    car = Car()
    for at_s, north_m in reports:
        before = car.positions.find(car.driver_id)
        result = car.report(at_s=at_s, north_m=north_m)
        after = car.positions.find(car.driver_id)
        assert (result is PositionResult.ACCEPTED) == (after != before)
        if after is not None:
            assert -30 <= (after.at - car.now).total_seconds() <= 5
        if before is not None and after is not None and after != before:
            gap_s = (after.at - before.at).total_seconds()
            assert gap_s >= 1
            moved_m = distance_m(Point(before.lat, before.lng), to=Point(after.lat, after.lng))
            assert moved_m <= 70 * gap_s + 1e-6


def test_stale_drivers_are_neither_near_nor_fresh() -> None:
    car = Car()
    late = Car(car.positions)
    car.report(at_s=-10)
    late.report(at_s=-25, north_m=50)
    both = [car.driver_id, late.driver_id]
    assert car.positions.fresh(both, now=car.now).ids == tuple(both)
    later = car.now + timedelta(seconds=10)
    assert car.positions.fresh(both, now=later).ids == (car.driver_id,)
    assert car.positions.nearest(VADUZ, k=5, max_distance_m=1000, now=later) == (
        NearDriver(car.driver_id, 0),
    )
    assert car.positions.find(late.driver_id) is None


def test_the_nearest_come_first_and_only_those_asked_for() -> None:
    positions = Positions(stale_s=30)
    cars = [Car(positions) for _ in range(4)]
    for metres, car in zip((300, 100, 200, 5_000), cars, strict=True):
        car.report(north_m=metres)
    near = positions.nearest(VADUZ, k=3, max_distance_m=1_000, now=FRIDAY_EVENING)
    assert [one.driver_id for one in near] == [cars[n].driver_id for n in (1, 2, 0)]
    assert [round(one.distance_m) for one in near] == [100, 200, 300]
    some = positions.nearest(
        VADUZ, k=1, max_distance_m=1_000, now=FRIDAY_EVENING, among=[cars[0].driver_id]
    )
    assert [one.driver_id for one in some] == [cars[0].driver_id]


async def stored(owner: asyncpg.Connection) -> dict[UUID, tuple[float, datetime]]:
    """The latitude and time that the database holds of each driver."""
    rows = await owner.fetch("select driver_id, lat, at from driver_position")
    return {row["driver_id"]: (row["lat"], row["at"]) for row in rows}


async def on_shift(database: Database, owner: asyncpg.Connection, clock: StandingClock) -> Car:
    """A driver of the database, known to a process of their own."""
    driver = await make_driver(owner, now=clock.now())
    car = Car(driver_id=driver.id)
    await car.positions.refresh_shifts(database)
    return car


async def test_a_flush_writes_what_changed_since_the_last_one(
    database: Database, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    car = await on_shift(database, owner, clock)
    car.report(at_s=-2)
    assert await car.positions.flush(database) == 1
    assert await stored(owner) == {car.driver_id: (VADUZ.lat, car.now - timedelta(seconds=2))}
    assert await car.positions.flush(database) == 0
    car.report(north_m=10)
    assert await car.positions.flush(database) == 1
    assert (await stored(owner))[car.driver_id][1] == car.now


async def test_of_two_processes_that_write_the_newest_position_wins(
    database: Database, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    first = [await on_shift(database, owner, clock) for _ in range(20)]
    one, two = Positions(stale_s=30), Positions(stale_s=30)
    for process, parity in ((one, 0), (two, 1)):
        await process.refresh_shifts(database)
        for number, car in enumerate(first):
            newest = number % 2 == parity
            Car(process, car.driver_id).report(at_s=0 if newest else -3, north_m=9 * newest)
    await asyncio.gather(one.flush(database), two.flush(database))
    held = await stored(owner)
    assert len(held) == 20
    assert {at for _, at in held.values()} == {FRIDAY_EVENING}
    assert {lat for lat, _ in held.values()} == {VADUZ.lat + 9 * METRE}


async def test_a_restart_knows_the_fresh_positions_of_those_still_on_shift(
    database: Database, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    car, stale, gone = [await on_shift(database, owner, clock) for _ in range(3)]
    for each, at_s in ((car, -5), (stale, -30), (gone, -5)):
        each.report(at_s=at_s)
        await each.positions.flush(database)
    await owner.execute(
        "update shift set ended_at = started_at where driver_id = $1", gone.driver_id
    )
    anew = Positions(stale_s=30)
    await anew.load(database, now=car.now + timedelta(seconds=1))
    assert len(anew) == 1
    assert anew.find(car.driver_id) == car.positions.find(car.driver_id)
    moved = Car(anew, car.driver_id, now=car.now + timedelta(seconds=1))
    assert moved.report() is PositionResult.ACCEPTED


async def test_a_shift_that_another_process_ended_is_followed_no_more(
    database: Database, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    car = await on_shift(database, owner, clock)
    car.report(at_s=-5)
    await car.positions.flush(database)
    await owner.execute(
        "update shift set ended_at = started_at where driver_id = $1", car.driver_id
    )
    car.report(at_s=-2)  # this process does not know yet
    await car.positions.keep(database, now=car.now)
    assert await stored(owner) == {}
    assert car.positions.find(car.driver_id) is None
    assert car.report() is PositionResult.OFF_SHIFT


async def test_a_flush_that_knows_less_than_the_database_writes_nobody_off_shift(
    database: Database, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    car = await on_shift(database, owner, clock)
    await owner.execute(
        "update shift set ended_at = started_at where driver_id = $1", car.driver_id
    )
    car.report()
    await car.positions.flush(database)
    assert await stored(owner) == {}


async def test_a_flush_that_was_given_up_is_made_good_by_the_next(
    database: Database, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    car, gone = [await on_shift(database, owner, clock) for _ in range(2)]
    for each in (car, gone):
        each.report(at_s=-2)
    await gone.positions.flush(database)
    await owner.execute(
        "update shift set ended_at = started_at where driver_id = $1", gone.driver_id
    )
    car.positions._on_shift.add(gone.driver_id)
    await car.positions.refresh_shifts(database)
    async with owner.transaction():
        await owner.execute("lock table driver_position")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await car.positions.flush(database)
    assert (await stored(owner)).keys() == {gone.driver_id}
    assert await car.positions.flush(database) == 1
    assert (await stored(owner)).keys() == {car.driver_id}
