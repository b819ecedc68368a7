"""Where every driver is now: newest position wins, and the nearest of them are found exactly."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

import h3.api.basic_int as h3
import numpy as np

from matching.arrays import BoolArray, FloatArray, IntArray, floats
from matching.nearest import PointTree
from matching.problem import Id

CELL_RESOLUTION = 8
"""H3 resolution of the key: cells of about 0.7 km², 530 m from centre to corner."""

_FIRST_SLOTS = 64
_NOT_YET = 0  # no H3 cell has this number
_LATEST_S = np.finfo(np.float64).max


class IndexFullError(Exception):
    """The index holds as many drivers as it may; nothing was changed."""


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """Copies of what the index knew: one entry per driver.

    Degrees, and device time in seconds since the epoch.
    """

    ids: tuple[Id, ...]
    lat: FloatArray
    lng: FloatArray
    at_s: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class NearestDrivers:
    """Riders and drivers near them, ordered by rider and then by distance; one entry per pair.

    `rider` is a position in the arrays that were asked, `distance_m` the great circle.
    """

    rider: IntArray
    driver_ids: tuple[Id, ...]
    distance_m: FloatArray


class LocationIndex:
    """Up to `capacity` drivers with one position each, for one thread.

    Positions stand in slots of numpy arrays, without holes: the last slot fills the place of one
    that is removed. Memory grows by doubling. The H3 cell is worked out when it is asked for, since
    a driver reports many times in between. Times are the device's own, in seconds since the epoch.
    Refused: a capacity below 1.
    """

    def __init__(self, *, capacity: int = 100_000) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, got {capacity}")
        self._capacity = capacity
        self._slot_by_id: dict[Id, int] = {}
        self._ids: list[Id] = []
        self._evicted_before_s = -np.inf
        slots = min(_FIRST_SLOTS, capacity)
        self._lat = np.zeros(slots)
        self._lng = np.zeros(slots)
        self._at_s = np.zeros(slots)
        self._cell = np.full(slots, _NOT_YET, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, driver_id: Id) -> bool:
        return driver_id in self._slot_by_id

    def update(self, driver_id: Id, *, lat: float, lng: float, at_s: float) -> bool:
        """The driver is at this position, and True; or nothing changed, and False.

        False if a position of the same time or newer is known, or this one is older than the last
        eviction. Raises IndexFullError for a new driver beyond the capacity. Refused: numbers
        outside the Earth, or none.
        """
        if not -90 <= lat <= 90:
            raise ValueError(f"lat must be from -90 to 90, got {lat}")
        if not -180 <= lng <= 180:
            raise ValueError(f"lng must be from -180 to 180, got {lng}")
        if not isfinite(at_s):
            raise ValueError(f"at_s must be a time, got {at_s}")
        slot = self._slot_by_id.get(driver_id)
        known_s = self._evicted_before_s if slot is None else self._at_s[slot]
        if at_s < known_s or (slot is not None and at_s == known_s):
            return False
        if slot is None:
            slot = self._new_slot(driver_id)
        self._lat[slot] = lat
        self._lng[slot] = lng
        self._at_s[slot] = at_s
        self._cell[slot] = _NOT_YET
        return True

    def update_many(
        self, driver_ids: Sequence[Id], *, lat: FloatArray, lng: FloatArray, at_s: FloatArray
    ) -> BoolArray:
        """As if each were given to `update` in turn; for each, whether it was taken.

        Many known drivers at once cost a fraction of one by one. A driver beyond the capacity
        raises IndexFullError when those before her are in. Refused, and nothing changed: a column
        of another length, numbers outside the Earth, or none.
        """
        many = len(driver_ids)
        lat = floats(lat, name="lat", low=-90, high=90, length=many)
        lng = floats(lng, name="lng", low=-180, high=180, length=many)
        at_s = floats(at_s, name="at_s", low=-_LATEST_S, high=_LATEST_S, length=many)
        known = self._slot_by_id
        slots = [known.get(driver_id, -1) for driver_id in driver_ids]
        if -1 in slots or len(set(slots)) < many:
            # Strangers need a slot, and of one driver's positions each must know the one before.
            columns = (lat.tolist(), lng.tolist(), at_s.tolist())
            each = zip(driver_ids, *columns, strict=True)
            return np.array([self.update(one, lat=a, lng=o, at_s=t) for one, a, o, t in each], bool)
        slot = np.array(slots, dtype=np.int64)
        taken: BoolArray = at_s > self._at_s[slot]
        newer = slot[taken]
        self._lat[newer] = lat[taken]
        self._lng[newer] = lng[taken]
        self._at_s[newer] = at_s[taken]
        self._cell[newer] = _NOT_YET
        return taken

    def remove(self, driver_id: Id) -> bool:
        """The driver is not in the index; True if she was."""
        slot = self._slot_by_id.pop(driver_id, None)
        if slot is None:
            return False
        last_id = self._ids.pop()
        last = len(self._ids)
        if slot != last:
            for column in (self._lat, self._lng, self._at_s, self._cell):
                column[slot] = column[last]
            self._ids[slot] = last_id
            self._slot_by_id[last_id] = slot
        return True

    def evict_before(self, at_s: float) -> tuple[Id, ...]:
        """No position is older than `at_s`, nor will one be taken; who was removed."""
        self._evicted_before_s = max(self._evicted_before_s, at_s)
        stale = np.flatnonzero(self._at_s[: len(self._ids)] < at_s)
        gone = tuple(self._ids[slot] for slot in stale.tolist())
        for driver_id in gone:
            self.remove(driver_id)
        return gone

    def snapshot(self, ids: Iterable[Id] | None = None) -> Positions:
        """The positions of `ids` in their order, those unknown left out; without `ids` of all."""
        slots = self._slots(ids)
        return Positions(
            ids=tuple(self._ids[slot] for slot in slots.tolist()),
            lat=self._lat[slots],
            lng=self._lng[slots],
            at_s=self._at_s[slots],
        )

    def nearest(
        self,
        *,
        lat: FloatArray,
        lng: FloatArray,
        k: int,
        max_distance_m: float,
        among: Iterable[Id] | None = None,
    ) -> NearestDrivers:
        """The `k` drivers nearest to each point, none farther than `max_distance_m`.

        No one is missed: see `matching.nearest`. Only those `among`, if given. Refused: `k` below
        1, a negative distance.
        """
        slots = self._slots(among)
        tree = PointTree(lat=self._lat[slots], lng=self._lng[slots])
        near = tree.nearest(lat=lat, lng=lng, k=k, max_distance_m=max_distance_m)
        return NearestDrivers(
            rider=near.query,
            driver_ids=tuple(self._ids[slot] for slot in slots[near.point].tolist()),
            distance_m=near.distance_m,
        )

    def count_by_cell(
        self, *, resolution: int = CELL_RESOLUTION, among: Iterable[Id] | None = None
    ) -> dict[int, int]:
        """How many drivers stand in each H3 cell where there are any.

        Refused: a resolution other than 0 to `CELL_RESOLUTION`, finer than which no cell is kept.
        """
        if not 0 <= resolution <= CELL_RESOLUTION:
            raise ValueError(f"resolution must be from 0 to {CELL_RESOLUTION}, got {resolution}")
        cells, counts = np.unique(self._cells(self._slots(among)), return_counts=True)
        total: Counter[int] = Counter()
        for cell, count in zip(cells.tolist(), counts.tolist(), strict=True):
            total[h3.cell_to_parent(cell, resolution)] += count
        return dict(total)

    def _cells(self, slots: IntArray) -> IntArray:
        unknown = slots[self._cell[slots] == _NOT_YET]
        places = zip(self._lat[unknown].tolist(), self._lng[unknown].tolist(), strict=True)
        self._cell[unknown] = [h3.latlng_to_cell(*place, CELL_RESOLUTION) for place in places]
        return self._cell[slots]

    def _slots(self, ids: Iterable[Id] | None) -> IntArray:
        if ids is None:
            return np.arange(len(self._ids), dtype=np.int64)
        # A driver who is named twice is still one driver.
        found = (self._slot_by_id.get(one) for one in dict.fromkeys(ids))
        return np.array([slot for slot in found if slot is not None], dtype=np.int64)

    def _new_slot(self, driver_id: Id) -> int:
        slot = len(self._ids)
        if slot == self._capacity:
            raise IndexFullError(
                f"the location index is full: {self._capacity} drivers; remove or evict some, "
                "or start it with a larger capacity"
            )
        if slot == len(self._lat):
            slots = min(2 * slot, self._capacity)
            self._lat = np.resize(self._lat, slots)
            self._lng = np.resize(self._lng, slots)
            self._at_s = np.resize(self._at_s, slots)
            self._cell = np.resize(self._cell, slots)
        self._slot_by_id[driver_id] = slot
        self._ids.append(driver_id)
        return slot
