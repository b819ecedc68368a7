"""What the phones are told before they start: who they are, what they want, what time it is."""

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import msgspec

from app.demo.windows import Windows
from app.foundation.clock import ScaledClock
from governance.electorate import House
from matching.travel import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRider:
    """Somebody who wants one ride; `drive_s` is how long it took on the street, where recorded.

    Who books ahead does so at `books_at`, to be fetched at `requests_at`.
    """

    phone: str
    name: str
    requests_at: datetime
    pickup: Point
    dropoff: Point
    drive_s: float | None
    cancels_after_s: float | None  # simulated seconds after booking; None: never
    books_at: datetime | None = None
    shares: bool = False  # lets others ride along, for less


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDriver:
    """Somebody with a car, and where it stands at first."""

    phone: str
    name: str
    plate: str
    stands_at: Point
    iban: str | None = None  # where they want to be paid; None: nobody is paid in this demo


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMember:
    """One of the drivers or riders who becomes a member and, unless they stay away, votes.

    Wishes are changes of the share in basis points. The moments are parts, 0 to 1, of the window
    in which the act belongs.
    """

    phone: str
    house: House
    joins_at: float
    wants_bp: int | None  # None: stays away
    wanted_first_bp: int | None  # of who changes their mind while voting
    fetches_at: float
    comes_late: bool  # fetches the stamps only when voting has begun
    casts_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAssembly:
    """One assembly on the commission: who takes part, in which windows."""

    windows: Windows
    members: tuple[PlannedMember, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything the phones know; the folder is where they leave what they saw."""

    base_url: str
    sms_file: str
    folder: str
    clock_start: datetime
    clock_anchor_s: float
    clock_speed: float
    opens_at: datetime  # no request comes before
    seed: int
    staff_phone: str
    papers_until: date
    drivers: tuple[PlannedDriver, ...]
    riders: tuple[PlannedRider, ...]
    assembly: PlannedAssembly | None  # None: the hour is too short for one

    @property
    def clock(self) -> ScaledClock:
        """The clock that the platform goes by too."""
        return ScaledClock(self.clock_start, self.clock_anchor_s, self.clock_speed)

    @property
    def progress_path(self) -> Path:
        """Where the newest `Seen` stands while the phones run."""
        return Path(self.folder) / "progress.json"

    @property
    def result_path(self) -> Path:
        """Where the `Outcome` stands after the phones have ended."""
        return Path(self.folder) / "phones.json"

    @property
    def package_path(self) -> Path:
        """Where the vote's public package stands once a phone has fetched it."""
        return Path(self.folder) / "package.json"

    @property
    def receipts_path(self) -> Path:
        """Where the receipts of all ballots stand; none says whose it is."""
        return Path(self.folder) / "receipts.json"


@dataclass(slots=True, kw_only=True)
class Seen:
    """What the phones saw so far; the counts of one moment."""

    phase: str = "signing in"
    assembly: str = ""  # where the assembly stands, in plain words
    signed_up: int = 0
    requested: int = 0
    scheduled: int = 0
    refused: int = 0  # requests that the platform did not take, such as those off the road network
    waiting: int = 0
    under_way: int = 0
    completed: int = 0
    cancelled: int = 0
    no_driver: int = 0
    no_show: int = 0
    offers: int = 0
    accepted: int = 0
    declined: int = 0
    ignored: int = 0
    hints_given: int = 0
    hints_followed: int = 0
    fare_minor: int = 0
    commission_minor: int = 0
    driver_net_minor: int = 0
    waited_s: float = 0.0  # sum over `picked_up` riders
    picked_up: int = 0
    repeats: int = 0  # requests sent again as no answer came
    reconnects: int = 0


@dataclass(slots=True, kw_only=True)
class AssemblySeen:
    """What the members' phones saw of their assembly."""

    stage: str = ""  # of the proposal, as the platform last said
    proposal: str = ""
    election: str = ""
    admitted: int = 0
    stamped: int = 0  # phones that hold every issuer's stamp
    ballots: int = 0  # receipts
    voters: int = 0  # phones with a receipt
    changed_minds: int = 0
    troubles: list[str] = field(default_factory=list)  # phones that could not do their part


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the phones report at their end."""

    seen: Seen
    pickup_wait_s: tuple[float, ...]
    opened_at: datetime
    acknowledged: int  # acts answered 2xx
    lost: tuple[str, ...]  # acknowledged and not there: a sentence each
    doubled: tuple[str, ...]
    events: int
    refusals: dict[str, int]
    assembly: AssemblySeen | None


def write_json(path: Path, value: object) -> None:
    """The file holds the value, whole, whenever it is read."""
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(msgspec.json.encode(value))
    unfinished.replace(path)


def read_json[T](path: Path, kind: type[T]) -> T:
    """Return the value of a file that `write_json` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=kind)
