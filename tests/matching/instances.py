"""Small problems for the tests, written as a table of pickup times."""

from collections.abc import Iterable, Sequence

import numpy as np
from hypothesis import strategies as st

from matching.problem import Assignment, Candidates, Demand, Id, Problem, Supply, Weights

type Table = Sequence[Sequence[float | None]]

NO_CREDIT = Weights(age_credit=0.0, unserved_s=3000.0, max_pickup_s=900.0)


def problem(
    riders: int | Sequence[Id],
    drivers: int | Sequence[Id],
    *,
    waited_s: Sequence[float] | None = None,
    weights: Weights = NO_CREDIT,
    excluded: Iterable[tuple[Id, Id]] = (),
) -> Problem:
    """Everybody in one spot: for tests in which the times come from a table."""
    rider_ids = _ids(riders, prefix="rider")
    driver_ids = _ids(drivers, prefix="driver")
    return Problem(
        demand=Demand(
            ids=rider_ids,
            lat=np.zeros(len(rider_ids)),
            lng=np.zeros(len(rider_ids)),
            waited_s=np.array(waited_s if waited_s is not None else [0.0] * len(rider_ids)),
        ),
        supply=Supply(ids=driver_ids, lat=np.zeros(len(driver_ids)), lng=np.zeros(len(driver_ids))),
        weights=weights,
        excluded=frozenset(excluded),
    )


def candidates(table: Table, *, drivers: int | None = None) -> Candidates:
    """One row per rider, one column per driver; None where the driver cannot come."""
    edges = [
        (rider, driver, pickup_s)
        for rider, row in enumerate(table)
        for driver, pickup_s in enumerate(row)
        if pickup_s is not None
    ]
    width = drivers if drivers is not None else max((len(row) for row in table), default=0)
    return Candidates(
        rider=np.array([edge[0] for edge in edges], dtype=np.int64),
        driver=np.array([edge[1] for edge in edges], dtype=np.int64),
        pickup_s=np.array([edge[2] for edge in edges], dtype=np.float64),
        rider_count=len(table),
        driver_count=width,
    )


@st.composite
def instances(draw: st.DrawFn, *, most: int = 7) -> tuple[Problem, Candidates]:
    """Problems of every shape: nobody, too few drivers, missing pairs, many equal times."""
    riders = draw(st.integers(0, most))
    drivers = draw(st.integers(0, most))
    # Few different times, so that ties are common.
    time_s = st.none() | st.sampled_from([0.0, 30.0, 60.0, 60.1, 400.0, 900.0])
    row = st.lists(time_s, min_size=drivers, max_size=drivers)
    table = draw(st.lists(row, min_size=riders, max_size=riders))
    waited = st.lists(st.sampled_from([0.0, 5.0, 600.0]), min_size=riders, max_size=riders)
    weights = Weights(
        age_credit=draw(st.sampled_from([0.0, 0.3, 2.0])),
        unserved_s=draw(st.sampled_from([0.0, 60.0, 3000.0])),
        max_pickup_s=900.0,
    )
    given = problem(riders, drivers, waited_s=draw(waited), weights=weights)
    return given, candidates(table, drivers=drivers)


def pairs_of(result: Assignment) -> list[tuple[int, int]]:
    return [(pairing.rider, pairing.driver) for pairing in result.pairings]


def pairs_by_id(result: Assignment, asked: Problem) -> set[tuple[Id, Id]]:
    demand, supply = asked.demand.ids, asked.supply.ids
    return {(demand[rider], supply[driver]) for rider, driver in pairs_of(result)}


def _ids(who: int | Sequence[Id], *, prefix: str) -> tuple[Id, ...]:
    return tuple(f"{prefix} {n}" for n in range(who)) if isinstance(who, int) else tuple(who)
