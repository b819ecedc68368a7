"""The pairings of a decision as whole columns: what explains one is put into words when asked for.

A large batch is decided in some milliseconds; thousands of objects would take as long again to
make, and longer to be sent from one process to another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from matching.arrays import FloatArray, IntArray
from matching.compiled import compiled
from matching.costs import CostTerms
from matching.problem import Candidates, Pairing, RunnerUp


@dataclass(frozen=True, slots=True, eq=False)
class Pairings(Sequence[Pairing]):
    """Pairings ordered by rider, one entry each, as `Pairing` says; equal to any like sequence.

    `rival`, `rival_ds` and `rival_serves` are the runner-up: her position in supply, what she would
    have cost, whom she was given instead; -1 for nobody.
    """

    rider: IntArray
    driver: IntArray
    pickup_s: FloatArray
    cost_ds: IntArray
    terms: CostTerms
    candidate_count: IntArray
    rank: IntArray
    rival: IntArray
    rival_ds: IntArray
    rival_serves: IntArray

    def __len__(self) -> int:
        return len(self.rider)

    @overload
    def __getitem__(self, place: int) -> Pairing: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Pairing, ...]: ...
    def __getitem__(self, place: int | slice) -> Pairing | tuple[Pairing, ...]:
        if isinstance(place, slice):
            return self._at(np.arange(len(self))[place])
        return self._at(np.arange(len(self))[[place]])[0]

    def __iter__(self) -> Iterator[Pairing]:
        return iter(self[:])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # equal to tuples, whose hash would need them all

    def _at(self, places: IntArray) -> tuple[Pairing, ...]:
        # Whole columns become Python's own numbers at once, which is many times quicker than one
        # by one; the order is that of the fields.
        columns = (
            self.rider[places].tolist(),
            self.driver[places].tolist(),
            self.pickup_s[places].tolist(),
            self.cost_ds[places].tolist(),
            self.terms.of_each(places),
            self.candidate_count[places].tolist(),
            self.rank[places].tolist(),
            map(
                _runner_up,
                self.rival[places].tolist(),
                self.rival_ds[places].tolist(),
                self.rival_serves[places].tolist(),
            ),
        )
        return tuple(map(Pairing, *columns))


def pairings_of(
    candidates: Candidates,
    terms: CostTerms,
    *,
    driver_of: IntArray,
    rider_of: IntArray,
    driver_place: IntArray,
) -> Pairings:
    """The pairings in which rider r has `driver_of[r]`, each beside her other candidates.

    `driver_of` and `rider_of` hold -1 for nobody; each pair must be a candidate. Of other drivers
    who cost the same the runner-up is the first by `driver_place`.
    """
    total_ds = terms.total_ds
    rider = np.flatnonzero(driver_of >= 0)
    edge, rank, rival = _beside(
        rider, driver_of, candidates.starts, candidates.driver, candidates.pickup_s, total_ds,
        driver_place,
    )  # fmt: skip
    assert (edge >= 0).all(), "a pair is no candidate"
    has_rival = rival >= 0
    rival_driver = np.where(has_rival, candidates.driver[rival], -1)
    return Pairings(
        rider=rider,
        driver=driver_of[rider],
        pickup_s=candidates.pickup_s[edge],
        cost_ds=total_ds[edge],
        terms=CostTerms(terms.names, terms.values_ds[:, edge]),
        candidate_count=np.diff(candidates.starts)[rider],
        rank=rank,
        rival=rival_driver,
        rival_ds=np.where(has_rival, total_ds[rival], 0),
        rival_serves=np.where(has_rival, rider_of[rival_driver], -1),
    )


def _runner_up(driver: int, cost_ds: int, serves: int) -> RunnerUp | None:
    return None if driver < 0 else RunnerUp(driver, cost_ds, None if serves < 0 else serves)


@compiled
def _beside(
    riders: IntArray,
    driver_of: IntArray,
    starts: IntArray,
    driver: IntArray,
    pickup_s: FloatArray,
    cost_ds: IntArray,
    driver_place: IntArray,
) -> tuple[IntArray, IntArray, IntArray]:
    """Per paired rider: her edge, its rank by pickup time, and her cheapest other; -1 for none."""
    own = np.full(len(riders), -1, dtype=np.int64)
    rank = np.ones(len(riders), dtype=np.int64)
    rival = np.full(len(riders), -1, dtype=np.int64)
    for place, rider in enumerate(riders):
        for edge in range(starts[rider], starts[rider + 1]):
            if driver[edge] == driver_of[rider]:
                own[place] = edge
        for edge in range(starts[rider], starts[rider + 1]):
            if edge == own[place]:
                continue
            rank[place] += pickup_s[edge] < pickup_s[own[place]]
            first = rival[place]
            if (
                first < 0
                or cost_ds[edge] < cost_ds[first]
                or (
                    cost_ds[edge] == cost_ds[first]
                    and driver_place[driver[edge]] < driver_place[driver[first]]
                )
            ):
                rival[place] = edge
    return own, rank, rival
