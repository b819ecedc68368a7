"""Where many wait, few drives are asked for; more are while they may improve what was decided."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import numpy as np

from app.dispatch.solver import Asked, Decided, Round, Solver
from app.roads.service import Roads
from matching.problem import Demand, Fallback, Problem, Supply, Weights
from matching.road_certificate import LeastDrive
from matching.road_times import Block
from matching.travel import Point
from tests.conftest import FRIDAY_EVENING
from tests.steps import BALZERS, VADUZ

SEED = 1


async def crowd(roads: Roads, riders: int, drivers: int) -> Round:
    """Riders and drivers along the main road, where every driver is worth something to somebody."""
    way = await roads.quote_route(Point(**VADUZ), dropoff=Point(**BALZERS), at=FRIDAY_EVENING)
    corners = np.array(way.geometry)
    random = np.random.default_rng(5)
    at, to = (corners[random.integers(0, len(corners), many)] for many in (riders, drivers))
    problem = Problem(
        Demand(tuple(range(riders)), lat=at[:, 0], lng=at[:, 1], waited_s=np.zeros(riders)),
        Supply(tuple(range(drivers)), lat=to[:, 0], lng=to[:, 1]),
        Weights(max_pickup_s=1200.0),
    )
    least = LeastDrive(constant_s=45.0, s_per_m=1.15 / 25)
    return Round(problem, gives_up_in_s=np.full(riders, 600.0), least=least)


async def ask(roads: Roads, problem: Problem, blocks: tuple[Block, ...]) -> Asked:
    demand, supply = problem.demand, problem.supply
    seconds = [
        await roads.pickup_matrix(
            [Point(float(supply.lat[one]), float(supply.lng[one])) for one in block.drivers],
            destinations=[
                Point(float(demand.lat[one]), float(demand.lng[one])) for one in block.riders
            ],
            at=FRIDAY_EVENING + timedelta(hours=1),
        )
        for block in blocks
    ]
    return Asked(blocks, tuple(seconds))


@contextmanager
def no_patience() -> Iterator[Solver]:
    with Solver(deadline_s=0.0001) as solver:
        yield solver


async def test_few_drivers_and_riders_are_decided_exactly(roads: Roads, solver: Solver) -> None:
    round_ = await crowd(roads, 8, 12)
    asked = await ask(roads, round_.problem, await solver.first_blocks(round_.problem))

    decided = await solver.decide(round_, asked, seed=SEED)

    assert decided.assignment.gap == 0
    assert decided.ask == ()
    assert len(decided.candidates) == 8 * 12


async def test_asking_for_more_drives_proves_more_and_is_never_worse(
    roads: Roads, solver: Solver
) -> None:
    round_ = await crowd(roads, 110, 120)
    asked = await ask(roads, round_.problem, await solver.first_blocks(round_.problem))
    rounds: list[Decided] = [await solver.decide(round_, asked, seed=SEED)]
    while rounds[-1].ask and len(rounds) < 6:
        asked = asked.and_also(await ask(roads, round_.problem, rounds[-1].ask))
        rounds.append(await solver.decide(round_, asked, seed=SEED))

    objectives = [one.assignment.objective_ds for one in rounds]
    assert objectives == sorted(objectives, reverse=True)
    gaps = [one.assignment.gap for one in rounds]
    assert gaps[-1] is not None
    assert gaps[0] is not None
    assert gaps[-1] <= gaps[0]


async def test_a_solver_out_of_time_is_replaced_by_the_greedy_choice_which_proves_nothing(
    roads: Roads,
) -> None:
    round_ = await crowd(roads, 8, 12)
    with no_patience() as solver:
        asked = await ask(roads, round_.problem, await solver.first_blocks(round_.problem))
        decided = await solver.decide(round_, asked, seed=SEED)

    assert decided.assignment.fallback is Fallback.OVERRAN
    assert decided.assignment.gap is None
    assert len(decided.assignment.pairings) == 8
