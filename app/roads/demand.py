"""Requests for a city without recorded trips: generated from a seed, and called generated."""

from datetime import UTC, datetime, timedelta

import numpy as np

from app.city import City, CityError, Trip
from app.roads.network import Floats, Indices
from app.roads.places import Kind, Place, Places
from app.roads.port import SERVICE_AREA_M
from app.roads.snapping import SnapIndex
from matching.travel import great_circle_m

# Nobody takes a taxi for less; most rides are short, and ever fewer are longer.
SHORTEST_TRIP_M = 800.0
USUAL_TRIP_M = 4_000.0
MAX_ENDS = 20_000
HOUR = timedelta(hours=1)

# How much likelier a ride begins or ends at such a place than at a house number.
WEIGHT_OF_KIND: dict[Kind, float] = {"poi": 4, "street": 2, "corner": 1, "address": 1}

# Requests by local hour, as shares of the busiest: a morning and an evening peak on working days,
# late evenings towards the weekend. Assumed; a city's own rides replace it.
# fmt: off
WORKING_DAY = (
    15, 10, 7, 5, 8, 20, 45, 80, 90, 65, 50, 50,
    55, 52, 50, 55, 68, 90, 95, 75, 60, 50, 40, 25,
)
FRIDAY = (*WORKING_DAY[:19], 90, 88, 90, 95, 85)
SATURDAY = (
    70, 62, 50, 30, 15, 12, 15, 22, 32, 45, 52, 58,
    60, 58, 56, 58, 62, 70, 80, 88, 88, 92, 98, 90,
)
SUNDAY = (
    75, 65, 50, 30, 15, 10, 12, 16, 25, 36, 45, 50,
    52, 50, 48, 50, 52, 55, 52, 45, 38, 30, 22, 15,
)
# fmt: on
HOUR_OF_WEEK = np.array([*WORKING_DAY * 4, *FRIDAY, *SATURDAY, *SUNDAY], dtype=np.float64)
HOUR_OF_WEEK /= HOUR_OF_WEEK.mean()


def generate_trips(
    city: City, *, places: Places, snap_index: SnapIndex, start: datetime, end: datetime
) -> list[Trip]:
    """Requests made up for [start, end), in order of time, each marked "generated".

    Arrivals are a Poisson process whose hourly rate follows the local hour of the week and
    averages `requests_per_hour` over a week. Each hour has a seed of its own, so that an hour
    holds the same trips whatever stretch it is asked in. Both ends are named places inside the
    service area, 800 m or more apart. `CityError` where the extract has no two such places.
    """
    if city.demand is None:
        raise ValueError("this city has recorded trips and nothing to generate from")
    ends = _Ends(city, places=places, snap_index=snap_index)
    trips: list[Trip] = []
    hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour < end:
        hour_number = int(hour.timestamp()) // 3600
        random = np.random.default_rng([city.demand.seed, hour_number])
        local = hour.astimezone(city.time_zone)
        rate = city.demand.requests_per_hour * HOUR_OF_WEEK[local.weekday() * 24 + local.hour]
        for after_s in np.sort(random.uniform(0, 3600, random.poisson(rate))):
            pickup, dropoff = ends.pair(random)
            requested_at = hour + timedelta(seconds=float(after_s))
            if start <= requested_at < end:
                trips.append(
                    Trip(
                        kind="generated",
                        requested_at=requested_at,
                        pickup=pickup.point,
                        dropoff=dropoff.point,
                    )
                )
        hour += HOUR
    return trips


class _Ends:
    """The places where generated rides begin and end."""

    def __init__(self, city: City, *, places: Places, snap_index: SnapIndex) -> None:
        self._places: list[Place] = [
            place
            # Of a metropolis every second or third place will do.
            for place in places.rows[:: 1 + len(places.rows) // MAX_ENDS]
            if snap_index.snap(place.point).snapped.distance_m <= SERVICE_AREA_M
        ]
        self._lat = np.array([place.lat for place in self._places])
        self._lng = np.array([place.lng for place in self._places])
        self._weight = np.array([WEIGHT_OF_KIND[place.kind] for place in self._places])
        starts = self._with_a_place_far_enough()
        if not len(starts):
            raise CityError(
                f"{city.roads}: no two named places {SHORTEST_TRIP_M:.0f} m apart to generate "
                f"trips between; use a larger extract or name recorded trips in files.trips"
            )
        self._starts = starts
        start_weight = self._weight[self._starts]
        self._start_share = start_weight / start_weight.sum()

    def pair(self, random: np.random.Generator) -> tuple[Place, Place]:
        """A pickup and a drop-off; near ones are likelier than far ones."""
        pickup = int(random.choice(self._starts, p=self._start_share))
        weight = self._onward(pickup)
        dropoff = int(random.choice(len(weight), p=weight / weight.sum()))
        return self._places[pickup], self._places[dropoff]

    def _with_a_place_far_enough(self) -> Indices:
        """The places that lie 800 m from the outermost in the north, south, east or west.

        A place with no other far enough away can be no pickup: its search would never end.
        """
        if not self._places:
            return np.array([], dtype=np.int64)
        outermost = [
            self._lat.argmax(),
            self._lat.argmin(),
            self._lng.argmax(),
            self._lng.argmin(),
        ]
        far = np.logical_or.reduce([self._onward(int(number)) > 0 for number in outermost])
        return np.flatnonzero(far)

    def _onward(self, pickup: int) -> Floats:
        """The weight of each place as the drop-off of a ride from this one."""
        away_m = great_circle_m(
            from_lat=self._lat[pickup],
            from_lng=self._lng[pickup],
            to_lat=self._lat,
            to_lng=self._lng,
        )
        return np.where(
            away_m >= SHORTEST_TRIP_M, self._weight * np.exp(-away_m / USUAL_TRIP_M), 0.0
        )
