"""What each driver kept over the last week, and how long she was online for it."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from matching.arrays import FloatArray, IntArray
from matching.fairness import underpaid
from matching.replay.day import Day, Places, Shifts
from matching.replay.times import crow_m
from matching.travel import StraightLine

DAY_S = 86_400.0
WEEK_DAYS = 7
# Two usual fares: a difference of one ride must not already count in full, see the research of
# W = 120 s, where a scale of one fare cost twice the pickup time for the same fairness.
SCALE_FARES = 2.0
# Metres by road where only the crow's flight is known.
USUAL_ROAD = StraightLine()


def empty_m(places: Places, start: IntArray, *, end: IntArray) -> FloatArray:
    """Metres driven without a rider: the crow's flight by a usual detour, element by element."""
    return USUAL_ROAD.drive_m(crow_m(places, start, end=end))


def online_s(shifts: Shifts, *, end_s: FloatArray, until_s: FloatArray | float) -> FloatArray:
    """Seconds on shift per driver, up to `until_s`, where each shift really ended at `end_s`."""
    length_s = np.maximum(np.minimum(end_s, until_s) - shifts.start_s, 0)
    return np.bincount(shifts.driver, weights=length_s)


class Week:
    """Totals per driver that only grow, less what they were a week ago.

    The week moves by whole days of the replay: it is today and the six days before.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._today = 0
        self._at_midnight = deque([np.zeros(shape)], maxlen=WEEK_DAYS)

    def recent(self, totals: NDArray[np.float64], *, now_s: float) -> NDArray[np.float64]:
        """What of these totals belongs to the week. To be asked in order of time."""
        for _ in range(self._today, int(now_s // DAY_S)):
            self._today += 1
            self._at_midnight.append(totals.copy())
        return totals - self._at_midnight[0]


class Takings:
    """What every driver has kept: fares net of commission, less the cost of driving empty."""

    def __init__(self, day: Day) -> None:
        self._shifts = day.shifts
        self._cost_per_m = day.rules.empty_km_cost_minor / 1000
        self.kept_minor = np.zeros(int(day.shifts.driver.max(initial=-1)) + 1)
        fares = day.requests.net_minor
        mean_minor = float(fares.mean()) if len(fares) else 0.0
        # Where nobody earns anything, nobody lacks anything by any scale.
        self._scale_minor = SCALE_FARES * mean_minor or 1.0
        self._week = Week((2, len(self.kept_minor)))

    def add(self, shift: int, *, net_minor: float = 0.0, empty_m: float = 0.0) -> None:
        """This shift's driver was paid for a ride or drove empty."""
        driver = int(self._shifts.driver[shift])
        self.kept_minor[driver] += net_minor - empty_m * self._cost_per_m

    def underpaid(self, now_s: float, *, busy_until_s: FloatArray, end_s: FloatArray) -> FloatArray:
        """How underpaid each shift's driver is now, see `matching.fairness`.

        A ride under way counts with all its pay and all its time, which ends at `busy_until_s`.
        """
        until_s = np.maximum(busy_until_s, now_s)
        totals = np.stack((self.kept_minor, online_s(self._shifts, end_s=end_s, until_s=until_s)))
        kept_minor, recent_s = self._week.recent(totals, now_s=now_s)
        # A ride that ends tomorrow was counted today, so that a sum may shrink by a hair.
        lacking = underpaid(
            kept_minor, online_s=np.maximum(recent_s, 0), scale_minor=self._scale_minor
        )
        return np.asarray(lacking[self._shifts.driver])
