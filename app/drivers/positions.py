"""Where drivers on shift are now: checked when reported, kept in process, written once a second."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import numpy as np

from app.drivers import queries
from app.foundation import metrics
from app.foundation.database import Database
from matching.location_index import LocationIndex
from matching.location_index import Positions as Snapshot
from matching.travel import Point, distance_m

EARLY_BY_S = 5.0  # how far ahead a telephone's clock may be
LEAST_GAP_S = 1.0
TOP_SPEED_MPS = 70.0  # 252 km/h: no car in a town; a telephone that lost its satellites
_METRES_PER_DEGREE = 111_400.0  # at most, anywhere, along a meridian or a parallel


class PositionResult(StrEnum):
    """What was done with a reported position. All but the first mean: dropped."""

    ACCEPTED = "accepted"
    STALE = "stale"  # no newer than the one held, or too old to be of use
    FROM_THE_FUTURE = "from_the_future"
    TOO_OFTEN = "too_often"
    TOO_FAST = "too_fast"
    OFF_SHIFT = "off_shift"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Fix:
    """The newest position taken of a driver, at the device's own time."""

    lat: float
    lng: float
    at: datetime


@dataclass(frozen=True, slots=True)
class NearDriver:
    """A driver, and the metres of great circle to the point that was asked about."""

    driver_id: UUID
    distance_m: float


class Positions:
    """The positions of one process, for its event loop only.

    Off duty means not followed: a position is taken only of a driver in `_on_shift`. That set is a
    copy of the open shifts, asked of the database when a shift starts or ends here and again with
    every flush, so a shift that another process started or ended is known a second later. Nothing
    but the taking of positions relies on it, and the database refuses what a late copy let in.
    """

    def __init__(self, *, stale_s: float) -> None:
        self._stale = timedelta(seconds=stale_s)
        self._index = LocationIndex()
        self._fixes: dict[UUID, Fix] = {}
        self._on_shift: set[UUID] = set()
        self._changed: set[UUID] = set()  # since the last flush
        self._left: set[UUID] = set()  # went off shift since the last flush

    def __len__(self) -> int:
        return len(self._fixes)

    def find(self, driver_id: UUID) -> Fix | None:
        """Return the newest position taken of this driver, or None."""
        return self._fixes.get(driver_id)

    def report(
        self, driver_id: UUID, *, lat: float, lng: float, device_at: datetime, now: datetime
    ) -> PositionResult:
        """Take a position if it can be believed; say and count what was done with it."""
        result = self._judge(driver_id, lat=lat, lng=lng, device_at=device_at, now=now)
        if result is PositionResult.ACCEPTED and self._index.update(
            driver_id, lat=lat, lng=lng, at_s=device_at.timestamp()
        ):
            self._fixes[driver_id] = Fix(lat, lng, device_at)
            self._changed.add(driver_id)
        metrics.POSITIONS.labels(result).inc()
        return result

    def _judge(
        self, driver_id: UUID, *, lat: float, lng: float, device_at: datetime, now: datetime
    ) -> PositionResult:
        # Written so that a number that is none (nan) is out of range too.
        if not (-90 <= lat <= 90 and -180 <= lng <= 180) or device_at.tzinfo is None:
            return PositionResult.MALFORMED
        if driver_id not in self._on_shift:
            return PositionResult.OFF_SHIFT
        if (device_at - now).total_seconds() > EARLY_BY_S:
            return PositionResult.FROM_THE_FUTURE
        if now - device_at > self._stale:
            return PositionResult.STALE
        held = self._fixes.get(driver_id)
        if held is None:
            return PositionResult.ACCEPTED
        return _judge_move(held, lat=lat, lng=lng, device_at=device_at)

    def evict_stale(self, now: datetime) -> None:
        """Forget positions too old to send a rider to."""
        for driver_id in self._index.evict_before((now - self._stale).timestamp()):
            assert isinstance(driver_id, UUID)
            del self._fixes[driver_id]
            self._changed.discard(driver_id)

    def fresh(self, driver_ids: Iterable[UUID], *, now: datetime) -> Snapshot:
        """Return where those of these drivers are who were heard of lately."""
        self.evict_stale(now)
        return self._index.snapshot(driver_ids)

    def nearest(
        self,
        point: Point,
        *,
        k: int,
        max_distance_m: float,
        now: datetime,
        among: Iterable[UUID] | None = None,
    ) -> tuple[NearDriver, ...]:
        """Return the `k` nearest drivers heard of lately, nearest first, by great circle."""
        self.evict_stale(now)
        near = self._index.nearest(
            lat=np.array([point.lat]),
            lng=np.array([point.lng]),
            k=k,
            max_distance_m=max_distance_m,
            among=among,
        )
        pairs = zip(near.driver_ids, near.distance_m.tolist(), strict=True)
        return tuple(NearDriver(one, away_m) for one, away_m in pairs if isinstance(one, UUID))

    async def load(self, database: Database, *, now: datetime) -> None:
        """Know what was known before the program stopped, as far as it is not stale."""
        await self.refresh_shifts(database)
        async with database.reading() as reader:
            rows = await queries.list_positions(reader, since=now - self._stale)
        for row in rows:
            fix = Fix(row["lat"], row["lng"], row["at"])
            if self._index.update(
                row["driver_id"], lat=fix.lat, lng=fix.lng, at_s=fix.at.timestamp()
            ):
                self._fixes[row["driver_id"]] = fix

    async def refresh_shifts(self, database: Database) -> None:
        """Take positions of those on shift by the database, and forget everybody else's."""
        async with database.reading() as reader:
            on_shift = set(await queries.list_drivers_on_shift(reader))
        for driver_id in self._on_shift - on_shift:
            self._forget(driver_id)
        self._on_shift = on_shift

    async def refresh_driver(self, database: Database, *, driver_id: UUID) -> None:
        """The same for one driver, at once."""
        async with database.reading() as reader:
            shift = await queries.find_open_shift(reader, driver_id=driver_id)
        if shift is not None:
            self._on_shift.add(driver_id)
        else:
            self._on_shift.discard(driver_id)
            self._forget(driver_id)

    async def flush(self, database: Database) -> int:
        """Write what changed since the last flush, newest wins; return how many positions.

        When the database is away nothing is lost: the next flush writes it.
        """
        changed, self._changed = self._changed, set()
        left, self._left = self._left, set()
        fixes = [(driver_id, self._fixes[driver_id]) for driver_id in sorted(changed)]
        try:
            async with database.transaction() as tx:
                if left:
                    # A flush that was under way while the shift ended may have written after it.
                    await queries.forget_positions_off_shift(tx, driver_ids=left)
                if fixes:
                    await queries.store_positions(
                        tx,
                        driver_ids=[driver_id for driver_id, _ in fixes],
                        lat=[fix.lat for _, fix in fixes],
                        lng=[fix.lng for _, fix in fixes],
                        at=[fix.at for _, fix in fixes],
                    )
        except BaseException:
            self._changed |= changed & self._fixes.keys()
            self._left |= left
            raise
        return len(fixes)

    async def keep(self, database: Database, *, now: datetime) -> None:
        """One round of the flush worker: know the shifts, drop what is stale, write what is new."""
        await self.refresh_shifts(database)
        self.evict_stale(now)
        if self._changed or self._left:
            await self.flush(database)

    def _forget(self, driver_id: UUID) -> None:
        self._index.remove(driver_id)
        self._fixes.pop(driver_id, None)
        self._changed.discard(driver_id)
        self._left.add(driver_id)


def _judge_move(held: Fix, *, lat: float, lng: float, device_at: datetime) -> PositionResult:
    gap_s = (device_at - held.at).total_seconds()
    if gap_s <= 0:
        return PositionResult.STALE
    if gap_s < LEAST_GAP_S:
        return PositionResult.TOO_OFTEN
    if _is_farther(held, lat=lat, lng=lng, than_m=TOP_SPEED_MPS * gap_s):
        return PositionResult.TOO_FAST
    return PositionResult.ACCEPTED


def _is_farther(held: Fix, *, lat: float, lng: float, than_m: float) -> bool:
    # Along a meridian and then a parallel is a detour, so most cars pass without the formula.
    detour_m = _METRES_PER_DEGREE * (abs(lat - held.lat) + abs(lng - held.lng))
    if detour_m <= than_m:
        return False
    return distance_m(Point(held.lat, held.lng), to=Point(lat, lng)) > than_m
