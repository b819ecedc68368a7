"""Where riders were to be expected, as somebody would have known it before the day."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

from app.city import City, Trip
from app.replay.plan import Stretch, read_history
from matching.arrays import IntArray
from matching.location_index import CELL_RESOLUTION
from matching.replay.day import Outlook

HOUR = timedelta(hours=1)
# A city has no more cells worth waiting in than this; the busiest count.
MOST_CELLS = 300


def make_outlook(city: City, stretch: Stretch, *, home: Path) -> Outlook:
    """Return what to expect in each hour of the stretch, from other days than that hour's own.

    Expected in a cell is the mean of its requests at that hour of day, over the other days of the
    record that are of the same kind: working days, or weekends. Where there are none, over all
    other days. A generated city's record is the week before. Blocks while trips are read.
    """
    cells, place = _cells(stretch.trips)
    history = read_history(city, stretch=stretch, home=home)
    return Outlook(place=place, per_hour=_expected(history, stretch, cells=cells))


def _cells(trips: Sequence[Trip]) -> tuple[IntArray, IntArray]:
    """The busiest cells of these pickups, and per cell the number of the one nearest its middle."""
    cell_of = np.array([_cell(trip) for trip in trips], dtype=np.int64)
    cells, times = np.unique(cell_of, return_counts=True)
    cells = np.sort(cells[np.argsort(-times, kind="stable")[:MOST_CELLS]])
    places = []
    for cell in cells.tolist():
        lat, lng = h3.cell_to_latlng(cell)
        inside = np.flatnonzero(cell_of == cell)
        off = [
            (trips[at].pickup.lat - lat) ** 2 + (trips[at].pickup.lng - lng) ** 2
            for at in inside.tolist()
        ]
        places.append(int(inside[int(np.argmin(off))]))
    return cells, np.array(places, dtype=np.int64)


def _expected(history: Sequence[Trip], stretch: Stretch, *, cells: IntArray) -> NDArray[np.float64]:
    zone = stretch.start.tzinfo
    column = {cell: at for at, cell in enumerate(cells.tolist())}
    counted: dict[datetime, NDArray[np.float64]] = {}
    for trip in history:
        hour = trip.requested_at.astimezone(zone).replace(minute=0, second=0, microsecond=0)
        row = counted.setdefault(hour, np.zeros(len(cells)))
        at = column.get(_cell(trip))
        if at is not None:
            row[at] += 1
    rows = []
    moment = stretch.start
    while moment < stretch.end:
        rows.append(_mean_of_others(counted, moment, cells=len(cells)))
        moment += HOUR
    return np.array(rows)


def _mean_of_others(
    counted: dict[datetime, NDArray[np.float64]], moment: datetime, *, cells: int
) -> NDArray[np.float64]:
    same_hour = [
        hour for hour in counted if hour.hour == moment.hour and hour.date() != moment.date()
    ]
    alike = [hour for hour in same_hour if (hour.weekday() >= 5) == (moment.weekday() >= 5)]
    rows = [counted[hour] for hour in alike or same_hour]
    return np.mean(rows, axis=0) if rows else np.zeros(cells)


def _cell(trip: Trip) -> int:
    return int(h3.latlng_to_cell(trip.pickup.lat, trip.pickup.lng, CELL_RESOLUTION))
