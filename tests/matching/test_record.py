"""Promises about kept rounds: they replay to the same result, and hold no place of anybody."""

import struct
from dataclasses import fields, replace
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.assignment import Limits, solve, solve_greedy
from matching.problem import Candidates, Demand, Fallback, Problem, Supply
from matching.record import VERSION, pack, unpack
from tests.matching.instances import candidates, instances, problem

LIMITS = Limits()
CROSSED = (problem(2, 2), candidates([[60.0, 120.0], [90.0, 500.0]]))


def packed(asked: Problem, edges: Candidates, *, seed: int = 1) -> bytes:
    return pack(asked, edges, solve(asked, edges, limits=LIMITS, seed=seed), limits=LIMITS)


@st.composite
def rounds(draw: st.DrawFn) -> tuple[Problem, Candidates]:
    """Instances in which some drivers are soon free, some underpaid, and all stand somewhere."""
    asked, edges = draw(instances())
    many = len(asked.supply)
    degrees = st.floats(-80, 80)
    supply = replace(
        asked.supply,
        lat=np.array(draw(st.lists(degrees, min_size=many, max_size=many))),
        free_in_s=np.array(
            draw(st.lists(st.sampled_from([0.0, 33.3]), min_size=many, max_size=many))
        ),
        underpaid=np.array(draw(st.lists(st.floats(-1, 1), min_size=many, max_size=many))),
    )
    weights = replace(asked.weights, fairness_s=draw(st.sampled_from([0.0, 120.0])))
    return replace(asked, supply=supply, weights=weights), edges


@settings(deadline=None)
@given(rounds(), st.integers(0, 5))
def test_a_kept_round_replays_to_the_same_result(
    asked: tuple[Problem, Candidates], seed: int
) -> None:
    result = solve(*asked, limits=LIMITS, seed=seed)

    record = unpack(pack(*asked, result, limits=LIMITS))

    assert record.replay() == result
    assert record.agrees_with(result)
    assert record.limits == LIMITS
    assert record.problem.weights == asked[0].weights


@settings(deadline=None)
@given(rounds())
def test_a_round_that_overran_replays_by_the_quick_method(
    asked: tuple[Problem, Candidates],
) -> None:
    result = solve_greedy(*asked, seed=1, because=Fallback.OVERRAN)

    record = unpack(pack(*asked, result, limits=LIMITS))

    assert record.replay() == result
    assert record.agrees_with(result)


def test_a_round_with_too_many_edges_replays_by_the_quick_method_too() -> None:
    tight = Limits(deadline_s=1e-9)
    result = solve(*CROSSED, limits=tight, seed=1)

    record = unpack(pack(*CROSSED, result, limits=tight))

    assert result.fallback is Fallback.TOO_MANY_EDGES
    assert record.replay() == result


def test_another_result_does_not_agree() -> None:
    record = unpack(packed(*CROSSED))

    assert not record.agrees_with(solve_greedy(*CROSSED, seed=1))


def test_ids_of_every_kind_come_back_as_they_were() -> None:
    key = UUID(int=2**127 + 1)
    asked = problem([key, "uncle"], [7, "7", key], excluded=[("uncle", "7"), ("gone", 7)])
    edges = candidates([[10.0, 20.0, 30.0], [10.0, None, 30.0]])

    record = unpack(packed(asked, edges))

    assert record.problem.demand.ids == (key, "uncle")
    assert record.problem.supply.ids == (7, "7", key)
    assert record.problem.excluded == {("uncle", "7")}


def test_no_place_of_anybody_is_kept() -> None:
    asked, edges = CROSSED
    here = replace(asked, demand=replace(asked.demand, lat=np.array([47.14, 47.07])))

    assert packed(here, edges) == packed(asked, edges)


def test_everything_that_describes_a_round_is_kept() -> None:
    """A new field of these must be kept too, or be left out on purpose, and be added here."""
    assert {field.name for field in fields(Problem)} == {"demand", "supply", "weights", "excluded"}
    for side in (Demand, Supply):
        assert {"ids", "lat", "lng"} < {field.name for field in fields(side)}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda good: good[:0], "no record"),
        (lambda good: good[:12], "no record"),
        (lambda good: good[::-1], "no record"),
        (lambda good: good[:12] + bytes([VERSION + 1]) + good[13:], "of version 2; this"),
        (lambda good: good[:-9], "damaged"),
        (lambda good: good[:13] + struct.pack("d", 1.0), "damaged"),
    ],
)
def test_what_is_no_record_of_this_version_is_refused(damage: object, words: str) -> None:
    assert callable(damage)
    with pytest.raises(ValueError, match=words):
        unpack(damage(packed(*CROSSED)))


def test_a_round_of_a_small_city_takes_few_kilobytes() -> None:
    draw = np.random.default_rng(1)
    ids = [UUID(bytes=draw.bytes(16)) for _ in range(65)]
    asked = problem(ids[:5], ids[5:])
    edges = candidates(draw.uniform(30, 900, size=(5, 60)).tolist())

    assert len(packed(asked, edges)) < 6_000
