"""Decides stored rounds again: each must end with the result that is stored, and explain it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import ValidationError

from app.dispatch import queries, run_queries
from app.dispatch.explain import offer_explained
from app.dispatch.pool_record import unpack_pool
from app.dispatch.runs import stored_stops
from app.dispatch.schemas import ExplanationView
from app.dispatch.words import GRAMMARS
from app.foundation.database import Transaction
from matching.record import unpack


@dataclass(frozen=True, slots=True)
class Replayed:
    """A stored round decided again: `fault` says what is not as stored; None if nothing.

    `pairs` are (ride, driver) by their ids, `explained` how many of its `offers` are told whole.
    """

    tick_id: UUID
    at: datetime
    riders: int
    drivers: int
    candidates: int
    objective_ds: int
    solver: str
    solver_version: str
    pairs: tuple[tuple[str, str], ...]
    offers: int
    explained: int
    fault: str | None


async def replay_round(reader: Transaction, *, either_id: UUID) -> Replayed | None:
    """Return a round decided again, by its own id or that of an offer. None: it is not stored."""
    row = await queries.find_round(reader, either_id=either_id)
    return None if row is None else await asyncio.to_thread(_replayed, row)


@dataclass(frozen=True, slots=True)
class ReplayedPool:
    """Offers to join shared runs, decided again: `fault` says what is not as stored, if anything.

    Of its `offers`, so many are told whole.
    """

    tick_id: UUID
    offers: int
    explained: int
    fault: str | None


async def replay_newest_pools(reader: Transaction, *, newest: int) -> list[ReplayedPool]:
    """Return the newest stored pools decided again, the newest first."""
    found = []
    for tick_id in await run_queries.list_pools(reader, newest=newest):
        row = await run_queries.find_pool(reader, tick_id=tick_id)
        found.append(await asyncio.to_thread(_replayed_pool, tick_id, row))
    return found


def _replayed_pool(tick_id: UUID, row: Any) -> ReplayedPool:
    offers = orjson.loads(row["made"])
    explained = sum(_is_explained(offer["explanation"]) for offer in offers)
    try:
        again = unpack_pool(row["record"]).decide_again()
    except ValueError as damage:
        return ReplayedPool(tick_id, len(offers), 0, fault=f"cannot be read: {damage}")
    decided = [(str(j.ride_id), str(j.driver_id), stored_stops(j.run)) for j in again.joins]
    made = [(offer["ride_id"], offer["driver_id"], offer["run"]) for offer in offers]
    fault = None
    if not all(one in decided for one in made):
        fault = "made an offer to join that is not decided again"
    elif explained < len(offers):
        fault = f"explains only {explained} of its {len(offers)} offers to join"
    return ReplayedPool(tick_id, len(offers), explained, fault)


async def replay_newest(reader: Transaction, *, newest: int) -> list[Replayed]:
    """Return the newest stored rounds decided again, the newest first.

    They are read one after the other, so that memory holds one.
    """
    ids = await queries.list_inputs(reader, newest=newest)
    found = [await replay_round(reader, either_id=tick_id) for tick_id in ids]
    return [one for one in found if one is not None]


def _replayed(row: Any) -> Replayed:
    # Who joins a shared run was offered to its driver by another plan than this pairing.
    offers = [offer for offer in orjson.loads(row["made"]) if not offer["joins"]]
    try:
        record = unpack(row["record"])
    except ValueError as damage:
        return _unreadable(row, offers, fault=f"cannot be read: {damage}")
    again = record.replay()
    riders, drivers = record.problem.demand.ids, record.problem.supply.ids
    pairs = tuple((str(riders[one.rider]), str(drivers[one.driver])) for one in again.pairings)
    decision = record.decision
    decided = {
        (str(riders[rider]), str(drivers[driver]))
        for rider, driver in zip(decision.rider.tolist(), decision.driver.tolist(), strict=True)
    }
    # Another solver may draw another of several pairings that cost the same.
    before = (decision.solver, decision.solver_version)
    same_solver = before == (again.solver, again.solver_version)
    fault = None
    if not again.objective_ds == decision.objective_ds == row["objective_ds"]:
        fault = f"costs {again.objective_ds} ds when decided again, not {row['objective_ds']}"
    elif same_solver and not record.agrees_with(again):
        fault = "pairs others when decided again"
    elif not {(offer["ride_id"], offer["driver_id"]) for offer in offers} <= decided:
        fault = "made an offer that was not decided"
    explained = sum(_is_explained(offer["explanation"]) for offer in offers)
    if fault is None and explained < len(offers):
        fault = f"explains only {explained} of its {len(offers)} offers"
    return Replayed(
        tick_id=row["tick_id"],
        at=row["at"],
        riders=len(riders),
        drivers=len(drivers),
        candidates=len(record.candidates),
        objective_ds=again.objective_ds,
        solver=again.solver,
        solver_version=again.solver_version,
        pairs=pairs,
        offers=len(offers),
        explained=explained,
        fault=fault,
    )


def _unreadable(row: Any, offers: list[Any], *, fault: str) -> Replayed:
    return Replayed(
        row["tick_id"], row["at"], 0, 0, 0, 0, "", "", (), len(offers), explained=0, fault=fault
    )


def _is_explained(stored: dict[str, Any]) -> bool:
    """Whether the offer can be told in every language, and its terms add up to its cost."""
    try:
        for language in GRAMMARS:
            told = ExplanationView.model_validate(offer_explained(stored, language=language))
            whole_ds = [round(term.cost_s * 10) for term in told.terms]
            if not whole_ds or sum(whole_ds) != round(told.cost_s * 10):
                return False
            if not (told.program_version and told.weights and told.policies and told.sentences):
                return False
    except (KeyError, TypeError, ValidationError):
        return False
    return True
