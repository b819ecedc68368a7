"""The words of a match: who asks, who drives, what counts, who could go to whom and who does."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np

from matching.arrays import LONGEST_S, BoolArray, FloatArray, IntArray, floats, positions_in

type Id = UUID | str | int


# What a demand or a supply leaves unsaid; known by identity, never kept.
_NOTHING_SAID = np.empty(0)


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """Riders who wait for a driver: one entry per request, in any order.

    `lat`, `lng` are the pickup in degrees; `waited_s` is how long each has waited already.
    Who booked ahead wants the car in `due_in_s` seconds and was promised it within `late_in_s`.
    Left out, everybody wants it now, and nobody was promised anything: 0 and `LONGEST_S`.
    Refused: an id that occurs twice, arrays of other lengths, numbers outside the Earth, a
    negative or endless time.
    """

    ids: tuple[Id, ...]
    lat: FloatArray
    lng: FloatArray
    waited_s: FloatArray
    due_in_s: FloatArray = field(default_factory=lambda: _NOTHING_SAID)
    late_in_s: FloatArray = field(default_factory=lambda: _NOTHING_SAID)

    def __post_init__(self) -> None:
        _check_points(self, kind="demand")
        for name, unsaid_s in (("due_in_s", 0.0), ("late_in_s", LONGEST_S)):
            said = getattr(self, name)
            given = np.full(len(self.ids), unsaid_s) if said is _NOTHING_SAID else said
            checked = floats(
                given, name=f"demand.{name}", low=0, high=LONGEST_S, length=len(self.ids)
            )
            object.__setattr__(self, name, checked)
        waited_s = floats(
            self.waited_s, name="demand.waited_s", low=0, high=LONGEST_S, length=len(self.ids)
        )
        object.__setattr__(self, "waited_s", waited_s)

    def __len__(self) -> int:
        return len(self.ids)

    def __getstate__(self) -> dict[str, Any]:
        return _packed(self)

    def __setstate__(self, packed: dict[str, Any]) -> None:
        _unpack(self, packed)


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """Drivers who are free now or soon: one entry each, in any order; `lat`, `lng` in degrees.

    `free_in_s` is 0 for who is free now. For who still drives somebody it is the seconds until she
    is free, and `lat`, `lng` is where that will be; left out, everybody is free now.
    `underpaid` is from -1 to 1, see `matching.fairness`; left out, all are paid alike.
    `sought_after` is from 0 to 1, see `matching.sought_after`; left out, nothing is expected.
    Refused: an id that occurs twice, arrays of other lengths, numbers outside the Earth, a negative
    or endless time, a pay or an expectation beyond its range.
    """

    ids: tuple[Id, ...]
    lat: FloatArray
    lng: FloatArray
    free_in_s: FloatArray = field(default_factory=lambda: _NOTHING_SAID)
    underpaid: FloatArray = field(default_factory=lambda: _NOTHING_SAID)
    sought_after: FloatArray = field(default_factory=lambda: _NOTHING_SAID)

    def __post_init__(self) -> None:
        _check_points(self, kind="supply")
        for name, low, high in (
            ("free_in_s", 0.0, LONGEST_S),
            ("underpaid", -1.0, 1.0),
            ("sought_after", 0.0, 1.0),
        ):
            said = getattr(self, name)
            given = np.zeros(len(self.ids)) if said is _NOTHING_SAID else said
            checked = floats(given, name=f"supply.{name}", low=low, high=high, length=len(self.ids))
            object.__setattr__(self, name, checked)

    def __len__(self) -> int:
        return len(self.ids)

    def __getstate__(self) -> dict[str, Any]:
        return _packed(self)

    def __setstate__(self, packed: dict[str, Any]) -> None:
        _unpack(self, packed)


@dataclass(frozen=True, slots=True)
class Weights:
    """What the match values, all of it in seconds of driving to a pickup.

    `age_credit`: seconds of pickup forgiven per second that the rider has waited.
    `unserved_s`: the price of leaving a rider to the next tick; below `max_pickup_s` it means that
    a rider rather waits for a nearer driver. `max_pickup_s`: nobody drives longer to a pickup.
    `soon_free_margin_s`: what the risk that she is free later than expected is worth, and
    `hold_weight` what each second until she is free counts: above 1 since what lies further ahead
    is known less well, below 1 where driving empty is dearer than waiting.
    `fairness_s`: seconds of driving that may be spent for a ride to go to a driver who is underpaid
    by the whole scale instead of one who is overpaid by it; 0 looks at the drive alone.
    `late_weight`: what each second until a rider is fetched counts beside the rest, once she has
    waited `late_s`; 0 takes every rider's seconds for alike.
    `stay_s`: seconds of driving that may be spent for a driver to stay where riders will surely ask
    soon, by sending one whom nobody will ask for; 0 looks at this tick alone.
    `promise_s`: what leaving a rider who was promised a car costs beyond `unserved_s`; above that
    price nobody else's ride is worth breaking the promise.
    Refused: anything negative, missing or absurdly long.
    """

    age_credit: float = 0.3
    unserved_s: float = 3000.0
    max_pickup_s: float = 900.0
    soon_free_margin_s: float = 60.0
    hold_weight: float = 1.0
    stay_s: float = 0.0
    late_weight: float = 0.0
    late_s: float = 600.0
    fairness_s: float = 0.0
    promise_s: float = 3600.0

    def __post_init__(self) -> None:
        _check_number(self.age_credit, name="weights.age_credit", high=100.0)
        _check_number(self.unserved_s, name="weights.unserved_s", high=LONGEST_S)
        _check_number(self.max_pickup_s, name="weights.max_pickup_s", high=LONGEST_S)
        _check_number(self.soon_free_margin_s, name="weights.soon_free_margin_s", high=LONGEST_S)
        _check_number(self.hold_weight, name="weights.hold_weight", high=100.0)
        _check_number(self.stay_s, name="weights.stay_s", high=LONGEST_S)
        _check_number(self.late_weight, name="weights.late_weight", high=100.0)
        _check_number(self.late_s, name="weights.late_s", high=LONGEST_S)
        _check_number(self.fairness_s, name="weights.fairness_s", high=LONGEST_S)
        _check_number(self.promise_s, name="weights.promise_s", high=LONGEST_S)


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """One tick: who asks, who could drive, what counts, and who must not be asked.

    `excluded` holds pairs (id in demand, id in supply), such as a driver who declined this ride.
    A pair that names somebody who is not here now excludes nobody.
    """

    demand: Demand
    supply: Supply
    weights: Weights = field(default_factory=Weights)
    excluded: frozenset[tuple[Id, Id]] = frozenset()

    def excluded_pairs(self) -> tuple[IntArray, IntArray]:
        """Positions in demand and in supply of the excluded pairs that are both here."""
        if not self.excluded:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        rider_at = {rider: place for place, rider in enumerate(self.demand.ids)}
        driver_at = {driver: place for place, driver in enumerate(self.supply.ids)}
        pairs = sorted(
            (rider_at[rider], driver_at[driver])
            for rider, driver in self.excluded
            if rider in rider_at and driver in driver_at
        )
        both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return both[:, 0], both[:, 1]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Who could go to whom, and how long the drive to the pickup takes: a sparse matrix by rows.

    `rider`, `driver`, `pickup_s` have one entry per edge, ordered by rider and then driver, no pair
    twice; `starts` has one entry per rider and one more, so that the edges of rider r are
    `starts[r]` up to `starts[r + 1]`. Refused: positions outside the counts, another order, a
    negative, missing or endless time.
    """

    rider: IntArray
    driver: IntArray
    pickup_s: FloatArray
    rider_count: int
    driver_count: int
    starts: IntArray = field(init=False)

    def __post_init__(self) -> None:
        rider = positions_in(self.rider, name="candidates.rider", size=self.rider_count)
        driver = positions_in(
            self.driver, name="candidates.driver", size=self.driver_count, length=len(rider)
        )
        pickup_s = floats(
            self.pickup_s, name="candidates.pickup_s", low=0, high=LONGEST_S, length=len(rider)
        )
        out_of_order = np.diff(rider * self.driver_count + driver) <= 0
        if out_of_order.any():
            place = int(np.argmax(out_of_order)) + 1
            raise ValueError(
                "candidates must be ordered by rider and driver without doubles; edge "
                f"{place} is rider {rider[place]}, driver {driver[place]}"
            )
        starts = np.searchsorted(rider, np.arange(self.rider_count + 1)).astype(np.int64)
        starts.setflags(write=False)
        object.__setattr__(self, "rider", rider)
        object.__setattr__(self, "driver", driver)
        object.__setattr__(self, "pickup_s", pickup_s)
        object.__setattr__(self, "starts", starts)

    def __len__(self) -> int:
        return len(self.rider)

    def edges_of(self, rider: int) -> slice:
        """Where in the edge arrays this rider's candidates stand."""
        return slice(int(self.starts[rider]), int(self.starts[rider + 1]))

    def keep(self, mask: BoolArray) -> "Candidates":
        """The edges for which `mask` is true."""
        return Candidates(
            rider=self.rider[mask],
            driver=self.driver[mask],
            pickup_s=self.pickup_s[mask],
            rider_count=self.rider_count,
            driver_count=self.driver_count,
        )


class WhyUnserved(StrEnum):
    """Why a rider has no driver after this tick."""

    NO_DRIVER_NEAR = "no_driver_near"
    """No driver within reach may be asked: there is none, or each has declined this ride."""

    DRIVERS_WENT_TO_OTHERS = "drivers_went_to_others"
    """Every driver who could have come was worth more to another rider."""

    WAITING_IS_CHEAPER = "waiting_is_cheaper"
    """A driver stayed free, but fetching this rider would cost more than not serving her now."""


class Fallback(StrEnum):
    """Why the greedy method was used where an optimum had been asked for."""

    TOO_MANY_EDGES = "too_many_edges"
    """The problem was larger than the solver finishes within its deadline."""

    SOLVER_FAILED = "solver_failed"
    """The flow solver ended without an optimum."""

    OVERRAN = "overran"
    """The solver was not done at its deadline and was left behind (the caller says so)."""

    STOPPED = "stopped"
    """The deadline came before the gap asked for was proven: the best pairing known by then."""


@dataclass(frozen=True, slots=True)
class Term:
    """One named part of a cost, in whole deciseconds."""

    name: str
    cost_ds: int


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """The cheapest other candidate of a rider, and whom that driver was given instead.

    `driver` and `serves` are positions in supply and demand; `serves` is None if the driver stayed
    free. `cost_ds` is what this rider would have cost with that driver.
    """

    driver: int
    cost_ds: int
    serves: int | None


@dataclass(frozen=True, slots=True)
class Pairing:
    """A driver given to a rider, with what explains it.

    `rider` and `driver` are positions in demand and supply. `terms` add up to `cost_ds`.
    `candidate_count` drivers were considered for this rider; `rank` is 1 if no candidate would have
    been there sooner, 2 if one would, and so on.
    """

    rider: int
    driver: int
    pickup_s: float
    cost_ds: int
    terms: tuple[Term, ...]
    candidate_count: int
    rank: int
    runner_up: RunnerUp | None


@dataclass(frozen=True, slots=True)
class Unserved:
    """A rider left to the next tick, the price put on that, and why."""

    rider: int
    price_ds: int
    candidate_count: int
    why: WhyUnserved


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a solver decided, ordered by rider; each rider is in exactly one of the two.

    `objective_ds` is the cost of all pairings plus the price of all unserved. `gap` is the proven
    relative distance to the optimum over *all* pairs, None while nobody proved one: an optimum here
    is one over the candidates. `fallback` says why it is not even that.
    `rider_price_ds` and `driver_price_ds` are the dual prices, one entry per rider and per driver
    of the problem, None where the solver has none: `rider_price_ds[r]` is what rider r adds to the
    total, at most the price of not serving her; `-driver_price_ds[d]` is what driver d saves
    others, by about which the total would rise without her (0 if she stays free). For no candidate
    do both prices add up to more than it costs; for a pairing in an optimum they do exactly.
    """

    pairings: Sequence[Pairing]
    unserved: tuple[Unserved, ...]
    objective_ds: int
    solver: str
    solver_version: str
    seed: int
    edge_count: int
    fallback: Fallback | None = None
    gap: float | None = None
    rider_price_ds: tuple[int, ...] | None = None
    driver_price_ds: tuple[int, ...] | None = None


def _packed(side: Demand | Supply) -> dict[str, Any]:
    """The fields for another process, where UUIDs are one run of bytes.

    To pickle thousands of UUIDs one by one keeps Python's global lock from everybody else.
    """
    packed = {column.name: getattr(side, column.name) for column in fields(side)}
    numbers = [one.bytes for one in side.ids if isinstance(one, UUID)]
    if len(numbers) == len(side.ids):
        packed["ids"] = b"".join(numbers)
    return packed


def _unpack(side: Demand | Supply, packed: dict[str, Any]) -> None:
    """Set the fields; arrays are as read-only as they were."""
    ids = packed["ids"]
    if isinstance(ids, bytes):
        ids = tuple(UUID(bytes=ids[at : at + 16]) for at in range(0, len(ids), 16))
    for name, value in (packed | {"ids": ids}).items():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
        object.__setattr__(side, name, value)


def _check_points(points: Demand | Supply, *, kind: str) -> None:
    ids = tuple(points.ids)
    if len(set(ids)) != len(ids):
        double = next(one for one, times in Counter(ids).items() if times > 1)
        raise ValueError(f"{kind}.ids must differ, got {double!r} twice")
    object.__setattr__(points, "ids", ids)
    lat = floats(points.lat, name=f"{kind}.lat", low=-90, high=90, length=len(ids))
    lng = floats(points.lng, name=f"{kind}.lng", low=-180, high=180, length=len(ids))
    object.__setattr__(points, "lat", lat)
    object.__setattr__(points, "lng", lng)


def _check_number(value: float, *, name: str, high: float) -> None:
    if not 0 <= value <= high:
        raise ValueError(f"{name} must be from 0 to {high:g}, got {value}")
