"""The words of shared rides: who asks, who drives, what was promised, how long each way takes."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from matching.arrays import BoolArray, FloatArray, IntArray, floats, positions_in

type TravelArray = NDArray[np.int32]

FURTHEST_S = 1e7
"""No moment is further from now, and no drive longer (115 days)."""

NO_WAY_DS = 1_000_000_000
"""A drive between places without a way: beyond every moment, and still within 32 bits."""

MOST_SEATS = 100


class StopKind(StrEnum):
    """What a vehicle stops for."""

    PICKUP = "pickup"
    DROPOFF = "dropoff"


@dataclass(frozen=True, slots=True)
class Stop:
    """A vehicle stops for one party: `request` is a position in `Requests`."""

    request: int
    kind: StopKind


@dataclass(frozen=True, slots=True)
class Rules:
    """What a city promises to riders who share.

    A rider is picked up at most `wait_s` after she asked (or after the earliest moment she booked)
    and arrives at most `detour_s` plus `detour_share` of the direct drive later than if she had
    been driven at once and alone; what she waited counts. Each stop takes `boarding_s`.
    `unserved_s` is what leaving a party to the next tick costs, in seconds of a vehicle.
    Refused: anything negative, missing or absurdly long.
    """

    wait_s: float = 300.0
    detour_s: float = 600.0
    detour_share: float = 0.0
    boarding_s: float = 30.0
    unserved_s: float = 3600.0

    def __post_init__(self) -> None:
        for name in ("wait_s", "detour_s", "detour_share", "boarding_s", "unserved_s"):
            value = getattr(self, name)
            if not 0 <= value <= FURTHEST_S:
                raise ValueError(f"rules.{name} must be from 0 to {FURTHEST_S:g}, got {value}")


@dataclass(frozen=True, slots=True, eq=False)
class TravelTimes:
    """How long each drive takes: `seconds[a, b]` from place a to place b, infinite for no way.

    `ds` is the same in whole deciseconds, rounded up: nobody is promised too early, and where no
    detour was shorter than the way itself, none is after rounding. Refused: a matrix that is not
    square, a negative, missing or absurdly long time.
    """

    seconds: FloatArray
    ds: TravelArray = field(init=False)

    def __post_init__(self) -> None:
        seconds = np.array(self.seconds, dtype=np.float64, order="C")
        if seconds.ndim != 2 or seconds.shape[0] != seconds.shape[1]:
            raise ValueError(f"travel times must be a square matrix, got shape {seconds.shape}")
        refused = ~((seconds >= 0) & ((seconds <= FURTHEST_S) | np.isposinf(seconds)))
        if refused.any():
            start, end = (int(place) for place in np.argwhere(refused)[0])
            raise ValueError(
                f"travel time from {start} to {end} must be from 0 to {FURTHEST_S:g} or infinite, "
                f"got {seconds[start, end]}"
            )
        no_way = np.isposinf(seconds)
        drives = up_to_ds(np.where(no_way, NO_WAY_DS / 10, seconds)).astype(np.int32)
        seconds.setflags(write=False)
        drives.setflags(write=False)
        object.__setattr__(self, "seconds", seconds)
        object.__setattr__(self, "ds", drives)

    def __len__(self) -> int:
        return len(self.ds)


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """Parties who ride or want to: one entry each; moments are seconds from now.

    `pickup`, `dropoff` are places in the travel times; `seats` is how many they are. Nobody is
    picked up before `earliest_pickup_s` or after `latest_pickup_s`, nor arrives after
    `latest_arrival_s`. `waited_s` is how long the party has waited already. Who is on board has
    boarded at `earliest_pickup_s`, zero or less, and has no latest pickup. `unserved_s` is
    what leaving a party without a ride costs, in seconds of a vehicle. The `_ds` are the same in
    whole deciseconds, limits rounded to the party's side.
    Refused: arrays of other lengths, no or too many seats, missing numbers or absurd moments.
    """

    pickup: IntArray
    dropoff: IntArray
    seats: IntArray
    earliest_pickup_s: FloatArray
    latest_pickup_s: FloatArray
    latest_arrival_s: FloatArray
    waited_s: FloatArray
    unserved_s: FloatArray
    earliest_pickup_ds: IntArray = field(init=False)
    latest_pickup_ds: IntArray = field(init=False)
    latest_arrival_ds: IntArray = field(init=False)
    unserved_ds: IntArray = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.pickup)
        for name in ("pickup", "dropoff"):
            _keep(self, name, positions_in(
                getattr(self, name), name=f"requests.{name}", size=np.iinfo(np.int32).max,
                length=count,
            ))  # fmt: skip
        _keep(self, "seats", _seats(self.seats, name="requests.seats", length=count))
        for name, low in (
            ("earliest_pickup_s", -FURTHEST_S),
            ("latest_pickup_s", -FURTHEST_S),
            ("latest_arrival_s", -FURTHEST_S),
            ("waited_s", 0.0),
            ("unserved_s", 0.0),
        ):
            _keep(self, name, floats(
                getattr(self, name), name=f"requests.{name}", low=low, high=FURTHEST_S,
                length=count,
            ))  # fmt: skip
        _keep(self, "earliest_pickup_ds", up_to_ds(self.earliest_pickup_s))
        for name in ("latest_pickup", "latest_arrival", "unserved"):
            _keep(self, f"{name}_ds", down_to_ds(getattr(self, f"{name}_s")))

    def __len__(self) -> int:
        return len(self.pickup)


def requests_under(
    rules: Rules,
    *,
    times: TravelTimes,
    pickup: IntArray,
    dropoff: IntArray,
    seats: IntArray | None = None,
    waited_s: FloatArray | None = None,
    earliest_pickup_s: FloatArray | None = None,
) -> Requests:
    """Parties with the limits that the rules give them; one seat, no wait and now, if not said.

    The clock starts when a party asked (`waited_s` ago) or at the earliest moment it booked. With
    no way from pickup to drop-off the latest arrival is the furthest moment there is: such a
    party is never served. Refused: places outside the travel times, and as in `Requests`.
    """
    pickup = positions_in(pickup, name="requests.pickup", size=len(times))
    dropoff = positions_in(dropoff, name="requests.dropoff", size=len(times), length=len(pickup))
    count = len(pickup)
    waited = np.zeros(count) if waited_s is None else np.asarray(waited_s, dtype=np.float64)
    earliest = np.zeros(count) if earliest_pickup_s is None else np.asarray(earliest_pickup_s)
    solo_s = times.ds[pickup, dropoff] / 10
    asked_s = earliest - waited
    arrival_s = asked_s + rules.boarding_s + solo_s * (1 + rules.detour_share) + rules.detour_s
    return Requests(
        pickup=pickup,
        dropoff=dropoff,
        seats=np.ones(count, dtype=np.int64) if seats is None else seats,
        earliest_pickup_s=earliest,
        latest_pickup_s=asked_s + rules.wait_s,
        latest_arrival_s=np.minimum(arrival_s, FURTHEST_S),
        waited_s=waited,
        unserved_s=np.full(count, rules.unserved_s),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Vehicles:
    """Cars on the road: one entry each, with the stops that were promised already.

    The car is at `place` from `ready_s` on (seconds from now) and has `seats` for riders.
    `committed` are its promised stops in their order: they stay with this car and keep that order.
    A drop-off without its pickup belongs to a party on board. Other stops may come between, but
    none before the first `locked` of them: the car is on its way there. Left out, nothing is
    promised; and `locked` is one wherever something is.
    Refused: other lengths, no or too many seats, a locked stop that is not there.
    """

    place: IntArray
    ready_s: FloatArray
    seats: IntArray
    committed: tuple[tuple[Stop, ...], ...] = ()
    locked: IntArray | None = None
    ready_ds: IntArray = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.place)
        _keep(self, "place", positions_in(
            self.place, name="vehicles.place", size=np.iinfo(np.int32).max
        ))  # fmt: skip
        _keep(self, "ready_s", floats(
            self.ready_s, name="vehicles.ready_s", low=-FURTHEST_S, high=FURTHEST_S, length=count
        ))  # fmt: skip
        _keep(self, "seats", _seats(self.seats, name="vehicles.seats", length=count))
        committed = tuple(tuple(stops) for stops in self.committed) or ((),) * count
        if len(committed) != count:
            raise ValueError(f"vehicles.committed must have {count} entries, got {len(committed)}")
        promised = np.array([len(stops) for stops in committed], dtype=np.int64)
        locked = np.minimum(promised, 1) if self.locked is None else np.asarray(self.locked)
        locked = positions_in(
            locked, name="vehicles.locked", size=int(promised.max(initial=0)) + 1, length=count
        )
        if (locked > promised).any():
            car = int(np.argmax(locked > promised))
            raise ValueError(
                f"vehicles.locked[{car}] is {locked[car]}, but {promised[car]} stops are promised"
            )
        _keep(self, "ready_ds", up_to_ds(self.ready_s))
        _keep(self, "committed", committed)
        _keep(self, "locked", locked)

    def __len__(self) -> int:
        return len(self.place)

    def locked_of(self, vehicle: int) -> int:
        """How many of the first promised stops nothing may come before."""
        assert self.locked is not None  # Filled in when left out.
        return int(self.locked[vehicle])


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """One moment of shared rides: who asks, who drives, how long each way takes.

    `bound[r]` says that request r is promised to a car already, `aboard[r]` that it sits in one.
    Refused: places outside the travel times; a promised stop of nobody, twice, of one party in two
    cars, a pickup without its later drop-off; more riders than seats; a promised stop without a
    way to it.
    """

    requests: Requests
    vehicles: Vehicles
    times: TravelTimes
    boarding_s: float = 30.0
    bound: BoolArray = field(init=False)
    aboard: BoolArray = field(init=False)
    boarding_ds: int = field(init=False)

    def __post_init__(self) -> None:
        if not 0 <= self.boarding_s <= FURTHEST_S:
            raise ValueError(f"boarding_s must be from 0 to {FURTHEST_S:g}, got {self.boarding_s}")
        size, asked = len(self.times), self.requests
        positions_in(asked.pickup, name="requests.pickup", size=size)
        positions_in(asked.dropoff, name="requests.dropoff", size=size)
        positions_in(self.vehicles.place, name="vehicles.place", size=size)
        bound = np.zeros(len(asked), dtype=np.bool_)
        aboard = np.zeros(len(asked), dtype=np.bool_)
        for vehicle, stops in enumerate(self.vehicles.committed):
            for request, has_pickup in _parties(stops, vehicle=vehicle, count=len(asked)).items():
                if bound[request]:
                    raise ValueError(f"request {request} is promised to two vehicles")
                bound[request], aboard[request] = True, not has_pickup
            self._check_promised(vehicle, stops, aboard)
        for name, array in (("bound", bound), ("aboard", aboard)):
            array.setflags(write=False)
            _keep(self, name, array)
        _keep(self, "boarding_ds", int(up_to_ds(np.array(self.boarding_s))))

    def place_of(self, stop: Stop) -> int:
        """Where the car stops."""
        asked = self.requests
        at = asked.pickup if stop.kind is StopKind.PICKUP else asked.dropoff
        return int(at[stop.request])

    def _check_promised(self, vehicle: int, stops: tuple[Stop, ...], aboard: BoolArray) -> None:
        seats = self.requests.seats
        inside = sum(int(seats[r]) for r in {stop.request for stop in stops} if aboard[r])
        most, place = inside, int(self.vehicles.place[vehicle])
        for stop in stops:
            here = self.place_of(stop)
            if self.times.ds[place, here] == NO_WAY_DS:
                raise ValueError(f"vehicle {vehicle} has no way from place {place} to {here}")
            place = here
            sign = 1 if stop.kind is StopKind.PICKUP else -1
            inside += sign * int(seats[stop.request])
            most = max(most, inside)
        if most > self.vehicles.seats[vehicle]:
            raise ValueError(
                f"vehicle {vehicle} has {self.vehicles.seats[vehicle]} seats, {most} are promised"
            )


def up_to_ds(seconds: FloatArray) -> IntArray:
    """Whole deciseconds, rounded up; what is only a rounding error above a whole one is it."""
    return _whole(np.ceil(seconds * 10 - 1e-6))


def down_to_ds(seconds: FloatArray) -> IntArray:
    """Whole deciseconds, rounded down: a limit is never made wider."""
    return _whole(np.floor(seconds * 10 + 1e-6))


def _whole(numbers: FloatArray) -> IntArray:
    whole = numbers.astype(np.int64)
    whole.setflags(write=False)
    return whole


def _parties(stops: tuple[Stop, ...], *, vehicle: int, count: int) -> dict[int, bool]:
    """Each party of these stops and whether it is yet to be picked up."""
    picked: set[int] = set()
    dropped: dict[int, bool] = {}
    for stop in stops:
        here = f"vehicle {vehicle}, request {stop.request}"
        if not 0 <= stop.request < count:
            raise ValueError(f"{here}: there are {count} requests")
        if stop.request in (picked if stop.kind is StopKind.PICKUP else dropped):
            raise ValueError(f"{here}: two stops of one kind are promised")
        if stop.kind is StopKind.DROPOFF:
            dropped[stop.request] = stop.request in picked
        elif stop.request in dropped:
            raise ValueError(f"{here}: the drop-off is promised before the pickup")
        else:
            picked.add(stop.request)
    left = picked - dropped.keys()
    if left:
        raise ValueError(f"vehicle {vehicle}, request {min(left)}: no drop-off is promised")
    return dropped


def _seats(values: IntArray, *, name: str, length: int) -> IntArray:
    seats = positions_in(values, name=name, size=MOST_SEATS + 1, length=length)
    if (seats == 0).any():
        raise ValueError(f"{name}[{int(np.argmin(seats))}] must be at least 1")
    return seats


def _keep(owner: object, name: str, value: object) -> None:
    object.__setattr__(owner, name, value)
