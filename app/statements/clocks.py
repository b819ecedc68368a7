"""Three clocks of a driver at work: waiting for a ride, driving to a rider, and with one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class ShiftTimes:
    """When a shift began and ended; None while it is open."""

    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class RideTimes:
    """When a driver took a ride, when the rider was in the car, and when it was over."""

    assigned_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Seconds of each kind; a second is of one kind only, whatever goes on in it."""

    available_s: int
    dispatch_s: int
    on_trip_s: int
    online_s: int


def read_clocks(
    shifts: Iterable[ShiftTimes],
    rides: Iterable[RideTimes],
    *,
    since: datetime,
    until: datetime,
    now: datetime,
) -> Clocks:
    """Return what the clocks ran in [since, until), of which nothing after `now` has happened.

    Online is who is on shift or has a ride. On trip is who has a rider in the car, on dispatch who
    has a ride and no rider yet, available who has neither. Rides at once count once; what is open
    lasts until `now`. Moments are cut to whole seconds first, so periods add up exactly.

    Refused (ValueError): a period that ends before it begins.
    """
    # As seconds: moments of one time zone are compared by the clock on the wall, which goes back.
    first, last = _second(since), _second(until)
    if last < first:
        raise ValueError(f"a period cannot end at {until}, before {since}")
    last = min(last, max(_second(now), first))
    changes: list[tuple[int, int, int]] = []
    for shift in shifts:
        changes += _changes(shift.started_at, shift.ended_at or now, kind=_ON_SHIFT)
    for ride in rides:
        end = ride.ended_at or now
        changes += _changes(ride.assigned_at, ride.started_at or end, kind=_DISPATCH)
        if ride.started_at is not None:
            changes += _changes(ride.started_at, end, kind=_ON_TRIP)
    ran = dict.fromkeys((_ON_SHIFT, _DISPATCH, _ON_TRIP), 0)
    for start, end_s, kind in _stretches(sorted(changes)):
        ran[kind] += max(0, min(end_s, last) - max(start, first))
    return Clocks(
        available_s=ran[_ON_SHIFT],
        dispatch_s=ran[_DISPATCH],
        on_trip_s=ran[_ON_TRIP],
        online_s=sum(ran.values()),
    )


# What somebody does at a moment is the last of these that is so.
_ON_SHIFT, _DISPATCH, _ON_TRIP = range(3)


def _second(moment: datetime) -> int:
    return int(moment.timestamp() // 1)


def _changes(start: datetime, end: datetime, *, kind: int) -> list[tuple[int, int, int]]:
    """Return that one more of a kind begins, and ends; nothing where no second lies between."""
    first, last = _second(start), _second(end)
    return [(first, kind, 1), (last, kind, -1)] if first < last else []


def _stretches(changes: list[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and kind of each stretch in which what goes on stays the same."""
    under_way = [0, 0, 0]
    for (at, kind, step), (following, _, _) in pairwise(changes):
        under_way[kind] += step
        if following > at and any(under_way):
            yield at, following, max(kind for kind, many in enumerate(under_way) if many)
