"""A city is a folder: city.toml, a road extract and, where there are any, recorded trips."""

import csv
import difflib
import gzip
import re
import tomllib
import unicodedata
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from app.statutes import Statutes
from app.tariff import Bounds, Charge, Fees, FixedFare, Night, Tariff, Vat, Zone
from matching.travel import Point

CITY_FILE = "city.toml"
MAX_CITY_FILE_BYTES = 64 * 1024
TRIP_ENDINGS = (".csv", ".csv.gz")
TRIP_COLUMNS = (
    "cab",
    "pickup_ts",
    "local",
    "pickup_lat",
    "pickup_lon",
    "dropoff_lat",
    "dropoff_lon",
    "duration_s",
    "trace_m",
)
MAX_TRIPS = 2_000_000
MAX_TRIP_S = 24 * 3600
MAX_TRIP_M = 2_000_000

DemandKind = Literal["recorded", "generated"]


class CityError(Exception):
    """The city folder cannot be used; one line names the file, the key and what to do."""


class _Table(BaseModel):
    """A table of city.toml: frozen, no unknown keys, and no text where a number belongs."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Demand(_Table):
    """How many requests to generate where no trips were recorded."""

    requests_per_hour: float = Field(
        gt=0, le=100_000, description="requests an hour, averaged over a week, above 0"
    )
    seed: int = Field(ge=0, lt=2**63, description="a whole number, 0 or more")


class TravelTime(_Table):
    """What to make of an engine's seconds until the city has rides of its own to fit."""

    constant_s: float = Field(ge=0, le=3600, description="seconds, 0 to 3600")
    factor: float = Field(gt=0, le=20, description="a factor above 0 and at most 20")


class _Files(_Table):
    roads: str = Field(min_length=1, description="the name of an .osm.pbf file in the folder")
    trips: str | None = Field(
        default=None, min_length=1, description="the name of a .csv or .csv.gz file in the folder"
    )


class _Attribution(_Table):
    roads: str = Field(min_length=1, description="the words the map's licence asks for")
    trips: str | None = Field(
        default=None, min_length=1, description="the words the trips' licence asks for"
    )


# Looking through the machine's whole list takes 8 ms.
_time_zones = cache(available_timezones)


def _known_time_zone(key: str) -> str:
    if key not in _time_zones():
        raise ValueError(key)
    return key


_Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class _CityFile(_Table):
    """city.toml, key by key."""

    name: str = Field(min_length=1, max_length=100, description="the city's name")
    time_zone: Annotated[str, AfterValidator(_known_time_zone)] = Field(
        description='an IANA time zone such as "Europe/Vaduz"'
    )
    currency: str = Field(
        pattern=r"^[A-Z]{3}$", description='three capital letters of ISO 4217 such as "CHF"'
    )
    languages: Annotated[
        tuple[_Language, ...],
        Field(strict=False, min_length=1, description='language tags such as ["en", "de"]'),
    ]
    files: _Files
    attribution: _Attribution
    demand: Demand | None = None
    travel_time: TravelTime
    tariff: Tariff
    statutes: Statutes


class City(BaseModel):
    """A city that can be opened: every key checked, every file there."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    folder: Path
    slug: str
    name: str
    time_zone: ZoneInfo
    currency: str
    languages: tuple[str, ...]
    roads: Path
    trips: Path | None
    attribution: dict[str, str]
    demand: Demand | None
    travel_time: TravelTime
    tariff: Tariff
    statutes: Statutes
    # As the file spells them, which tells whether somebody edited it since.
    statutes_as_written: dict[str, Any]

    @property
    def demand_kind(self) -> DemandKind:
        """What the city's demand has to be called wherever it is shown."""
        return "recorded" if self.trips is not None else "generated"


def load_city(folder: Path) -> City:
    """The city that lies in this folder; `CityError`, in one line, where it cannot be used."""
    toml = folder / CITY_FILE
    content = _parsed(toml)
    try:
        file = _CityFile.model_validate(content)
    except ValidationError as error:
        # A misspelt key is also a missing one, and the spelling is what there is to correct.
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        raise CityError(f"{toml}: {_sentence(first)}") from None
    trips = None
    if file.files.trips is not None:
        trips = _existing(toml, key="files.trips", name=file.files.trips)
        if not trips.name.endswith(TRIP_ENDINGS):
            raise CityError(
                f"{toml}: files.trips must be a .csv or .csv.gz file; it is {trips.name!r}"
            )
    elif file.demand is None:
        raise CityError(
            f"{toml}: demand is missing; add [demand] with requests_per_hour and seed, "
            f"or name recorded trips in files.trips"
        )
    return City(
        folder=folder,
        slug=_slug(file.name) or _slug(folder.resolve().name) or "city",
        name=file.name,
        time_zone=ZoneInfo(file.time_zone),
        currency=file.currency,
        languages=file.languages,
        roads=_existing(toml, key="files.roads", name=file.files.roads),
        trips=trips,
        attribution=file.attribution.model_dump(exclude_none=True),
        demand=file.demand,
        travel_time=file.travel_time,
        tariff=file.tariff,
        statutes=file.statutes,
        statutes_as_written=content["statutes"],
    )


def _parsed(toml: Path) -> dict[str, Any]:
    if not toml.parent.is_dir():
        raise CityError(f"{toml.parent}: no such folder; name a folder with a {CITY_FILE} in it")
    try:
        with toml.open("rb") as stream:
            raw = stream.read(MAX_CITY_FILE_BYTES + 1)
        if len(raw) > MAX_CITY_FILE_BYTES:
            raise CityError(f"{toml}: longer than {MAX_CITY_FILE_BYTES} bytes; shorten it")
        return tomllib.loads(raw.decode())
    except FileNotFoundError:
        raise CityError(f"{toml}: missing; a city folder needs a {CITY_FILE}") from None
    except OSError as error:
        raise CityError(f"{toml}: cannot be read ({error.strerror}); check the file") from None
    except UnicodeDecodeError as error:
        raise CityError(f"{toml}: not UTF-8 text at byte {error.start}; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise CityError(f"{toml}: not TOML: {_one_line(str(error))}; correct it there") from None


def _existing(toml: Path, *, key: str, name: str) -> Path:
    path = toml.parent / name
    if not path.is_file():
        raise CityError(f"{toml}: {key} names {name!r}, which is not there; add it or correct it")
    if path.stat().st_size == 0:
        raise CityError(f"{toml}: {key} names {name!r}, which is empty; put the real file there")
    return path


def _sentence(error: ErrorDetails) -> str:
    """What is wrong with city.toml, in the words of the key's own description."""
    key = ".".join(str(part) for part in error["loc"] if isinstance(part, str))
    parents, last = error["loc"][:-1], str(error["loc"][-1]) if error["loc"] else ""
    keys = _keys_at(parents)
    match error["type"]:
        case "extra_forbidden":
            likely = difflib.get_close_matches(last, keys, n=1)
            advice = f"did you mean {likely[0]!r}?" if likely else "remove it"
            return f"{key} is not a known key; {advice}"
        case "missing":
            described = keys[last].description
            form = f": {described}" if described else ""
            return f"{key} is missing; add it{form}"
        case "model_type":
            return f"{key} must be a table; write [{key}] above its keys"
        case "value_error" if "ctx" in error and str(error["ctx"]["error"]).startswith(key + "."):
            return _one_line(str(error["ctx"]["error"]))
        case "value_error" if "ctx" in error and error["loc"][0] == "tariff":
            return f"{key}: {_one_line(str(error['ctx']['error']))}"
        case _:
            first = next(part for part in reversed(error["loc"]) if isinstance(part, str))
            depth = error["loc"].index(first)
            described = _keys_at(error["loc"][:depth])[first].description
            wanted = described or "something else"
            return f"{key} must be {wanted}; it is {_one_line(repr(error['input']))}"


def _keys_at(path: tuple[str | int, ...]) -> dict[str, FieldInfo]:
    """The keys of the table under this path, as the file spells them, with their descriptions."""
    tables: dict[str, type[BaseModel]] = {
        "files": _Files,
        "attribution": _Attribution,
        "demand": Demand,
        "travel_time": TravelTime,
        "tariff": Tariff,
        "tariff.nights": Night,
        "tariff.zones": Zone,
        "tariff.charges": Charge,
        "tariff.fixed_fares": FixedFare,
        "tariff.fees": Fees,
        "tariff.vat": Vat,
        "tariff.bounds": Bounds,
        "statutes": Statutes,
    }
    names = [str(part) for part in path if isinstance(part, str)]
    # A key within a value of a table, such as a corner, is described by that table.
    known = (tables.get(".".join(names[:depth])) for depth in (2, 1))
    table = next((found for found in known if found is not None), _CityFile)
    fields = table.model_fields.items()
    return {str(field.validation_alias or name): field for name, field in fields}


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]


def _slug(name: str) -> str:
    """The name in the letters, digits and hyphens that files and addresses can bear."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


@dataclass(frozen=True, slots=True)
class Trip:
    """Somebody's wish to be driven: recorded on real streets, or generated and called so."""

    kind: DemandKind
    requested_at: datetime
    pickup: Point
    dropoff: Point
    cab: str | None = None
    duration_s: float | None = None
    trace_m: float | None = None


def read_trips(city: City, *, start: datetime, end: datetime) -> list[Trip]:
    """The recorded trips requested in [start, end), in order of time.

    Every row is checked, also those outside; `CityError` names the file and the line of the first
    bad one.
    """
    if city.trips is None:
        raise ValueError("this city has no recorded trips: generate its demand")
    start_s, end_s = start.timestamp(), end.timestamp()
    trips: list[Trip] = []
    line = 1
    try:
        with _opened(city.trips) as text:
            rows = csv.reader(text, strict=True)
            if tuple(next(rows, ())) != TRIP_COLUMNS:
                raise CityError(f"{city.trips}: line 1 must be {','.join(TRIP_COLUMNS)}")
            for line, row in enumerate(rows, start=2):
                if line > MAX_TRIPS + 1:
                    raise CityError(f"{city.trips}: more than {MAX_TRIPS} trips; shorten it")
                trip = _trip(row)
                if start_s <= trip.requested_at.timestamp() < end_s:
                    trips.append(trip)
    except (ValueError, OverflowError, csv.Error) as error:
        raise CityError(f"{city.trips}: line {line}: {_one_line(str(error))}; correct it") from None
    except (OSError, EOFError, zlib.error) as error:
        raise CityError(f"{city.trips}: cannot be read: {_one_line(str(error))}") from None
    return sorted(trips, key=lambda trip: trip.requested_at)


def _opened(path: Path) -> TextIO:
    if path.name.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _trip(row: list[str]) -> Trip:
    cab, pickup_ts, _, pickup_lat, pickup_lng, dropoff_lat, dropoff_lng, duration, trace = row
    duration_s, trace_m = float(duration), float(trace)
    if not (0 < duration_s <= MAX_TRIP_S and 0 <= trace_m <= MAX_TRIP_M):
        raise ValueError(f"a ride of {duration_s} s and {trace_m} m is none")
    return Trip(
        kind="recorded",
        requested_at=datetime.fromtimestamp(int(pickup_ts), tz=UTC),
        pickup=Point(lat=float(pickup_lat), lng=float(pickup_lng)),
        dropoff=Point(lat=float(dropoff_lat), lng=float(dropoff_lng)),
        cab=cab,
        duration_s=duration_s,
        trace_m=trace_m,
    )
