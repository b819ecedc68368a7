"""Ways to dispatch, by name: what people usually do, and what Meent does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from matching.anticipation import in_time
from matching.arrays import LONGEST_S, FloatArray
from matching.assignment import Limits, solve, solve_greedy
from matching.booked import in_play, is_due
from matching.candidates import find_candidates, refine
from matching.problem import Candidates, Pairing, Problem, Weights
from matching.replay.day import Rules
from matching.travel import StraightLine

# Nobody gets there faster than this, so nobody is left out before the exact times are known.
AT_BEST = StraightLine(detour=1.0, speed_mps=90 / 3.6)
LIMITS = Limits()
# So many riders who wait are no queue, however few drivers there are.
FEW = 10

type Times = Callable[[Candidates], FloatArray]


@dataclass(frozen=True, slots=True)
class Pair:
    """A driver sent to a rider: positions in supply and demand, and the drive to the pickup."""

    rider: int
    driver: int
    pickup_s: float


@dataclass(frozen=True, slots=True)
class Policy:
    """A way to dispatch and its parameters.

    `horizon_s`: drivers who become free within so many seconds are columns too; they are never
    sent, but riders may be held for them. `margin_s` is the price of that risk, `hold_weight` what
    each second until they are free counts, `age_credit` the seconds of pickup forgiven per second
    waited. `unserved_s` is the price of leaving a rider to the next tick; None puts it above every
    price of an edge. The longer the queue, the nearer that price comes to `crowded_s`, and reaches
    it where the riders beyond the first `FEW` are `crowded_load` times the drivers: then fetching
    one from afar would lose several others. With `crowded_s` None it stays. While drivers are idle
    all the same, holding gets dearer: the weight of a second until a driver is free nears
    `idle_hold_weight`, and reaches it where the idle drivers and the riders beyond the first `FEW`
    are both `idle_load` times the drivers. With `idle_hold_weight` or `crowded_s` None it stays.
    `stay_s`, `late_weight` and `late_s` are what `Weights` says.
    Nobody is held for a driver who is free only after the rider has given up, where somebody else
    would be with her within `rescue_s`; with more riders than `rescue_load` times the drivers that
    is not looked at.
    `fairness_s` is what `Weights.fairness_s` says; with `hints` 1 idle drivers are told where to
    wait.
    `per_rider` and `per_driver` are the lengths of the candidate lists. `greedy` names no optimum:
    riders "in turn", or the "closest" pair first.
    """

    name: str
    greedy: str | None = None
    horizon_s: float = 0.0
    margin_s: float = 90.0
    age_credit: float = 0.3
    hold_weight: float = 1.0
    idle_hold_weight: float | None = None
    idle_load: float = 0.33
    unserved_s: float | None = None
    crowded_s: float | None = None
    crowded_load: float = 0.3
    stay_s: float = 0.0
    late_weight: float = 0.0
    late_s: float = 600.0
    rescue_s: float = 1800.0
    rescue_load: float = 100.0
    fairness_s: float = 0.0
    hints: int = 0
    per_rider: int = 30
    per_driver: int = 20

    def weights(self, rules: Rules) -> Weights:
        """What the match values under this policy."""
        latest_s = self.horizon_s * self.hold_weight + self.margin_s
        late_s = self.late_weight * (rules.max_pickup_s + self.horizon_s)
        dearest_s = rules.max_pickup_s + latest_s + late_s + self.stay_s + self.fairness_s
        return Weights(
            age_credit=self.age_credit,
            unserved_s=dearest_s if self.unserved_s is None else self.unserved_s,
            max_pickup_s=rules.max_pickup_s,
            soon_free_margin_s=self.margin_s,
            hold_weight=self.hold_weight,
            stay_s=self.stay_s,
            late_weight=self.late_weight,
            late_s=self.late_s,
            fairness_s=self.fairness_s,
        )

    def decide(
        self, problem: Problem, *, pickup_s: Times, patience_s: float, seed: int
    ) -> tuple[Pair, ...]:
        """Who is sent to whom now; who is held for a driver not yet free is in no pair.

        Riders must stand in the order in which they asked.
        """
        # A greedy choice can need as many drivers of a list as there are riders who choose before.
        most = len(problem.demand) if self.greedy else 0
        found = find_candidates(
            problem,
            line=AT_BEST,
            per_rider=max(self.per_rider, most),
            per_driver=self.per_driver,
        )
        candidates = refine(
            found, pickup_s=pickup_s(found), max_pickup_s=problem.weights.max_pickup_s
        )
        if self.greedy == "in turn":
            return _in_turn(candidates)
        if self.greedy == "closest":
            return _sent(problem, solve_greedy(problem, candidates, seed=seed).pairings)
        demand = problem.demand
        possible = in_time(
            problem,
            in_play(problem, candidates),
            gives_up_in_s=np.minimum(patience_s - demand.waited_s, demand.late_in_s),
            rescue_s=self.rescue_s,
            rescue_load=self.rescue_load,
        )
        priced = self.priced(problem)
        return _sent(priced, solve(priced, possible, limits=LIMITS, seed=seed).pairings)

    def priced(self, problem: Problem) -> Problem:
        """The same tick, with prices of leaving and of holding that fit the length of the queue."""
        if self.crowded_s is None:
            return problem
        weights = problem.weights
        queue = max(int(np.count_nonzero(problem.demand.due_in_s == 0)) - FEW, 0)
        share = _share(queue, of=self.crowded_load * len(problem.supply))
        # Fairness decides who fetches a rider, and must never be why nobody does.
        crowded_s = self.crowded_s + weights.fairness_s
        unserved_s = weights.unserved_s + share * (crowded_s - weights.unserved_s)
        weights = replace(weights, unserved_s=unserved_s)
        if self.idle_hold_weight is not None:
            # Who is soon free is wanted by several then, and who is idle far off by nobody else:
            # holding for the one costs later riders time, sending the other costs nobody any.
            idle = int(np.count_nonzero(problem.supply.free_in_s == 0))
            share = _share(min(queue, idle), of=self.idle_load * len(problem.supply))
            dearer = self.idle_hold_weight - weights.hold_weight
            weights = replace(weights, hold_weight=weights.hold_weight + share * dearer)
        return replace(problem, weights=weights)


POLICIES: Mapping[str, Policy] = MappingProxyType(
    {
        policy.name: policy
        for policy in (
            Policy("greedy-fcfs", greedy="in turn"),
            Policy("greedy-closest", greedy="closest", age_credit=0.0),
            Policy("optimal-idle"),
            Policy(
                "meent",
                horizon_s=600.0,
                hold_weight=1.2,
                age_credit=0.0,
                crowded_s=600.0,
                crowded_load=0.25,
                stay_s=400.0,
                late_weight=0.2,
                late_s=300.0,
            ),
            # Where driving empty is dear and riders are patient: rather hold than drive far.
            Policy(
                "meent-sparing",
                horizon_s=600.0,
                margin_s=25.0,
                hold_weight=0.7,
                idle_hold_weight=2.0,
                age_credit=0.0,
                crowded_s=600.0,
                crowded_load=0.25,
                stay_s=250.0,
                late_weight=0.2,
                late_s=500.0,
            ),
        )
    }
)
"""Every policy that can be named, with its usual parameters."""

PARAMETERS: Mapping[str, type[float]] = MappingProxyType(
    {
        "horizon_s": float,
        "margin_s": float,
        "hold_weight": float,
        "idle_hold_weight": float,
        "idle_load": float,
        "age_credit": float,
        "unserved_s": float,
        "crowded_s": float,
        "crowded_load": float,
        "stay_s": float,
        "late_weight": float,
        "late_s": float,
        "rescue_s": float,
        "rescue_load": float,
        "fairness_s": float,
        "hints": int,
        "per_rider": int,
        "per_driver": int,
    }
)
"""What can be given to a policy, and of which kind it is."""


def named_policy(text: str) -> Policy:
    """The policy of this name, with other parameters where given: "meent:horizon_s=300:margin_s=0".

    Refused: a name or parameter that is not known, a value that is no number of 0 or more.
    """
    name, *changes = text.split(":")
    if name not in POLICIES:
        raise ValueError(f"{name!r} is no policy; known are {', '.join(POLICIES)}")
    given: dict[str, float] = {}
    for change in changes:
        key, _, value = change.partition("=")
        if key not in PARAMETERS:
            raise ValueError(f"{key!r} is no parameter of a policy; {', '.join(PARAMETERS)} are")
        try:
            given[key] = PARAMETERS[key](value)
        except ValueError:
            raise ValueError(f"{key} must be a number, got {value!r}") from None
        if not 0 <= given[key] <= LONGEST_S:
            raise ValueError(f"{key} must not be negative, got {value}")
    return replace(POLICIES[name], name=text, **given)  # type: ignore[arg-type] # by the table


def _share(count: int, *, of: float) -> float:
    """How much of it the count is, 1 at most; of nothing, anything is all."""
    return min(count / max(of, 1e-9), 1.0)


def _in_turn(candidates: Candidates) -> tuple[Pair, ...]:
    """Each rider, in order, gets the nearest driver whom nobody before her got."""
    given: set[int] = set()
    pairs = []
    for rider in range(candidates.rider_count):
        edges = candidates.edges_of(rider)
        drivers = candidates.driver[edges].tolist()
        times_s = candidates.pickup_s[edges].tolist()
        left = [(s, d) for s, d in zip(times_s, drivers, strict=True) if d not in given]
        if left:
            pickup_s, driver = min(left)
            given.add(driver)
            pairs.append(Pair(rider, driver, pickup_s))
    return tuple(pairs)


def _sent(problem: Problem, pairings: Sequence[Pairing]) -> tuple[Pair, ...]:
    free_in_s = problem.supply.free_in_s
    return tuple(
        Pair(one.rider, one.driver, one.pickup_s)
        for one in pairings
        if not free_in_s[one.driver] and is_due(problem, one)
    )
