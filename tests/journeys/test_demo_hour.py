"""The hour that a demo plans: when it is, who rides, who drives, and what it is called."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.city import CityError, Trip, load_city
from app.demo.demand import DemoHour, needed_drivers, plan_hour
from app.settings import BUILT_IN_CITY
from matching.travel import Point

CHECKOUT = Path(__file__).parents[2]
SAN_FRANCISCO = Path(
    os.environ.get("MEENT_SAN_FRANCISCO", CHECKOUT.parent / "shared" / "data" / "san-francisco")
)
VADUZ = ZoneInfo("Europe/Vaduz")
BOTH = (
    (BUILT_IN_CITY, "generated", datetime(2026, 5, 22, 17, tzinfo=VADUZ)),
    (SAN_FRANCISCO, "recorded", datetime(2008, 5, 24, 0, tzinfo=UTC)),
)
CITIES = [city for city in BOTH if city[0].is_dir()]
COLUMNS = "cab,pickup_ts,local,pickup_lat,pickup_lon,dropoff_lat,dropoff_lon,duration_s,trace_m\n"


def _hour(city: Path, home: Path, *, drivers: int | None = None, seed: int = 1) -> DemoHour:
    return plan_hour(load_city(city), home=home, start=None, minutes=60, drivers=drivers, seed=seed)


def _recorded_city(folder: Path, rows: list[str]) -> Path:
    toml = (BUILT_IN_CITY / "city.toml").read_text(encoding="utf-8")
    toml = toml.replace('roads = "roads.osm.pbf"', 'roads = "roads.osm.pbf"\ntrips = "trips.csv"')
    (folder / "city.toml").write_text(toml, encoding="utf-8")
    (folder / "roads.osm.pbf").write_bytes((BUILT_IN_CITY / "roads.osm.pbf").read_bytes())
    (folder / "trips.csv").write_text(COLUMNS + "".join(rows), encoding="utf-8")
    return folder


def _row(at: datetime) -> str:
    return f"7,{at.timestamp():.0f},local,47.14,9.52,47.16,9.51,300,2500\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where roads and places, once read, are kept for the next test."""
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize(("city", "kind", "start"), CITIES)
def test_a_city_opens_on_a_friday_at_five_in_its_own_time(
    city: Path, kind: str, start: datetime, home: Path
) -> None:
    hour = _hour(city, home)
    assert (hour.kind, hour.start) == (kind, start)
    assert all(hour.start <= rider.requests_at < hour.end for rider in hour.riders)
    assert len({rider.phone for rider in hour.riders}) == len(hour.riders) > 50
    assert {driver.stands_at for driver in hour.drivers} <= {r.pickup for r in hour.riders}


def test_one_seed_plans_one_hour_and_another_seed_another(home: Path) -> None:
    first = _hour(BUILT_IN_CITY, home)
    assert _hour(BUILT_IN_CITY, home) == first
    assert _hour(BUILT_IN_CITY, home, seed=2).drivers != first.drivers


def test_some_riders_book_long_before_and_nobody_before_the_opening(home: Path) -> None:
    hour = _hour(BUILT_IN_CITY, home)
    ahead = [rider for rider in hour.riders if rider.books_at is not None]
    could = [rider for rider in hour.riders if rider.requests_at >= hour.start + _minutes(45)]
    assert 0 < len(ahead) < len(could)
    for rider in ahead:
        assert rider.books_at is not None
        assert hour.start <= rider.books_at <= rider.requests_at - _minutes(32)


def test_some_of_the_riders_who_go_at_once_let_others_ride_along(home: Path) -> None:
    riders = _hour(BUILT_IN_CITY, home).riders
    sharing = [rider for rider in riders if rider.shares]
    assert 0.05 * len(riders) < len(sharing) < 0.3 * len(riders)
    assert all(rider.books_at is None for rider in sharing)


def _minutes(many: float) -> timedelta:
    return timedelta(minutes=many)


def test_as_many_drivers_come_as_were_asked_for(home: Path) -> None:
    assert len(_hour(BUILT_IN_CITY, home, drivers=3).drivers) == 3


def test_a_recorded_city_opens_on_the_first_friday_at_five_of_its_record(tmp_path: Path) -> None:
    wednesday = datetime(2026, 5, 20, 10, tzinfo=UTC)
    rows = [_row(wednesday), _row(datetime(2026, 5, 22, 15, 30, tzinfo=UTC))]
    rows.append(_row(wednesday + timedelta(days=7)))
    hour = _hour(_recorded_city(tmp_path, rows), tmp_path)
    assert hour.kind == "recorded"
    assert hour.start == datetime(2026, 5, 22, 17, tzinfo=VADUZ)
    assert [rider.drive_s for rider in hour.riders] == [300]


def test_a_record_without_a_friday_at_five_opens_with_its_first_hour(tmp_path: Path) -> None:
    hour = _hour(
        _recorded_city(tmp_path, [_row(datetime(2026, 5, 20, 10, 42, tzinfo=UTC))]), tmp_path
    )
    assert hour.start == datetime(2026, 5, 20, 10, tzinfo=UTC)


def test_an_empty_record_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CityError, match="no trips in it"):
        _hour(_recorded_city(tmp_path, []), tmp_path)


def test_drivers_follow_the_demand() -> None:
    trip = Trip(
        kind="recorded",
        requested_at=datetime(2026, 5, 22, 15, tzinfo=UTC),
        pickup=Point(lat=47.14, lng=9.52),
        dropoff=Point(lat=47.16, lng=9.51),
        duration_s=310,
    )
    # Ten minutes each, of which 60 an hour: ten are busy at any moment, at a share of 0.6.
    assert needed_drivers([trip] * 60, minutes=60) == 17
    assert needed_drivers([trip], minutes=60) == 5
