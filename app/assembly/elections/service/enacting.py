"""Lets a result take effect by itself, after the objection window and with the full notice."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.assembly.elections.queries import elections
from app.assembly.elections.rules import changes_anything, policy_of
from app.assembly.proposals.service import Proposal, get_proposal, take_step
from app.assembly.statutes import StatutesInForce
from app.assembly.stream import ASSEMBLY_STREAM
from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from governance.proposal import Step, effective_from


@dataclass(frozen=True, slots=True)
class Enactment:
    """Where a proposal stands after its objection window, and from when its policy is in force."""

    proposal: Proposal
    key: str | None
    effective_from: datetime | None


async def earliest_effect(
    tx: Transaction, *, key: str, statutes: StatutesInForce, now: datetime
) -> datetime:
    """Return the first moment at which what is enacted now may be in force.

    After the full notice, as library and database both reckon it, and after whatever was decided
    on the same policy before.
    """
    noticed = effective_from(now, durations=statutes.durations, zone=statutes.zone)
    return max(noticed, await elections.earliest_effect(tx, key=key, now=now))


async def enact(
    tx: Transaction,
    *,
    proposal: Proposal,
    election: elections.Election,
    statutes: StatutesInForce,
    now: datetime,
) -> Enactment:
    """Take the step that ends the objection window: enact the tally, or leave all as it is.

    An older enacted proposal on the same matter is superseded in the same transaction.
    """
    counted = await elections.find_tally(tx, election_id=election.id)
    assert counted is not None, "nothing stands in its objection window without a tally"
    terms = election.terms
    if not changes_anything(terms.rule, result=counted.result, parameters=terms.parameters):
        left = await take_step(
            tx, proposal=proposal, step=Step.LEAVE_UNCHANGED, now=now, statutes=statutes
        )
        return Enactment(left, None, None)
    key, begins = policy_of(terms.rule, parameters=terms.parameters), None
    if key is not None:
        begins = await earliest_effect(tx, key=key, statutes=statutes, now=now)
        await elections.enact_tally(
            tx, version_id=new_id(), tally_id=counted.id, effective_from=begins, now=now
        )
        await _supersede(tx, proposal=proposal, statutes=statutes, now=now)
    enacted = await take_step(tx, proposal=proposal, step=Step.ENACT, now=now, statutes=statutes)
    if key is not None and begins is not None:
        data: dict[str, Any] = {
            "proposal_id": str(proposal.id),
            "election_id": str(election.id),
            "key": key,
            "result": counted.result,
            "effective_from": begins.isoformat(),
        }
        tx.emit(Event("policy.enacted", (ASSEMBLY_STREAM, proposal.id), data), at=now)
    return Enactment(enacted, key, begins)


async def _supersede(
    tx: Transaction, *, proposal: Proposal, statutes: StatutesInForce, now: datetime
) -> None:
    older = await elections.list_enacted(tx, kind=proposal.kind, key=proposal.key, but=proposal.id)
    for proposal_id in older:
        await take_step(
            tx,
            proposal=await get_proposal(tx, proposal_id=proposal_id),
            step=Step.SUPERSEDE,
            now=now,
            statutes=statutes,
        )
