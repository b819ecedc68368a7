"""Use cases of tariffs: one person proposes, another one releases, or somebody gives it up."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from app.fares import queries
from app.fares.errors import OwnTariff, TariffDecided, TariffMomentTaken, TariffTooSoon
from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.tariff import Tariff


async def propose_tariff(
    tx: Transaction,
    *,
    tariff: Tariff,
    reason: str,
    effective_from: datetime,
    proposed_by: UUID,
    now: datetime,
) -> UUID:
    """Write a tariff down that another person may release; no price changes yet. Return its id.

    Raises:
        TariffTooSoon: it would begin now or before.
    """
    if effective_from <= now:
        raise TariffTooSoon
    proposal_id = new_id()
    await queries.insert_proposal(
        tx,
        proposal_id=proposal_id,
        document=tariff.model_dump(mode="json"),
        reason=reason,
        effective_from=effective_from,
        proposed_by=proposed_by,
        now=now,
    )
    return proposal_id


async def release_tariff(
    tx: Transaction, *, proposal_id: UUID, released_by: UUID, now: datetime
) -> None:
    """Let a proposed tariff come into force at its moment; quotes given before keep their price.

    Raises:
        NotFound: nobody proposed it.
        TariffDecided: it was released or withdrawn before.
        OwnTariff: the same person proposed it.
        TariffTooSoon: its moment has passed meanwhile.
        TariffMomentTaken: another tariff begins at that moment.
    """
    proposal = await _undecided(tx, proposal_id=proposal_id)
    if proposal["proposed_by"] == released_by:
        raise OwnTariff
    if proposal["effective_from"] <= now:
        raise TariffTooSoon
    try:
        await queries.release_tariff(tx, proposal_id=proposal_id, released_by=released_by, now=now)
    except asyncpg.UniqueViolationError as taken:
        raise TariffMomentTaken from taken


async def withdraw_tariff(
    tx: Transaction, *, proposal_id: UUID, withdrawn_by: UUID, now: datetime
) -> None:
    """Give up a proposed tariff.

    Raises:
        NotFound: nobody proposed it.
        TariffDecided: it was released or withdrawn before.
    """
    await _undecided(tx, proposal_id=proposal_id)
    await queries.withdraw_proposal(tx, proposal_id=proposal_id, withdrawn_by=withdrawn_by, now=now)


async def get_proposal(reader: Transaction, *, proposal_id: UUID) -> Any:
    """Return a proposed tariff.

    Raises:
        NotFound: nobody proposed it.
    """
    proposal = await queries.find_proposal(reader, proposal_id=proposal_id)
    if proposal is None:
        raise NotFound
    return proposal


async def _undecided(tx: Transaction, *, proposal_id: UUID) -> Any:
    proposal = await queries.find_proposal(tx, proposal_id=proposal_id, lock=True)
    if proposal is None:
        raise NotFound
    if proposal["released_at"] is not None or proposal["withdrawn_at"] is not None:
        raise TariffDecided
    return proposal
