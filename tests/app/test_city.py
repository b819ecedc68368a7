"""A city folder is opened whole, or refused in one clear line."""

import gzip
import hashlib
import os
import shutil
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from app.assembly.founding import statutes_hash
from app.city import TRIP_COLUMNS, City, CityError, load_city, read_trips

CHECKOUT = Path(__file__).parents[2]
LIECHTENSTEIN = CHECKOUT / "app" / "demo" / "cities" / "liechtenstein"
SAN_FRANCISCO = Path(
    os.environ.get("MEENT_SAN_FRANCISCO", CHECKOUT.parent / "shared" / "data" / "san-francisco")
)
CITIES = [folder for folder in (LIECHTENSTEIN, SAN_FRANCISCO) if folder.is_dir()]

# As the first release wrote them.
FIRST_STATUTES = """
[statutes]
commission_bp = 1500
commission_ceiling_bp = 2000
commission_largest_step_bp = 300
offer_time_s = 15
surge_cap_bp = 10000
fairness_weight_s = 120
pay_floor_per_hour_minor = 0
notice_days = {}
objection_days = {}
quorum_members = 9
houses = ["drivers", "riders"]
"""
HEADER = ",".join(TRIP_COLUMNS)
ROW = "221,1211180632,2008-05-19T00:03:52,37.78351,-122.4381,37.7916,-122.39953,443,3704.0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(LIECHTENSTEIN, tmp_path / "city")
    return tmp_path / "city"


def edit(folder: Path, *, old: str, new: str) -> None:
    toml = folder / "city.toml"
    text = toml.read_text(encoding="utf-8")
    assert old in text
    toml.write_text(text.replace(old, new, 1), encoding="utf-8")


def with_trips(folder: Path, content: str, *, name: str = "trips.csv") -> City:
    edit(folder, old='roads = "roads.osm.pbf"', new=f'roads = "roads.osm.pbf"\ntrips = "{name}"')
    packed = gzip.compress(content.encode()) if name.endswith(".gz") else content.encode()
    (folder / name).write_bytes(packed)
    return load_city(folder)


def refusal(folder: Path) -> str:
    with pytest.raises(CityError) as refused:
        load_city(folder)
    message = str(refused.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("folder", CITIES, ids=lambda folder: folder.name)
def test_a_city_holds_what_its_file_says(folder: Path) -> None:
    city = load_city(folder)
    written = tomllib.loads((folder / "city.toml").read_text(encoding="utf-8"))
    assert city.name == written["name"]
    assert city.time_zone.key == written["time_zone"]
    assert city.currency == written["currency"]
    assert list(city.languages) == written["languages"]
    assert city.attribution == written["attribution"]
    assert city.tariff.model_dump(exclude_unset=True) == written["tariff"]
    assert city.travel_time.model_dump() == written["travel_time"]
    figures = city.statutes.model_dump(mode="json")
    plain = {key: value for key, value in written["statutes"].items() if key in figures}
    assert plain.items() <= (figures | {"text_majority": "2/3"}).items()
    assert {"commission_bp", "offer_time_s", "houses"} <= plain.keys()
    assert city.slug == folder.name
    assert city.roads.is_file()


def test_the_built_in_city_calls_its_demand_generated() -> None:
    city = load_city(LIECHTENSTEIN)
    assert city.demand_kind == "generated"
    assert city.demand is not None
    assert city.demand.requests_per_hour == 90


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "Liech', 'nane = "Liech', "nane is not a known key; did you mean 'name'?"),
        ('name = "Liechtenstein"', "name = 7", "name must be the city's name; it is 7"),
        ('name = "Liechtenstein"', 'name = ""', "name must be the city's name; it is ''"),
        ("Europe/Vaduz", "Europe/Atlantis", "time_zone must be an IANA time zone"),
        ('"CHF"', '"Fr."', "currency must be three capital letters"),
        ('["en", "de"]', '["English"]', "languages must be language tags"),
        ('["en", "de"]', "[]", "languages must be language tags"),
        ("[tariff]", "[tarif]", "tarif is not a known key; did you mean 'tariff'?"),
        ("base_minor = 600", "", "tariff.base_minor is missing; add it: whole minor units"),
        ("base_minor = 600", "base_minor = 6.5", "tariff.base_minor must be whole minor units"),
        ("base_minor = 600", "base_minor = -1", "tariff.base_minor must be whole minor units"),
        ("base_minor = 600", "base_minor = true", "tariff.base_minor must be whole minor units"),
        ("base_minor = 600", 'base_minor = "6"', "tariff.base_minor must be whole minor units"),
        (
            "cancellation_minor = 600",
            "cancelation_minor = 600",
            "tariff.fees.cancelation_minor is not a known key; did you mean 'cancellation_minor'?",
        ),
        (
            "grace_s = 120",
            "grace_s = -1",
            "tariff.fees.grace_s must be whole seconds, 0 to 3600; it is -1",
        ),
        (
            "[tariff.fees]",
            '[[tariff.zones]]\nname = "Nowhere"\n[tariff.fees]',
            "tariff.zones: zone 'Nowhere': either cells, or three corners or more",
        ),
        ("minimum_minor = 1000", "minimum_minor = true", "tariff.minimum_minor must be whole"),
        ("base_minor = 600", "base_price = 6\nbase_minor = 6", "tariff.base_price is not a known"),
        ("commission_bp = 1500", "commission_bp = 10001", "statutes.commission_bp must be basis"),
        (
            "commission_bp = 1500",
            "commission_bp = 2001",
            "commission_bp must not exceed commission_",
        ),
        (
            "_ceiling_bp = 2000",
            "_ceiling_bp = 10001",
            "statutes.commission_ceiling_bp must be basis",
        ),
        (
            "surge_cap_bp = 10000",
            "surge_cap_bp = 9999",
            "statutes.surge_cap_bp must be basis points",
        ),
        ("offer_time_s = 15", "offer_time_s = 0", "statutes.offer_time_s must be whole seconds"),
        ('notice = "14 days"', "notice = 14", "statutes.notice must be a duration such as"),
        ('notice = "14 days"', 'notice = "14"', 'such as "14 days", in seconds, minutes, hours'),
        ('notice = "14 days"', 'notice = "-1 days"', "statutes.notice must be a duration such as"),
        ('notice = "14 days"', 'notice = "1.5 days"', "statutes.notice must be a duration such"),
        ('notice = "14 days"', 'notice = "521 weeks 1"', "statutes.notice must be a duration such"),
        ('notice = "14 days"', 'notice = "3651 days"', "statutes.notice must be a duration such"),
        ('notice = "14 days"', "notice_s = 14", "notice_s is not a known key; did you mean 'notic"),
        ('voting = "7 days"', 'voting = "0 days"', "statutes.voting must be a duration above 0"),
        ('"2/3"', '"1/2"', "statutes.text_majority must be a fraction above one half such as"),
        ('"2/3"', '"2/0"', "statutes.text_majority must be a fraction above one half such as"),
        ('"2/3"', "0.67", "statutes.text_majority must be a fraction above one half such as"),
        ("least_supporters = 5", "least_supporters = 0", "statutes.least_supporters must be memb"),
        ("reserve_bp = 2000", "reserve_bp = 9501", "statutes.reserve_bp and education_bp must"),
        (
            'notice = "14 days"',
            'notice = "14 days"\nnotice_days = 14',
            "statutes.notice_days is the older spelling of notice; keep one of the two",
        ),
        (
            'notice = "14 days"',
            "notice_days = 366",
            "statutes.notice_days must be whole days, 0 to 365; it is 366",
        ),
        (
            'notice = "14 days"',
            "notice_days = true",
            "statutes.notice_days must be whole days, 0 to 365; it is True",
        ),
        (
            'notice = "14 days"',
            "quorum_members = 0",
            "statutes.quorum_members must be members, 1 or more; it is 0",
        ),
        ('["drivers", "riders"]', '["drivers", "owners"]', "statutes.houses must be"),
        ('["drivers", "riders"]', "[]", "statutes.houses must be"),
        ('["drivers", "riders"]', '["riders", "riders"]', "statutes.houses must name each house"),
        ("factor = 1.15", "factor = 0", "travel_time.factor must be a factor above 0"),
        ("factor = 1.15", "factor = nan", "travel_time.factor must be a factor above 0"),
        ("constant_s = 45", "constant_s = -1", "travel_time.constant_s must be seconds, 0 to 3600"),
        ("requests_per_hour = 90", "requests_per_hour = 0", "demand.requests_per_hour must be"),
        ("seed = 1", "seed = -1", "demand.seed must be a whole number"),
        ("[demand]", "[files.demand]", "files.demand is not a known key"),
        (
            '"roads.osm.pbf"',
            '"other.osm.pbf"',
            "files.roads names 'other.osm.pbf', which is not th",
        ),
        ('roads = "roads.osm.pbf"', "", "files.roads is missing; add it"),
        ('[files]\nroads = "roads.osm.pbf"', "files = 3", "files must be a table; write [files]"),
        ("[tariff]", "[tariff", "not TOML"),
    ],
)
def test_a_bad_city_file_is_refused_by_its_key(folder: Path, old: str, new: str, said: str) -> None:
    edit(folder, old=old, new=new)
    message = refusal(folder)
    assert str(folder / "city.toml") in message
    assert said in message


@pytest.mark.parametrize(
    ("written", "notice_s"),
    [
        ("0 seconds", 0),
        ("1 second", 1),
        ("10 minutes", 600),
        ("36 hours", 129_600),
        ("7 days", 604_800),
        ("2 weeks", 1_209_600),
    ],
)
def test_a_duration_is_read_as_people_write_it(folder: Path, written: str, notice_s: int) -> None:
    edit(folder, old='notice = "14 days"', new=f'notice = "{written}"')
    assert load_city(folder).statutes.notice_s == notice_s


def first_edition(folder: Path, *, notice_days: int = 14, objection_days: int = 7) -> None:
    """Give a city the statutes as the first release wrote them."""
    toml = folder / "city.toml"
    now = toml.read_text(encoding="utf-8")
    toml.write_text(
        now[: now.index("[statutes]")] + FIRST_STATUTES.format(notice_days, objection_days),
        encoding="utf-8",
    )


def test_statutes_of_the_first_release_mean_what_they_meant(folder: Path) -> None:
    first_edition(folder, notice_days=21, objection_days=10)
    statutes = load_city(folder).statutes
    assert (statutes.notice_s, statutes.objection_s) == (21 * 86_400, 10 * 86_400)
    # What the first release did not ask is what a new city gets.
    assert (statutes.support_s, statutes.quorum_bp) == (14 * 86_400, 2_000)


def test_an_objection_window_of_no_days_is_read_as_the_shortest(folder: Path) -> None:
    first_edition(folder, notice_days=0, objection_days=0)
    statutes = load_city(folder).statutes
    assert (statutes.notice_s, statutes.objection_s) == (0, 1)


def test_a_file_of_the_first_release_does_not_look_edited(folder: Path) -> None:
    first_edition(folder)
    city = load_city(folder)
    # What the first release kept when it founded a city from this file.
    statutes = tomllib.loads(FIRST_STATUTES.format(14, 7))["statutes"]
    tariff = city.tariff.model_dump(exclude_defaults=True)
    kept = hashlib.sha256(orjson.dumps([statutes, tariff], option=orjson.OPT_SORT_KEYS)).digest()
    assert statutes_hash(city) == kept

    edit(folder, old="notice_days = 14", new="notice_days = 15")
    assert statutes_hash(load_city(folder)) != kept


def test_a_city_with_neither_trips_nor_demand_is_refused(folder: Path) -> None:
    edit(folder, old="[demand]", new="")
    edit(folder, old="requests_per_hour = 90", new="")
    edit(folder, old="seed = 1", new="")
    assert "demand is missing; add [demand]" in refusal(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "no such folder" in refusal(tmp_path / "nowhere")


def test_a_folder_without_a_city_file_is_refused(tmp_path: Path) -> None:
    assert "city.toml: missing" in refusal(tmp_path)


def test_a_city_file_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "city.toml").write_bytes(b"name = \xff\xfe")
    assert "not UTF-8 text" in refusal(folder)


def test_an_endless_city_file_is_refused(folder: Path) -> None:
    (folder / "city.toml").write_text("# endless\n" * 10_000, encoding="utf-8")
    assert "longer than 65536 bytes" in refusal(folder)


def test_an_empty_road_file_is_refused(folder: Path) -> None:
    (folder / "roads.osm.pbf").write_bytes(b"")
    assert "files.roads names 'roads.osm.pbf', which is empty" in refusal(folder)


def test_trips_of_another_form_are_refused(folder: Path) -> None:
    with pytest.raises(CityError, match=r"files\.trips must be a \.csv or \.csv\.gz file"):
        with_trips(folder, HEADER, name="trips.parquet")


@pytest.mark.parametrize("name", ["trips.csv", "trips.csv.gz"])
def test_recorded_trips_are_read_packed_or_plain(folder: Path, name: str) -> None:
    city = with_trips(folder, f"{HEADER}\n{ROW}\n", name=name)
    at = datetime.fromtimestamp(1211180632, tz=UTC)
    (trip,) = read_trips(city, start=at, end=at + timedelta(seconds=1))
    assert city.demand_kind == trip.kind == "recorded"
    assert trip.requested_at == at
    assert (trip.pickup.lat, trip.dropoff.lng) == (37.78351, -122.39953)
    assert (trip.cab, trip.duration_s, trip.trace_m) == ("221", 443, 3704)


def test_the_end_of_the_period_does_not_belong_to_it(folder: Path) -> None:
    city = with_trips(folder, f"{HEADER}\n{ROW}\n")
    at = datetime.fromtimestamp(1211180632, tz=UTC)
    assert read_trips(city, start=at - timedelta(hours=1), end=at) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "line 1 must be cab,pickup_ts"),
        ("a,b\n1,2\n", "line 1 must be cab,pickup_ts"),
        (f"{HEADER}\n{ROW}\n{ROW},9\n", "line 3"),
        (f"{HEADER}\n{ROW.replace('37.78351', '137.78351')}\n", "line 2: no such place"),
        (f"{HEADER}\n{ROW.replace('37.78351', 'nan')}\n", "line 2: no such place"),
        (f"{HEADER}\n{ROW.replace('1211180632', 'noon')}\n", "line 2: invalid literal"),
        (f"{HEADER}\n{ROW.replace('1211180632', '9' * 30)}\n", "line 2"),
        (f"{HEADER}\n{ROW.replace('443', '0')}\n", "line 2: a ride of 0.0 s"),
        (f"{HEADER}\n{ROW.replace('443', 'inf')}\n", "line 2: a ride of inf s"),
    ],
)
def test_a_bad_trip_is_refused_by_its_line(folder: Path, content: str, said: str) -> None:
    city = with_trips(folder, content or "\n")
    with pytest.raises(CityError) as refused:
        read_trips(city, start=datetime.fromtimestamp(0, tz=UTC), end=datetime.now(tz=UTC))
    assert said in str(refused.value)
    assert "trips.csv" in str(refused.value)


def test_a_damaged_packed_file_is_refused(folder: Path) -> None:
    city = with_trips(folder, f"{HEADER}\n{ROW}\n" * 50, name="trips.csv.gz")
    assert city.trips is not None
    city.trips.write_bytes(city.trips.read_bytes()[:60])
    with pytest.raises(CityError, match="cannot be read"):
        read_trips(city, start=datetime.fromtimestamp(0, tz=UTC), end=datetime.now(tz=UTC))


@pytest.mark.parametrize("folder", CITIES, ids=lambda folder: folder.name)
def test_a_city_has_the_rides_that_were_recorded_there_and_no_others(folder: Path) -> None:
    city = load_city(folder)
    five = datetime(2008, 5, 23, 17, tzinfo=city.time_zone)
    six = five + timedelta(hours=1)
    if city.demand_kind == "generated":
        with pytest.raises(ValueError, match="no recorded trips"):
            read_trips(city, start=five, end=six)
        return
    trips = read_trips(city, start=five, end=six)
    assert len(trips) == 417
    assert trips == sorted(trips, key=lambda trip: trip.requested_at)
