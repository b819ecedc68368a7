"""Promises about a driver who got no ride: the true reason, and what sending her would cost."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings

from matching.arrays import LONGEST_S
from matching.assignment import Limits, solve, solve_greedy
from matching.booked import EARLY_S
from matching.passed_over import MOST_EDGES, WhyNot, explain_passed_over, reachable
from matching.problem import Assignment, Candidates, Fallback, Problem, Weights
from matching.record import Record, pack, unpack
from tests.matching.instances import Table, candidates, instances, problem

LIMITS = Limits()


def kept(asked: Problem, edges: Candidates, result: Assignment | None = None) -> Record:
    decided = result or solve(asked, edges, limits=LIMITS, seed=1)
    return unpack(pack(asked, edges, decided, limits=LIMITS))


def kept_table(
    table: Table,
    *,
    weights: Weights | None = None,
    free_in_s: Sequence[float] = (),
    underpaid: Sequence[float] = (),
) -> Record:
    asked = problem(len(table), len(table[0]), weights=weights or Weights(age_credit=0.0))
    supply = asked.supply
    if free_in_s:
        supply = replace(supply, free_in_s=np.array(free_in_s))
    if underpaid:
        supply = replace(supply, underpaid=np.array(underpaid))
    return kept(replace(asked, supply=supply), candidates(table))


def test_the_nearer_driver_was_sent() -> None:
    told = explain_passed_over(kept_table([[60.0, 90.0], [None, None]]), driver="driver 1")

    assert told.why is WhyNot.NEARER_DRIVER
    assert (told.rank, told.candidate_count, told.riders_in_reach) == (2, 2, 1)
    assert (told.pickup_s, told.chosen_pickup_s, told.extra_ds) == (90.0, 60.0, 300)
    assert sum(term.cost_ds for term in told.terms) == told.cost_ds == 900


def test_more_drivers_were_nearer_than_riders_waited() -> None:
    told = explain_passed_over(kept_table([[60.0, 90.0]]), driver="driver 1")

    assert told.why is WhyNot.NEEDED_NOWHERE


def test_a_driver_who_is_soon_free_was_worth_waiting_for() -> None:
    record = kept_table([[10.0, 200.0]], free_in_s=(30.0, 0.0))

    told = explain_passed_over(record, driver="driver 1")

    assert told.why is WhyNot.SOON_FREE_DRIVER
    assert (told.chosen_cost_ds, told.cost_ds, told.extra_ds) == (1000, 2000, 1000)


def test_somebody_who_had_earned_less_came_from_farther_off() -> None:
    fair = Weights(age_credit=0.0, fairness_s=120.0)
    record = kept_table([[100.0, 60.0]], weights=fair, underpaid=(1.0, -1.0))

    told = explain_passed_over(record, driver="driver 1")

    assert told.why is WhyNot.FAIRNESS
    assert (told.rank, told.pickup_s, told.chosen_pickup_s) == (1, 60.0, 100.0)
    assert told.extra_ds == 800


def test_a_drive_can_cost_more_than_waiting() -> None:
    record = kept_table([[400.0]], weights=Weights(age_credit=0.0, unserved_s=60.0))

    told = explain_passed_over(record, driver="driver 0")

    assert (told.why, told.chosen_cost_ds) == (WhyNot.WAITING_IS_CHEAPER, None)
    assert told.extra_ds == 3400


def test_a_lot_is_called_a_lot() -> None:
    record = kept_table([[60.0, 60.0]])
    [left] = {"driver 0", "driver 1"} - {f"driver {place}" for place in record.decision.driver}

    told = explain_passed_over(record, driver=left)

    assert (told.why, told.extra_ds, told.rank) == (WhyNot.DRAWN_BY_LOT, 0, 1)


def test_who_declined_every_rider_in_reach_is_told_so() -> None:
    asked = problem(1, 2, excluded=[("rider 0", "driver 1")])
    record = kept(asked, candidates([[60.0, None]]))

    told = explain_passed_over(record, driver="driver 1")

    assert (told.why, told.riders_in_reach, told.cost_ds) == (WhyNot.DECLINED_BEFORE, 0, None)


def test_who_was_chosen_and_got_no_offer_is_told_that_things_changed() -> None:
    told = explain_passed_over(kept_table([[60.0, 90.0]]), driver="driver 0")

    assert (told.why, told.extra_ds) == (WhyNot.WAS_CHOSEN, None)


def test_who_is_kept_for_a_ride_booked_ahead_is_told_so_until_it_is_time_to_set_out() -> None:
    def asked(due_in_s: float) -> Record:
        alone = problem(2, 1, weights=Weights(age_credit=0.0))
        demand = replace(
            alone.demand,
            due_in_s=np.array([0.0, due_in_s]),
            late_in_s=np.array([LONGEST_S, due_in_s]),
        )
        return kept(replace(alone, demand=demand), candidates([[50.0], [60.0]]))

    kept_for_later = explain_passed_over(asked(60.0 + EARLY_S + 1), driver="driver 0")
    due = explain_passed_over(asked(60.0 + EARLY_S), driver="driver 0")

    assert (kept_for_later.why, kept_for_later.pickup_s) == (WhyNot.KEPT_FOR_BOOKED, 60.0)
    assert (due.why, due.extra_ds) == (WhyNot.WAS_CHOSEN, None)


def test_a_round_that_was_not_solved_to_the_optimum_says_so() -> None:
    asked, edges = problem(1, 2), candidates([[60.0, 90.0]])
    best = solve(asked, edges.keep(edges.driver == 1), limits=LIMITS, seed=1)
    second = replace(best, fallback=Fallback.OVERRAN)

    told = explain_passed_over(kept(asked, edges, second), driver="driver 0")

    assert (told.why, told.extra_ds) == (WhyNot.QUICK_METHOD, -300)


def test_a_driver_who_was_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="was not in this round"):
        explain_passed_over(kept_table([[60.0]]), driver="driver 9")


def test_a_huge_round_is_not_solved_again_for_one_question() -> None:
    side = int(MOST_EDGES**0.5) + 1
    asked = problem(side, side)
    edges = candidates([[30.0] * side] * side)
    record = kept(asked, edges, solve_greedy(asked, edges, seed=1))

    assert explain_passed_over(record, driver="driver 3").extra_ds is None


def test_who_could_have_been_asked_is_who_is_free_now() -> None:
    asked = problem(1, 4, excluded=[("rider 0", "driver 2")])
    supply = replace(asked.supply, free_in_s=np.array([0.0, 30.0, 0.0, 0.0]))
    edges = candidates([[60.0, 70.0, None, None]])

    assert reachable(replace(asked, supply=supply), edges) == ("driver 0", "driver 2")


@settings(deadline=None, max_examples=60)
@given(instances(most=4))
def test_what_sending_her_would_cost_is_exact(given_: tuple[Problem, Candidates]) -> None:
    asked, edges = given_
    record = kept(asked, edges)
    for driver in reachable(asked, edges):
        told = explain_passed_over(record, driver=driver)
        if told.why is WhyNot.WAS_CHOSEN:
            continue
        assert told.why is not WhyNot.QUICK_METHOD
        assert told.extra_ds == cheapest_with(record, str(driver)) - record.decision.objective_ds
        assert told.extra_ds >= 0


def cheapest_with(record: Record, driver: str) -> int:
    """The least cost of all pairings in which she fetches her nearest rider, by trying them all."""
    asked, edges = record.problem, record.candidates
    place = asked.supply.ids.index(driver)
    mine = np.flatnonzero(edges.driver == place)
    rider = int(edges.rider[mine[np.argmin(edges.pickup_s[mine])]])
    weights, waited_s = asked.weights, asked.demand.waited_s
    cost_ds = {
        (int(r), int(d)): round(s * 10) - round(weights.age_credit * waited_s[r] * 10)
        for r, d, s in zip(edges.rider, edges.driver, edges.pickup_s, strict=True)
    }
    riders, nobody = len(asked.demand), len(asked.supply)
    best: int | None = None
    for chosen in permutations([*range(nobody), *[nobody] * riders], riders):
        pairs = [(r, d) for r, d in enumerate(chosen) if d != nobody]
        if chosen[rider] == place and all(pair in cost_ds for pair in pairs):
            unserved_ds = round(weights.unserved_s * 10) * (riders - len(pairs))
            total_ds = sum(cost_ds[pair] for pair in pairs) + unserved_ds
            best = total_ds if best is None else min(best, total_ds)
    assert best is not None
    return best
