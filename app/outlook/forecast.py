"""How many riders will ask where: this city's own last weeks, and a guess while they are few."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import h3.api.basic_int as h3
import numpy as np

from app.city import City, read_trips
from app.outlook.models import Basis
from app.roads.demand import HOUR_OF_WEEK, WEIGHT_OF_KIND
from app.roads.places import Place
from app.roads.service import hour_of_week
from matching.arrays import BoolArray, FloatArray, IntArray
from matching.location_index import CELL_RESOLUTION

AHEAD = timedelta(minutes=30)
# Weeks ago at this time, and as much before and after: three times as many rides tell of it.
WEEKS, ASIDE = 8, AHEAD
# The guess weighs as much as so many weeks of the city's own; until they are over it leads.
GUESS_WEEKS = 3.0
# One person's way to work must not show. Fewer riders than this single no cell out.
LEAST_RIDERS = 5
# The busiest cells; in another nobody is told to wait.
MOST_CELLS = 100
FIRST_MOMENT = datetime(1970, 1, 2, tzinfo=UTC)
LAST_MOMENT = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Guess:
    """What is to be expected of a city nobody knows yet.

    `share` is each cell's part of all requests and adds up to 1, or to 0 where nothing is known.
    """

    share: Mapping[int, float]
    requests_per_hour: float  # averaged over a week

    def expected(self, at: datetime, *, time_zone: ZoneInfo) -> dict[int, float]:
        """Return the requests to expect in each cell in the time ahead."""
        load = HOUR_OF_WEEK[hour_of_week(at + AHEAD / 2, time_zone=time_zone)]
        requests = self.requests_per_hour * load * (AHEAD / timedelta(hours=1))
        return {cell: float(requests * share) for cell, share in self.share.items()}


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch [start, end) of an earlier week."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """So many requests of one rider from about this place; it is rounded to a hundred metres."""

    lat: float
    lng: float
    rider_id: UUID
    many: int


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """The requests to expect in each cell in the time ahead, the busiest cell first.

    Arrays of one length. `is_own` says where the city's own rides outweigh the guess.
    """

    cells: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    expected: FloatArray = field(default_factory=lambda: np.empty(0))
    is_own: BoolArray = field(default_factory=lambda: np.empty(0, dtype=bool))

    def basis(self, number: int) -> Basis:
        """Return what the expectation of this cell rests on."""
        return Basis.HISTORY if self.is_own[number] else Basis.CITY


def guess_city(city: City, places: Iterable[Place]) -> Guess:
    """Return a guess by the city's recorded trips, or where there are none by its named places.

    Blocks for a second per 50,000 trips. How demand goes through a week is assumed in both cases.
    """
    weight: defaultdict[int, float] = defaultdict(float)
    if city.demand is not None:
        for place in places:
            weight[_cell(place.lat, place.lng)] += WEIGHT_OF_KIND[place.kind]
        return Guess(_shares(weight), city.demand.requests_per_hour)
    trips = read_trips(city, start=FIRST_MOMENT, end=LAST_MOMENT)
    for trip in trips:
        weight[_cell(trip.pickup.lat, trip.pickup.lng)] += 1
    hours = 1.0
    if trips:
        recorded = trips[-1].requested_at - trips[0].requested_at
        hours = max(recorded / timedelta(hours=1), 1.0)
    return Guess(_shares(weight), len(trips) / hours)


def earlier_weeks(now: datetime, *, time_zone: ZoneInfo, since: datetime | None) -> list[Window]:
    """Return the same time of the last weeks by the wall clock, as far as they lie after `since`.

    Where nothing is on record, since is None, there is none.
    """
    if since is None:
        return []
    wall = now.astimezone(time_zone).replace(tzinfo=None)
    begins = [
        (wall - timedelta(weeks=ago) - ASIDE).replace(tzinfo=time_zone).astimezone(UTC)
        for ago in range(1, WEEKS + 1)
    ]
    return [Window(begin, begin + AHEAD + 2 * ASIDE) for begin in begins if begin >= since]


def forecast(guess: Mapping[int, float], history: Sequence[Asked], *, weeks: int) -> Forecast:
    """Return what to expect, made of the guess for the time ahead and so many weeks of history.

    Each is weighted by its weeks. Requests from a cell with fewer than 5 riders in all those weeks
    count for the whole city and are spread as the guess is: no cell tells of a single person.
    """
    asked, withheld = _by_cell(history)
    guessed = sum(guess.values())
    part = AHEAD / (AHEAD + 2 * ASIDE)
    expected: dict[int, float] = {}
    for cell in guess.keys() | asked.keys():
        share = guess.get(cell, 0.0) / guessed if guessed else 0.0
        own = part * (asked.get(cell, 0) + share * withheld)
        expected[cell] = (GUESS_WEEKS * guess.get(cell, 0.0) + own) / (GUESS_WEEKS + weeks)
    busiest = sorted(expected, key=lambda cell: (-expected[cell], cell))[:MOST_CELLS]
    return Forecast(
        cells=np.array(busiest, dtype=np.int64),
        expected=np.array([expected[cell] for cell in busiest], dtype=np.float64),
        is_own=np.array([weeks > GUESS_WEEKS and cell in asked for cell in busiest], dtype=bool),
    )


def _by_cell(history: Sequence[Asked]) -> tuple[dict[int, int], int]:
    """The requests of each cell with enough riders, and how many came from all the others."""
    many: Counter[int] = Counter()
    riders: defaultdict[int, set[UUID]] = defaultdict(set)
    for asked in history:
        cell = _cell(asked.lat, asked.lng)
        many[cell] += asked.many
        riders[cell].add(asked.rider_id)
    enough = {cell: times for cell, times in many.items() if len(riders[cell]) >= LEAST_RIDERS}
    return enough, many.total() - sum(enough.values())


def _shares(weight: Mapping[int, float]) -> dict[int, float]:
    whole = sum(weight.values())
    return {cell: one / whole for cell, one in weight.items()}


def _cell(lat: float, lng: float) -> int:
    return int(h3.latlng_to_cell(lat, lng, CELL_RESOLUTION))
