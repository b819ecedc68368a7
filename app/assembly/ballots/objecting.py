"""Stops a count by proof: a receipt of the board whose ballot is not in the counted box."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.assembly.ballots import queries
from app.assembly.ballots.errors import BallotIsThere, ObjectionsClosed, ReceiptRefused
from app.assembly.elections.errors import NotCountedYet
from app.assembly.elections.queries.elections import Election
from app.assembly.elections.service import void_for_faults
from app.assembly.proposals.queries.proposals import lock_proposal
from app.assembly.proposals.service import get_proposal
from app.assembly.statutes import statutes_in_force
from app.foundation.database import Transaction
from governance.ballot_box import is_receipt
from governance.proposal import Stage
from governance.verify import FaultKind

_NOT_YET = (Stage.FROZEN, Stage.CREDENTIALS_OPEN, Stage.VOTING, Stage.TALLIED)


async def object_by_receipt(
    tx: Transaction, *, election: Election, receipt: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Void the vote, name the fault and publish the receipt; return what stands then.

    A box that was counted takes nothing more, so from then on a promise of the board is broken,
    whatever moment it names. The same receipt again gets the same answer. Whoever holds the
    board's key could void a vote by a receipt for nothing, and could not decide one.

    Raises:
        ReceiptRefused: the board did not sign it, or for another vote.
        NotCountedYet: the vote was not counted; what is missing may still come.
        BallotIsThere: nothing is missing.
        ObjectionsClosed: the objection window is over, or the vote is void already.
    """
    manifest = election.manifest
    assert manifest is not None, "who shows a receipt was given the terms"
    if receipt["manifest"] != manifest.hash().hex():
        raise ReceiptRefused("it was given under the terms of another vote")
    if not is_receipt(receipt, manifest=manifest):
        raise ReceiptRefused("the board of this vote did not sign it")
    leaf = bytes.fromhex(receipt["leaf"])
    # One objection after the other, and none beside an enactment.
    await lock_proposal(tx, proposal_id=election.proposal_id)
    proposal = await get_proposal(tx, proposal_id=election.proposal_id)
    if receipt not in await queries.list_objections(tx, election_id=election.id):
        if proposal.stage in _NOT_YET:
            raise NotCountedYet
        if await queries.has_leaf(tx, election_id=election.id, leaf=leaf):
            raise BallotIsThere
        if not proposal.takes(Stage.OBJECTION_WINDOW, at=now):
            raise ObjectionsClosed
        await queries.insert_objection(tx, election_id=election.id, leaf=leaf, receipt=receipt)
        detail = f"receipt for {receipt['leaf'][:12]}, due {receipt['due_at']}"
        proposal = await void_for_faults(
            tx,
            proposal=proposal,
            election=election,
            faults=[(FaultKind.DROPPED.value, detail)],
            statutes=await statutes_in_force(tx, at=now),
            now=now,
        )
    return {
        "election_id": str(election.id),
        "stage": str(proposal.stage),
        "fault": FaultKind.DROPPED.value,
        "receipt": dict(receipt),
    }
