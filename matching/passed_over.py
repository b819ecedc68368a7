"""Why a driver got no ride in a round: her place for the nearest rider, and what she would cost."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from matching.assignment import solve
from matching.booked import EARLY_S
from matching.costs import CostTerms, cost_terms, not_serving
from matching.problem import Candidates, Id, Problem, Term
from matching.record import Record

MOST_EDGES = 50_000
"""A larger round is not solved again for one question: it would keep the next round waiting."""


class WhyNot(StrEnum):
    """Why a driver who could have been asked was not."""

    DECLINED_BEFORE = "declined_before"
    """She had been asked for every rider in reach before; nobody is asked twice."""

    NEARER_DRIVER = "nearer_driver"
    """The nearest rider went to a driver who could be there sooner."""

    NEEDED_NOWHERE = "needed_nowhere"
    """So did she, and there were as many nearer drivers as there were riders in the round."""

    SOON_FREE_DRIVER = "soon_free_driver"
    """The rider was held for a driver who still drives somebody and will end close by."""

    FAIRNESS = "fairness"
    """Another driver had earned less for her hours online, and came from a little farther off."""

    WAITING_IS_CHEAPER = "waiting_is_cheaper"
    """Nobody was sent: the drive would have cost more than leaving the rider to the next round."""

    DRAWN_BY_LOT = "drawn_by_lot"
    """Another choice was exactly as good, and the seed decided."""

    QUICK_METHOD = "quick_method"
    """She would have been cheaper, and the round was not solved to the optimum."""

    KEPT_FOR_BOOKED = "kept_for_booked"
    """She was chosen for a ride booked ahead, for which it was not yet time to set out."""

    WAS_CHOSEN = "was_chosen"
    """She was chosen, but something changed before the offer was made."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A driver's round, seen from the rider who was nearest to her; it names nobody.

    `riders_in_reach` counts the riders for whom she was a candidate. Of the nearest of them, or of
    the one for whom she was chosen:
    `candidate_count` drivers, her `rank` among them by pickup time (1: nobody sooner), her
    `pickup_s`, her `terms`, which add up to `cost_ds`, and the `chosen_pickup_s` and
    `chosen_cost_ds` of who was given this rider (None: nobody). `extra_ds` is by how much the whole
    round would have been dearer with her sent to this rider, everybody else at their best (None:
    the round is too large to find out, or it was she who was chosen). With `why` declined_before
    there is no rider to speak of: the counts are 0 and the rest None or empty.
    """

    why: WhyNot
    riders: int
    drivers: int
    riders_in_reach: int
    candidate_count: int = 0
    rank: int = 0
    pickup_s: float | None = None
    terms: tuple[Term, ...] = ()
    cost_ds: int | None = None
    chosen_pickup_s: float | None = None
    chosen_cost_ds: int | None = None
    extra_ds: int | None = None


def reachable(problem: Problem, candidates: Candidates) -> tuple[Id, ...]:
    """Who of the drivers free now could be asked for a rider here, or was asked before."""
    seen = np.zeros(len(problem.supply), dtype=np.bool_)
    seen[candidates.driver] = True
    seen[problem.excluded_pairs()[1]] = True
    seen &= problem.supply.free_in_s == 0
    return tuple(problem.supply.ids[place] for place in np.flatnonzero(seen).tolist())


def explain_passed_over(record: Record, *, driver: Id) -> PassedOver:
    """Why the round left this driver without a ride. Refused: a driver who was not in it."""
    problem, candidates = record.problem, record.candidates
    if driver not in problem.supply.ids:
        raise ValueError(f"driver {driver!r} was not in this round")
    place = problem.supply.ids.index(driver)
    riders, drivers = len(problem.demand), len(problem.supply)
    mine = np.flatnonzero(candidates.driver == place)
    if len(mine) == 0:
        return PassedOver(WhyNot.DECLINED_BEFORE, riders, drivers, riders_in_reach=0)
    chosen_for = np.flatnonzero(record.decision.driver == place)
    was_chosen = len(chosen_for) > 0
    if was_chosen:
        rider = int(record.decision.rider[chosen_for[0]])
        edge = int(mine[candidates.rider[mine] == rider][0])
    else:
        # Of equally near riders the one listed first: `argmin` takes the first.
        edge = int(mine[np.argmin(candidates.pickup_s[mine])])
        rider = int(candidates.rider[edge])
    around = candidates.edges_of(rider)
    terms = cost_terms(problem, candidates)
    chosen = _chosen_edge(record, rider=rider)
    rank = 1 + int((candidates.pickup_s[around] < candidates.pickup_s[edge]).sum())
    if was_chosen:
        sets_out_in_s = problem.demand.due_in_s[rider] - candidates.pickup_s[edge] - EARLY_S
        why = WhyNot.KEPT_FOR_BOOKED if sets_out_in_s > 0 else WhyNot.WAS_CHOSEN
    else:
        why = _why(record, terms, edge=edge, chosen=chosen, rank=rank)
    return PassedOver(
        why=why,
        riders=riders,
        drivers=drivers,
        riders_in_reach=len(mine),
        candidate_count=around.stop - around.start,
        rank=rank,
        pickup_s=float(candidates.pickup_s[edge]),
        terms=terms.of(edge),
        cost_ds=int(terms.total_ds[edge]),
        chosen_pickup_s=None if chosen is None else float(candidates.pickup_s[chosen]),
        chosen_cost_ds=None if chosen is None else int(terms.total_ds[chosen]),
        extra_ds=None if was_chosen else _extra_ds(record, terms, edge=edge),
    )


def _chosen_edge(record: Record, *, rider: int) -> int | None:
    """The edge by which this rider was given somebody, or None."""
    pair = np.flatnonzero(record.decision.rider == rider)
    if len(pair) == 0:
        return None
    around = record.candidates.edges_of(rider)
    at = record.candidates.driver[around] == record.decision.driver[pair[0]]
    first: int = around.start + int(np.flatnonzero(at)[0])
    return first


def _why(record: Record, terms: CostTerms, *, edge: int, chosen: int | None, rank: int) -> WhyNot:
    candidates, total_ds = record.candidates, terms.total_ds
    if chosen is None:
        price_ds = int(not_serving(record.problem)[candidates.rider[edge]])
        return _by_cost(int(total_ds[edge]) - price_ds, otherwise=WhyNot.WAITING_IS_CHEAPER)
    if record.problem.supply.free_in_s[candidates.driver[chosen]] > 0:
        return WhyNot.SOON_FREE_DRIVER
    if candidates.pickup_s[chosen] < candidates.pickup_s[edge]:
        # Where more are nearer than there are riders, it is not this one driver who was in the way.
        crowded = rank > len(record.problem.demand)
        return WhyNot.NEEDED_NOWHERE if crowded else WhyNot.NEARER_DRIVER
    return _by_cost(int(total_ds[edge] - total_ds[chosen]), otherwise=WhyNot.FAIRNESS)


def _by_cost(dearer_ds: int, *, otherwise: WhyNot) -> WhyNot:
    """What it means that she was not taken although she was cheaper, or as cheap."""
    if dearer_ds < 0:
        return WhyNot.QUICK_METHOD
    return WhyNot.DRAWN_BY_LOT if dearer_ds == 0 else otherwise


def _extra_ds(record: Record, terms: CostTerms, *, edge: int) -> int | None:
    """What the round would cost more with this edge in it, all others paired anew."""
    candidates = record.candidates
    if len(candidates) > min(MOST_EDGES, record.limits.edge_budget):
        return None
    rider, driver = candidates.rider[edge], candidates.driver[edge]
    others = candidates.keep((candidates.rider != rider) & (candidates.driver != driver))
    rest = solve(record.problem, others, limits=record.limits, seed=record.seed)
    # In what is left the rider counts as unserved; here she is served by this edge instead.
    unserved_ds = int(not_serving(record.problem)[rider])
    with_her_ds: int = rest.objective_ds - unserved_ds + int(terms.total_ds[edge])
    return with_her_ds - record.decision.objective_ds
