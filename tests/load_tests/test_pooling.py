import json
from collections.abc import Callable

import numpy as np
import pytest

from load_tests.pooling import (
    METHODS,
    NEEDS,
    OURS,
    Answer,
    absent_peers,
    evening,
    or_tools,
    pyvrp,
    run,
    vroom,
)
from matching.pooling.check import check_plan
from matching.pooling.plan import plan_of, promised
from matching.pooling.words import Pool

QUICK: dict[str, Callable[[Pool], Answer]] = {
    "VROOM -x5": lambda pool: vroom(pool, exploration=0),
    "PyVRP, 1 s": lambda pool: pyvrp(pool, seconds=0.1),
    "OR-Tools routing, 1 s": lambda pool: or_tools(pool, seconds=0.1),
}


def test_an_evening_is_the_same_for_everybody_and_another_one_is_not() -> None:
    first, again, other = evening(1), evening(1), evening(2)

    assert np.array_equal(first.times.seconds, again.times.seconds)
    assert not np.array_equal(first.times.seconds, other.times.seconds)
    assert (first.times.seconds == np.rint(first.times.seconds)).all()


@pytest.mark.parametrize("name", [name for name in NEEDS if name not in absent_peers()])
def test_a_peers_answer_is_read_as_a_plan_that_breaks_no_promise(name: str) -> None:
    pool = evening(3, requests=12, cars=8)

    plan = plan_of(pool, QUICK[name](pool).orders)

    assert check_plan(pool, plan) == ()
    assert plan.carried
    assert plan.objective_ds < promised(pool).objective_ds


def test_the_figures_of_a_run_can_be_written_as_json() -> None:
    result = run(seeds=2, compared={name: METHODS[name] for name in ("insertion by regret", OURS)})

    assert json.loads(json.dumps(result)) == result
    by_regret, ours = result["rows"]
    assert (ours["method"], ours["objective_ratio"]) == (OURS, 1.0)
    assert by_regret["objective_s"] > ours["objective_s"]
    assert len(ours["objectives_s"]) == 2


def test_an_answer_that_breaks_a_promise_ends_the_run() -> None:
    def twice(pool: Pool) -> Answer:
        orders = METHODS[OURS](pool).orders
        return Answer([order + max(orders, key=len) for order in orders], 1.0, 1.0)

    with pytest.raises(SystemExit, match="breaks promises"):
        run(seeds=1, compared={OURS: twice})
