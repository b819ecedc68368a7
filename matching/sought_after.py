"""How soon another rider will ask near a driver, as the last minutes let one expect."""

import numpy as np

from matching.arrays import FloatArray
from matching.compiled import compiled
from matching.travel import EARTH_RADIUS_M

REACH_M = 1500.0
"""Riders and drivers further off than this do not count as near."""

RECENT_S = 900.0
"""The requests of so many seconds say what comes next."""

AHEAD_S = 600.0
"""Riders of so many seconds ahead are expected: about as long as a drive and its ride take."""


def sought_after(
    *, lat: FloatArray, lng: FloatArray, asked_lat: FloatArray, asked_lng: FloatArray
) -> FloatArray:
    """Per driver e / (1 + e), where e riders are expected near her for each driver who is near.

    `lat`, `lng` are where drivers are or soon will be free, `asked_lat`, `asked_lng` the pickups of
    the last `RECENT_S`; degrees. The result grows from 0, where nobody asked, towards 1. Who is
    near counts by 1 - (distance / `REACH_M`)^2, Epanechnikov's kernel, so that nobody matters more
    by one step; a driver is near herself. Distances are those of a flat map about the drivers.
    """
    if not len(lat) or not len(asked_lat):
        return np.zeros(len(lat))
    # Around its own middle a city is flat enough, wherever on Earth it lies.
    scale_m = np.radians(1) * EARTH_RADIUS_M
    wide_m = scale_m * np.cos(np.radians(lat.mean()))
    middle = lng[0]
    east, north = _eastward(lng, middle) * wide_m, lat * scale_m
    asked_east, asked_north = _eastward(asked_lng, middle) * wide_m, asked_lat * scale_m
    asked = _near(east, north, asked_east, asked_north, REACH_M)
    drivers = _near(east, north, east, north, REACH_M)
    expected = asked * (AHEAD_S / RECENT_S) / drivers
    return np.asarray(expected / (1 + expected))


def _eastward(lng: FloatArray, middle: float) -> FloatArray:
    """Degrees east of the middle, the short way round the Earth."""
    return np.asarray((lng - middle + 180) % 360 - 180)


@compiled
def _near(
    east: FloatArray,
    north: FloatArray,
    other_east: FloatArray,
    other_north: FloatArray,
    reach: float,
) -> FloatArray:
    """For each point how much of the others is near it."""
    sums = np.zeros(len(east))
    for one in range(len(east)):
        for other in range(len(other_east)):
            across, up = other_east[other] - east[one], other_north[other] - north[one]
            part = (across * across + up * up) / (reach * reach)
            if part < 1:
                sums[one] += 1 - part
    return sums
