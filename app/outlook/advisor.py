"""Tells drivers who wait where they had better wait: about once a minute, each at most one place.

Hints are kept in one small table, so that every process of a program answers alike and a restart
tells nobody anew; what is expected is worked out in each process, from the same table of rides.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from app.city import City
from app.dispatch.queries import free_drivers
from app.dispatch.solver import Solver
from app.drivers.positions import Positions
from app.foundation import metrics
from app.foundation.clock import Clock
from app.foundation.database import Database
from app.foundation.events import Event
from app.members.roles import DocumentKind
from app.outlook import queries
from app.outlook.forecast import Asked, Forecast, Guess, earlier_weeks, forecast, guess_city
from app.outlook.sharing import share_out
from app.outlook.waiting_places import THERE_M, Corner, Corners, middles
from app.roads.places import Place, Places
from app.roads.service import Roads
from matching.arrays import FloatArray, IntArray
from matching.location_index import Positions as Here
from matching.nearest import PointTree
from matching.travel import Point
from matching.waiting_places import NOWHERE, Hint

LOOK_AGAIN_AFTER = timedelta(minutes=5)
# So long after she could be there nobody is told another place: advice that flaps is none.
SETTLES = timedelta(minutes=10)
MOST_DRIVERS = 300  # of one round, drawn by lot; a minute later others have their turn


@dataclass(frozen=True, slots=True, eq=False)
class _Outlook:
    """What is expected, where one waits for it (one corner a cell), and when that was found out."""

    at: datetime
    forecast: Forecast
    corners: tuple[Corner, ...]
    tree: PointTree

    def place_of(self, *, lat: FloatArray, lng: FloatArray) -> IntArray:
        """Return the number of the waiting place at which each point is, or -1."""
        near = self.tree.nearest(lat=lat, lng=lng, k=1, max_distance_m=THERE_M)
        place = np.full(len(lat), NOWHERE, dtype=np.int64)
        place[near.query] = near.point
        return place


@dataclass(frozen=True, slots=True, eq=False)
class _Idle:
    """Who may be told something, and the cells and points at which other drivers will be."""

    here: Here
    sent_to: Sequence[int]
    others: Sequence[tuple[float, float]]


class Advisor:
    """Gives hints, again and again; in between it holds what riders are expected to ask."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        roads: Roads,
        positions: Positions,
        solver: Solver,
        city: City,
        places: Places,
    ) -> None:
        self._database = database
        self._clock = clock
        self._roads = roads
        self._positions = positions
        self._solver = solver
        self._city = city
        self._places = places
        self._corners = Corners(roads)
        self._guess: Guess | None = None
        self._named: dict[int, Place] = {}
        self._outlook: _Outlook | None = None

    async def run_once(self) -> int:
        """Forget hints of who is busy, give new ones to who had better move; return how many."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            await queries.forget_hints(tx)
        outlook = await self._look_ahead(now)
        idle = await self._gather(now)
        if not idle.here.ids or not outlook.corners:
            return 0
        hints = await self._share_out(outlook, idle, now)
        if not hints:
            return 0
        return await self._give(outlook, idle, hints, now)

    async def _look_ahead(self, now: datetime) -> _Outlook:
        """Return what is expected; worked out anew when it is some minutes old."""
        if self._outlook is None or not timedelta(0) <= now - self._outlook.at < LOOK_AGAIN_AFTER:
            self._outlook = await self._new_outlook(now)
        return self._outlook

    async def _new_outlook(self, now: datetime) -> _Outlook:
        if self._guess is None:
            self._named = await asyncio.to_thread(middles, self._places.rows)
            self._guess = await asyncio.to_thread(guess_city, self._city, self._places.rows)
        zone = self._city.time_zone
        async with self._database.reading() as reader:
            since = await queries.find_first_quote(reader)
            weeks = earlier_weeks(now, time_zone=zone, since=since)
            rows = await queries.list_asked(
                reader, starts=[week.start for week in weeks], ends=[week.end for week in weeks]
            )
        expected = await asyncio.to_thread(
            forecast,
            self._guess.expected(now, time_zone=zone),
            [Asked(**row) for row in rows],
            weeks=len(weeks),
        )
        corners = await self._corners.find(expected.cells.tolist(), named=self._named)
        kept = np.array([cell in corners for cell in expected.cells.tolist()], dtype=bool)
        expected = Forecast(expected.cells[kept], expected.expected[kept], expected.is_own[kept])
        where = tuple(corners[cell] for cell in expected.cells.tolist())
        tree = PointTree(
            lat=np.array([one.lat for one in where]), lng=np.array([one.lng for one in where])
        )
        return _Outlook(now, expected, where, tree)

    async def _gather(self, now: datetime) -> _Idle:
        today = now.astimezone(self._city.time_zone).date()
        async with self._database.reading() as reader:
            free = await free_drivers(reader, today=today, papers=len(DocumentKind))
            standing = await queries.list_standing(reader, now=now)
            endings = await queries.list_endings(reader)
        told = {row["driver_id"] for row in standing}
        here = self._positions.fresh([one for one in free if one not in told], now=now)
        asked, others = _draw(here)
        return _Idle(
            asked,
            sent_to=[row["cell"] for row in standing],
            others=[*others, *((row["lat"], row["lng"]) for row in endings)],
        )

    async def _share_out(self, outlook: _Outlook, idle: _Idle, now: datetime) -> Sequence[Hint]:
        number_of = {cell: at for at, cell in enumerate(outlook.forecast.cells.tolist())}
        others = np.array(idle.others, dtype=np.float64).reshape(-1, 2)
        coming = np.concatenate(
            (
                outlook.place_of(lat=others[:, 0], lng=others[:, 1]),
                np.array([number_of.get(cell, NOWHERE) for cell in idle.sent_to], dtype=np.int64),
            )
        )
        drive_s = await self._roads.pickup_matrix(
            [Point(*where) for where in _points(idle.here)],
            destinations=[corner.point for corner in outlook.corners],
            at=now,
        )
        hints = await self._solver.run(
            share_out,
            drive_s,
            outlook.place_of(lat=idle.here.lat, lng=idle.here.lng),
            outlook.forecast.expected,
            np.bincount(coming[coming != NOWHERE], minlength=len(outlook.corners)),
        )
        return hints or ()

    async def _give(
        self, outlook: _Outlook, idle: _Idle, hints: Sequence[Hint], now: datetime
    ) -> int:
        """Store the hints, and tell those drivers who were not told the same before."""
        rows = [_row(outlook, idle.here.ids[hint.driver], hint, now) for hint in hints]
        async with self._database.transaction() as tx:
            given = await queries.store_hints(
                tx, now=now, columns=[list(column) for column in zip(*rows, strict=True)]
            )
            news = [row for row in given if row["is_another"]]
            for row in news:
                # Where to, she asks over HTTP: the log is kept, and she stands near there.
                data = {"made_at": now.isoformat(), "good_until": row["good_until"].isoformat()}
                tx.emit(Event("hint.given", (row["driver_id"],), data), at=now)
        for row in news:
            metrics.HINTS.labels(row["based_on"]).inc()
        return len(news)


def _row(outlook: _Outlook, driver_id: Any, hint: Hint, now: datetime) -> tuple[Any, ...]:
    corner = outlook.corners[hint.place]
    return (
        driver_id,
        int(outlook.forecast.cells[hint.place]),
        corner.lat,
        corner.lng,
        corner.name,
        round(hint.drive_s),
        hint.expected_requests,
        hint.drivers_there,
        outlook.forecast.basis(hint.place),
        now + timedelta(seconds=round(hint.drive_s)) + SETTLES,
    )


def _draw(here: Here) -> tuple[Here, list[tuple[float, float]]]:
    """Return who takes part in this round, and where the others are."""
    many = len(here.ids)
    drawn = sorted(random.sample(range(many), min(many, MOST_DRIVERS)))
    left = sorted(set(range(many)).difference(drawn))
    points = _points(here)
    asked = Here(
        ids=tuple(here.ids[one] for one in drawn),
        lat=here.lat[drawn],
        lng=here.lng[drawn],
        at_s=here.at_s[drawn],
    )
    return asked, [points[one] for one in left]


def _points(here: Here) -> list[tuple[float, float]]:
    return list(zip(here.lat.tolist(), here.lng.tolist(), strict=True))
