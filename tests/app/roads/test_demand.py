"""Made-up demand is seeded, plausible, inside the service area and called generated."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.city import City, CityError, Demand, load_city
from app.roads.demand import HOUR_OF_WEEK, SHORTEST_TRIP_M, generate_trips
from app.roads.places import Place, Places, build_places
from app.roads.snapping import SnapIndex
from matching.travel import Point, distance_m

FRIDAY_FIVE = datetime(2026, 5, 22, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def city(pbf: Path) -> City:
    return load_city(pbf.parent)


@pytest.fixture(scope="module")
def places(pbf: Path, road_home: Path) -> Places:
    return build_places(pbf, home=road_home)


def test_the_same_seed_makes_the_same_trips_and_another_seed_others(
    city: City, places: Places, snap_index: SnapIndex
) -> None:
    def trips(seed: int) -> list[object]:
        seeded = city.model_copy(update={"demand": Demand(requests_per_hour=90, seed=seed)})
        return list(
            generate_trips(
                seeded,
                places=places,
                snap_index=snap_index,
                start=FRIDAY_FIVE,
                end=FRIDAY_FIVE + HOUR,
            )
        )

    assert trips(1) == trips(1)
    assert trips(1) != trips(2)


def test_an_hour_holds_the_same_trips_whatever_stretch_is_asked(
    city: City, places: Places, snap_index: SnapIndex
) -> None:
    def trips(start: datetime, end: datetime) -> list[object]:
        return list(
            generate_trips(city, places=places, snap_index=snap_index, start=start, end=end)
        )

    half = FRIDAY_FIVE + HOUR / 2
    whole = trips(FRIDAY_FIVE, FRIDAY_FIVE + 2 * HOUR)
    assert trips(FRIDAY_FIVE, half) + trips(half, FRIDAY_FIVE + 2 * HOUR) == whole


def test_every_generated_trip_is_called_so_and_can_be_driven(
    city: City, places: Places, snap_index: SnapIndex
) -> None:
    trips = generate_trips(
        city,
        places=places,
        snap_index=snap_index,
        start=FRIDAY_FIVE,
        end=FRIDAY_FIVE + HOUR,
    )
    assert 100 < len(trips) < 260
    for trip in trips:
        assert trip.kind == city.demand_kind == "generated"
        assert FRIDAY_FIVE <= trip.requested_at < FRIDAY_FIVE + HOUR
        assert distance_m(trip.pickup, to=trip.dropoff) >= SHORTEST_TRIP_M
        for end in (trip.pickup, trip.dropoff):
            assert snap_index.snap(end).snapped.distance_m <= 500
    assert [trip.requested_at for trip in trips] == sorted(trip.requested_at for trip in trips)


def test_a_week_of_the_shape_averages_one() -> None:
    assert HOUR_OF_WEEK.shape == (168,)
    assert HOUR_OF_WEEK.mean() == pytest.approx(1)
    assert HOUR_OF_WEEK.min() > 0


def test_a_day_of_demand_has_its_peak_in_local_time(
    city: City, places: Places, snap_index: SnapIndex
) -> None:
    midnight = datetime(2026, 5, 20, tzinfo=city.time_zone)
    trips = generate_trips(
        city, places=places, snap_index=snap_index, start=midnight, end=midnight + 24 * HOUR
    )
    hours = [trip.requested_at.astimezone(city.time_zone).hour for trip in trips]
    assert sum(hour in (17, 18) for hour in hours) > 4 * sum(hour in (2, 3) for hour in hours)


def test_a_city_too_small_for_a_ride_is_refused_in_one_line(
    city: City, snap_index: SnapIndex
) -> None:
    vaduz = Point(lat=47.1396, lng=9.5216)
    hamlet = Places(
        Place(name=name, kind="poi", lat=vaduz.lat, lng=vaduz.lng) for name in ("inn", "church")
    )
    for too_little in (hamlet, Places([])):
        with pytest.raises(CityError, match="no two named places 800 m apart"):
            generate_trips(
                city,
                places=too_little,
                snap_index=snap_index,
                start=FRIDAY_FIVE,
                end=FRIDAY_FIVE + HOUR,
            )
