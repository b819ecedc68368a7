"""Says why an offer was made: what is stored with it, and one plain sentence."""

from typing import Any

from matching.problem import Assignment, Pairing

_ORDINALS = {1: "nearest", 2: "second nearest", 3: "third nearest"}


def explanation(
    pairing: Pairing, assignment: Assignment, *, riders: int, drivers: int, is_estimate: bool
) -> dict[str, Any]:
    """Return what explains an offer. It names no other driver and no other rider."""
    other = pairing.runner_up
    return {
        "candidates": pairing.candidate_count,
        "rank": pairing.rank,
        "terms": [{"name": term.name, "cost_s": term.cost_ds / 10} for term in pairing.terms],
        "cost_s": pairing.cost_ds / 10,
        "runner_up_cost_s": None if other is None else other.cost_ds / 10,
        "runner_up_took_another_ride": None if other is None else other.serves is not None,
        "riders": riders,
        "drivers": drivers,
        "solver": assignment.solver,
        "solver_version": assignment.solver_version,
        "fallback": assignment.fallback,
        "seed": assignment.seed,
        "is_estimate": is_estimate,
    }


def sentence(stored: dict[str, Any]) -> str:
    """Return the explanation in plain words."""
    count, rank = stored["candidates"], stored["rank"]
    place = _ORDINALS.get(rank, f"number {rank} by nearness")
    if count == 1:
        words = "You were the only driver near enough."
    else:
        words = f"{count} drivers were near enough. By driving time you were the {place}."
    if rank > 1:
        words += " The nearer ones were needed more for other riders, so all riders wait less."
    return words
