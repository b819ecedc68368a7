"""Travel times by the city's own road engine, asked once for all zones of a day."""

from datetime import datetime

import h3
import numpy as np

from app.city import City
from app.operating.launch import lend_router
from app.roads.open import open_roads
from app.roads.port import Say
from app.settings import Settings
from matching.replay.day import Places
from matching.replay.times import ZoneTimes
from matching.travel import Point

# About 130 m across: a city's night touches some thousand, whose table fits in memory.
ZONE_RESOLUTION = 10
MOST_ZONES = 6000


class TooManyZonesError(Exception):
    """The day spans too much country for a table of times; one line says what to do."""


async def road_times(
    city: City, *, settings: Settings, places: Places, at: datetime, say: Say
) -> ZoneTimes:
    """Return seconds between the zones in which the places lie, as promised to riders at `at`.

    A zone stands for its places by the one that comes first, so that it lies on a road.
    """
    cells = [
        h3.latlng_to_cell(lat, lng, ZONE_RESOLUTION)
        for lat, lng in zip(places.lat.tolist(), places.lng.tolist(), strict=True)
    ]
    _, first, zone_of = np.unique(cells, return_index=True, return_inverse=True)
    if len(first) > MOST_ZONES:
        raise TooManyZonesError(
            f"{len(first)} zones are too many for a table of travel times: use --times line"
        )
    stands_for = [
        Point(lat=float(places.lat[place]), lng=float(places.lng[place])) for place in first
    ]
    async with (
        lend_router(city, settings, say=say) as router_url,
        open_roads(city, home=settings.home, router_url=router_url) as roads,
    ):
        say(f"{city.name}: asking the road engine for the times between {len(first)} zones")
        between_s = await roads.pickup_matrix(stands_for, destinations=stands_for, at=at)
    return ZoneTimes(zone_of=np.asarray(zone_of, dtype=np.int64), between_s=between_s)
