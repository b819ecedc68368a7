"""How long the drive from one place of the day to another takes."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from matching.arrays import FloatArray, IntArray
from matching.replay.day import Places
from matching.travel import StraightLine, great_circle_m


class DriveTimes(Protocol):
    """Seconds of driving between places of the day, element by element; nan: there is no way."""

    def drive_s(self, start: IntArray, *, end: IntArray) -> FloatArray:
        """Seconds from each place in `start` to its counterpart in `end`."""


@dataclass(frozen=True, slots=True, eq=False)
class LineTimes:
    """The crow's flight at a usual detour and speed, after a constant to set off."""

    places: Places
    line: StraightLine
    constant_s: float = 60.0

    def drive_s(self, start: IntArray, *, end: IntArray) -> FloatArray:
        """Seconds from each place in `start` to its counterpart in `end`."""
        return self.constant_s + self.line.drive_s(crow_m(self.places, start, end=end))


@dataclass(frozen=True, slots=True, eq=False)
class ZoneTimes:
    """A table of seconds between zones, and the zone in which each place lies."""

    zone_of: IntArray
    between_s: FloatArray

    def drive_s(self, start: IntArray, *, end: IntArray) -> FloatArray:
        """Seconds from each place in `start` to its counterpart in `end`."""
        return np.asarray(self.between_s[self.zone_of[start], self.zone_of[end]])


def crow_m(places: Places, start: IntArray, *, end: IntArray) -> FloatArray:
    """Metres as the crow flies between places, element by element."""
    return great_circle_m(
        from_lat=places.lat[start],
        from_lng=places.lng[start],
        to_lat=places.lat[end],
        to_lng=places.lng[end],
    )
