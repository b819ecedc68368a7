"""Driving: where a car is on its way, and how long the streets took it on the day."""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, pairwise
from math import cos, hypot, radians
from typing import Any

from matching.travel import Point

_METRES_PER_DEGREE = 111_195.0
TOP_SPEED_MPS = 45.0  # nobody here drives faster, whatever a record says


@dataclass(frozen=True, slots=True)
class Way:
    """A line of points and the metres from its start to each of them."""

    points: tuple[Point, ...]
    metres: tuple[float, ...]
    drive_s: float  # at the pace that the platform expects

    @classmethod
    def from_route(cls, route: dict[str, Any]) -> "Way":
        """Return the way of an answer of `GET /v1/routes`; GeoJSON puts the longitude first."""
        points = tuple(Point(lat=lat, lng=lng) for lng, lat in route["geometry"]["coordinates"])
        metres = tuple(accumulate((_metres(a, b) for a, b in pairwise(points)), initial=0.0))
        return cls(points, metres, float(route["duration_s"]))

    def at(self, share: float) -> Point:
        """Return the point at a share of the way, 0 to 1."""
        gone_m = self.metres[-1] * min(max(share, 0.0), 1.0)
        after = bisect_right(self.metres, gone_m)
        if after >= len(self.points):
            return self.points[-1]
        before = after - 1
        part = (gone_m - self.metres[before]) / (self.metres[after] - self.metres[before])
        a, b = self.points[before], self.points[after]
        return Point(lat=a.lat + (b.lat - a.lat) * part, lng=a.lng + (b.lng - a.lng) * part)

    def seconds(self, wanted_s: float | None) -> float:
        """Return the wanted seconds (None: the expected ones), or what the top speed allows."""
        return max(wanted_s or self.drive_s, self.metres[-1] / TOP_SPEED_MPS, 1.0)


def _metres(a: Point, b: Point) -> float:
    east = (b.lng - a.lng) * cos(radians((a.lat + b.lat) / 2))
    return hypot(b.lat - a.lat, east) * _METRES_PER_DEGREE


@dataclass(slots=True)
class Car:
    """Stands, or drives evenly along a way."""

    stands_at: Point
    _way: Way | None = None
    _began: datetime | None = None
    _drive_s: float = 0.0

    @property
    def is_driving(self) -> bool:
        """Whether the car is on a way."""
        return self._way is not None

    def is_on(self, way: Way) -> bool:
        """Return whether the car still drives on this way, or has since taken another."""
        return self._way is way

    def drive(self, way: Way, *, began: datetime, drive_s: float) -> None:
        """The car drives from now on."""
        self._way, self._began, self._drive_s = way, began, drive_s

    def stop(self, now: datetime) -> None:
        """The car stands where it has come to."""
        self.stands_at = self.where(now)
        self._way = None

    def where(self, now: datetime) -> Point:
        """Return where the car is."""
        if self._way is None or self._began is None:
            return self.stands_at
        return self._way.at((now - self._began).total_seconds() / self._drive_s)


@dataclass(frozen=True, slots=True)
class Traffic:
    """How long rides take on the street where that was recorded: the world's facts, nobody's data.

    The rider notes it when the ride is booked, the driver's car is bound by it.
    """

    drive_s: dict[str, float] = field(default_factory=dict)  # by ride
