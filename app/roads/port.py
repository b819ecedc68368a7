"""What any road engine answers, and what the rest of the program may ask of one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from matching.travel import Point

# A point farther than this from every road cannot be driven to or from.
SERVICE_AREA_M = 500.0

type Seconds = NDArray[np.float64]
# Somebody who wants to hear, in one plain line, what is being done.
type Say = Callable[[str], None]


class OutsideServiceArea(ValueError):
    """No road lies within 500 m, or no way leads there; `distance_m` is None for the latter."""

    def __init__(self, point: Point, *, distance_m: float | None) -> None:
        self.point = point
        self.distance_m = distance_m
        super().__init__(
            "no way leads there by road"
            if distance_m is None
            else f"{distance_m:.0f} m from the nearest road; at most {SERVICE_AREA_M:.0f} m"
        )


class RouterUnavailable(Exception):
    """The road engine did not answer, or not in time."""


class RoadFileError(Exception):
    """The road extract cannot be used; one line names the file and what to do."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


@dataclass(frozen=True, slots=True)
class Snapped:
    """The nearest place on a road: where, how far from the point asked, and the street's name."""

    lat: float
    lng: float
    distance_m: float
    name: str

    @property
    def point(self) -> Point:
        """The same place as a point."""
        return Point(lat=self.lat, lng=self.lng)


@dataclass(frozen=True, slots=True)
class Route:
    """The way from one snapped end to the other; `geometry` holds (lat, lng), two or more.

    `is_estimate` is true where no road was followed: the distance and the time are guesses and
    the geometry is a straight line.
    """

    start: Snapped
    end: Snapped
    distance_m: float
    duration_s: float
    geometry: tuple[tuple[float, float], ...]
    is_estimate: bool


class Router(Protocol):
    """A road engine. Its seconds are raw: what they mean here, a `Calibration` knows."""

    @property
    def is_estimate(self) -> bool:
        """Whether the answers are guesses that follow no road."""
        ...

    async def nearest(self, point: Point) -> Snapped:
        """The nearest place on a road, however far that is; `RouterUnavailable`."""
        ...

    async def route(self, start: Point, *, end: Point) -> Route:
        """The quickest way by road; refuses with `OutsideServiceArea`, `RouterUnavailable`."""
        ...

    async def matrix(self, sources: Sequence[Point], *, destinations: Sequence[Point]) -> Seconds:
        """Seconds from each source (row) to each destination (column).

        nan where no way leads or an end lies outside the service area; `RouterUnavailable`.
        """
        ...


def check_service_area(point: Point, *, snapped: Snapped) -> None:
    """Refuses with `OutsideServiceArea` a point that was snapped farther than 500 m."""
    if snapped.distance_m > SERVICE_AREA_M:
        raise OutsideServiceArea(point, distance_m=snapped.distance_m)
