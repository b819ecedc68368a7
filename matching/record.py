"""What a round was decided from and what was decided, as bytes that replay to the same result.

Coordinates stay out: `solve` looks at the pickup times of the candidates alone, so where riders and
drivers were is needed neither to decide again nor to explain.
"""

import json
import zlib
from dataclasses import asdict, dataclass, fields
from typing import Any
from uuid import UUID

import numpy as np

from matching.arrays import IntArray
from matching.assignment import Limits, solve, solve_greedy
from matching.problem import (
    Assignment,
    Candidates,
    Demand,
    Fallback,
    Id,
    Problem,
    Supply,
    Weights,
)

VERSION = 1
_MAGIC = b"meent round "
_PLACES = ("lat", "lng")
# The caller found these out with a clock or by a crash, which deciding again would not repeat.
_FROM_OUTSIDE = (Fallback.OVERRAN, Fallback.SOLVER_FAILED)
_ID_KINDS: dict[str, type[UUID] | type[str] | type[int]] = {"u": UUID, "s": str, "i": int}


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What was decided: position `rider[n]` goes with position `driver[n]`, ordered by rider."""

    rider: IntArray
    driver: IntArray
    objective_ds: int
    solver: str
    solver_version: str
    fallback: Fallback | None
    gap: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A round as it is kept. All coordinates of `problem` are 0: they are not kept."""

    problem: Problem
    candidates: Candidates
    limits: Limits
    seed: int
    decision: Decision

    def replay(self) -> Assignment:
        """The result of deciding the same round again, by the same method."""
        if self.decision.fallback in _FROM_OUTSIDE:
            return solve_greedy(
                self.problem, self.candidates, seed=self.seed, because=self.decision.fallback
            )
        return solve(self.problem, self.candidates, limits=self.limits, seed=self.seed)

    def agrees_with(self, result: Assignment) -> bool:
        """Whether `result` has exactly the pairs and the objective that were decided."""
        pairs = [(pairing.rider, pairing.driver) for pairing in result.pairings]
        decided = zip(self.decision.rider.tolist(), self.decision.driver.tolist(), strict=True)
        return result.objective_ds == self.decision.objective_ds and pairs == list(decided)


def pack(problem: Problem, candidates: Candidates, result: Assignment, *, limits: Limits) -> bytes:
    """The round as compressed bytes, without coordinates; `unpack` reads them.

    Of `problem.excluded` only the pairs are kept of which both are here.
    """
    barred = problem.excluded_pairs()
    pairs = np.array([(one.rider, one.driver) for one in result.pairings], dtype=np.int64)
    columns = {
        "edge.rider": candidates.rider,
        "edge.driver": candidates.driver,
        "edge.pickup_s": candidates.pickup_s,
        "barred.rider": barred[0],
        "barred.driver": barred[1],
        "pair.rider": pairs.reshape(-1, 2)[:, 0],
        "pair.driver": pairs.reshape(-1, 2)[:, 1],
        **_columns(problem.demand, side="demand"),
        **_columns(problem.supply, side="supply"),
    }
    arrays = {name: np.ascontiguousarray(_compact(column)) for name, column in columns.items()}
    head = {
        "riders": [_id_text(one) for one in problem.demand.ids],
        "drivers": [_id_text(one) for one in problem.supply.ids],
        "weights": asdict(problem.weights),
        "limits": asdict(limits),
        "seed": result.seed,
        "objective_ds": result.objective_ds,
        "solver": result.solver,
        "solver_version": result.solver_version,
        "fallback": result.fallback,
        "gap": result.gap,
        "arrays": [[name, array.dtype.str, len(array)] for name, array in arrays.items()],
    }
    body = [json.dumps(head, separators=(",", ":")).encode(), b"\n"]
    body += [array.tobytes() for array in arrays.values()]
    return _MAGIC + bytes((VERSION,)) + zlib.compress(b"".join(body))


def unpack(packed: bytes) -> Record:
    """The round that was packed. Refused: anything that `pack` of this version did not make."""
    start = len(_MAGIC) + 1
    if not packed.startswith(_MAGIC) or len(packed) < start:
        raise ValueError("this is no record of a round")
    if packed[start - 1] != VERSION:
        raise ValueError(f"a record of version {packed[start - 1]}; this program reads {VERSION}")
    try:
        body = zlib.decompress(packed[start:])
        line, _, rest = body.partition(b"\n")
        return _record(json.loads(line), rest)
    except (zlib.error, KeyError, TypeError, ValueError) as damage:
        raise ValueError(f"a damaged record: {damage}") from damage


def _record(head: dict[str, Any], rest: bytes) -> Record:
    arrays = {}
    for name, kind, length in head["arrays"]:
        size = np.dtype(kind).itemsize * length
        arrays[name] = np.frombuffer(rest[:size], dtype=kind)
        rest = rest[size:]
    demand = _side(Demand, head["riders"], arrays, side="demand")
    supply = _side(Supply, head["drivers"], arrays, side="supply")
    barred = zip(arrays["barred.rider"], arrays["barred.driver"], strict=True)
    problem = Problem(
        demand=demand,
        supply=supply,
        weights=Weights(**head["weights"]),
        excluded=frozenset((demand.ids[rider], supply.ids[driver]) for rider, driver in barred),
    )
    candidates = Candidates(
        rider=arrays["edge.rider"],
        driver=arrays["edge.driver"],
        pickup_s=arrays["edge.pickup_s"],
        rider_count=len(demand),
        driver_count=len(supply),
    )
    fallback = head["fallback"]
    decision = Decision(
        rider=arrays["pair.rider"].astype(np.int64),
        driver=arrays["pair.driver"].astype(np.int64),
        objective_ds=head["objective_ds"],
        solver=head["solver"],
        solver_version=head["solver_version"],
        fallback=None if fallback is None else Fallback(fallback),
        gap=head["gap"],
    )
    return Record(problem, candidates, Limits(**head["limits"]), head["seed"], decision)


def _columns(points: Demand | Supply, *, side: str) -> dict[str, Any]:
    """Every array of riders or drivers but their coordinates, those of later days included."""
    return {f"{side}.{name}": getattr(points, name) for name in _kept(type(points))}


def _side[Side: (Demand, Supply)](
    kind: type[Side], ids: list[str], arrays: dict[str, Any], *, side: str
) -> Side:
    nowhere = dict.fromkeys(_PLACES, np.zeros(len(ids)))
    kept = {name: arrays[f"{side}.{name}"] for name in _kept(kind)}
    return kind(ids=tuple(_id_of(one) for one in ids), **nowhere, **kept)


def _kept(kind: type[Demand | Supply]) -> list[str]:
    return [field.name for field in fields(kind) if field.name not in ("ids", *_PLACES)]


def _compact(column: Any) -> Any:
    """Positions in four bytes, little-endian on every machine; durations as they are."""
    return column.astype("<i4" if np.issubdtype(column.dtype, np.integer) else "<f8")


def _id_text(one: Id) -> str:
    kind = next(letter for letter, known in _ID_KINDS.items() if isinstance(one, known))
    return kind + (one.hex if isinstance(one, UUID) else str(one))


def _id_of(text: str) -> Id:
    return _ID_KINDS[text[0]](text[1:])
