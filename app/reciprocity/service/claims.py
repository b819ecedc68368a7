"""Claims on sisters whose members rode with us: booked with us at once, until they are answered."""

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from app.foundation.database import Database, Transaction
from app.foundation.ids import new_id
from app.foundation.problems import NotFound, Problem
from app.ledger.corrections import reverse_journal
from app.ledger.payouts import free_for_payout as lock_balances
from app.ledger.peer_queries import find_open_hold, posted_minor
from app.ledger.peers import post_peer_ride, set_aside
from app.ledger.service import release_fare as let_go
from app.members.service.sessions import sign_out_everywhere
from app.reciprocity import papers
from app.reciprocity.errors import PeerDecided
from app.reciprocity.queries import clearings as queries
from app.reciprocity.rules import ClearingState, Rejection
from app.reciprocity.service.peers import Own
from governance.manifest import time_text

MOST_PER_ROUND = 100

log = structlog.get_logger("reciprocity")


async def claim_due(database: Database, *, own: Own, now: datetime) -> int:
    """Claim what visitors owe by now, give back what they are owed; return how many claims."""
    async with database.reading() as reader:
        due = await queries.list_due_visits(reader, now=now, most=MOST_PER_ROUND)
    made = 0
    for visit_id in due:
        try:
            async with database.transaction() as tx:
                made += await claim_visit(tx, own=own, visit_id=visit_id, now=now)
        except Problem as refused:
            # One that the books refuse holds up no other one.
            log.warning("reciprocity.claim.refused", visit_id=str(visit_id), problem=refused.slug)
    return made


async def claim_visit(tx: Transaction, *, own: Own, visit_id: UUID, now: datetime) -> bool:
    """Book and put into the outbox what stands on a visitor's account; False: nothing to say.

    What the visitor owed, the sister owes us from here on, and the visitor owes nothing. So much
    of the letter is spent: it stays set aside on the visitor's account for good. Once the letter
    has ended and no ride is open, the claim is the last one, and the visitor is signed out.
    """
    visit = await queries.lock_visit(tx, visit_id=visit_id)
    if visit is None or await queries.has_pending(tx, visit_id=visit_id):
        return False
    await lock_balances(tx, accounts=[visit["peer_account_id"], visit["account_id"]])
    owed_minor = -await posted_minor(tx, account_id=visit["account_id"])
    # No more is given back than was claimed: what else stands there came from somewhere else.
    amount_minor = max(owed_minor, -visit["claimed_minor"])
    closes = (
        visit["closed_at"] is None
        and visit["expires_at"] <= now
        and not await queries.has_open_ride(tx, rider_id=visit["member_id"])
    )
    if amount_minor == 0 and not closes:
        return False
    clearing_id = new_id()
    hold_id = await find_open_hold(tx, hold_id=visit["hold_id"])
    journal_id, set_aside_id = None, None
    if amount_minor:
        journal_id = await post_peer_ride(
            tx,
            clearing_id=clearing_id,
            debtor_id=visit["peer_account_id"],
            creditor_id=visit["account_id"],
            amount_minor=amount_minor,
            hold_id=hold_id if amount_minor > 0 else None,
            now=now,
        )
    claimed_minor = visit["claimed_minor"] + amount_minor
    if amount_minor > 0:
        set_aside_id = await set_aside(
            tx,
            account_id=visit["account_id"],
            amount_minor=amount_minor,
            now=now,
            expires_at=visit["claims_until"],
        )
        hold_id = None
        rest_minor = visit["limit_minor"] - claimed_minor
        if not closes and rest_minor > 0 and visit["claims_until"] > now:
            hold_id = await set_aside(
                tx,
                account_id=visit["peer_account_id"],
                amount_minor=rest_minor,
                now=now,
                expires_at=visit["claims_until"],
            )
    if closes:
        if hold_id is not None:
            await let_go(tx, hold_id=hold_id, now=now)
            hold_id = None
        await sign_out_everywhere(tx, member_id=visit["member_id"], now=now)
    await queries.insert_claim(
        tx,
        clearing_id=clearing_id,
        visit=visit,
        amount_minor=amount_minor,
        closes=closes,
        message=_message(
            own, visit=visit, clearing_id=clearing_id, amount=amount_minor, closes=closes, now=now
        ),
        journal_id=journal_id,
        set_aside_id=set_aside_id,
        now=now,
    )
    await queries.update_visit(
        tx,
        visit_id=visit_id,
        claimed_minor=claimed_minor,
        hold_id=hold_id,
        closed_at=now if closes else None,
    )
    return True


def _message(
    own: Own, *, visit: Any, clearing_id: UUID, amount: int, closes: bool, now: datetime
) -> dict[str, Any]:
    paper = {
        "format": papers.CLEARING,
        "clearing_id": str(clearing_id),
        "letter_id": str(visit["id"]),
        "claimant": str(own.id),
        "payer": str(visit["peer_id"]),
        "currency": visit["letter"]["currency"],
        "amount_minor": amount,
        "closes": closes,
        "claimed_at": time_text(now),
    }
    return {"paper": paper, "signature": papers.sign(paper, key=own.key)}


async def take_answer(
    tx: Transaction, *, clearing_id: UUID, answer: dict[str, Any], now: datetime
) -> bool:
    """Keep a sister's answer to a claim of ours; False where it is answered already.

    A rejected claim is reversed with its reason: the visitor owes us again, and nothing more is
    claimed for the visit until a person lets it. `answer` is signed: the caller has looked.
    """
    claim = await queries.lock_pending(tx, clearing_id=clearing_id)
    if claim is None:
        return False
    state = ClearingState(answer["paper"]["state"])
    reason, reversal_id = None, None
    if state is ClearingState.REJECTED:
        reason = Rejection(answer["paper"]["reason"])
        reversal_id = await _take_back(tx, claim=claim, reason=reason, now=now)
    await queries.answer_claim(
        tx,
        clearing_id=clearing_id,
        state=state,
        reason=reason,
        reversal_id=reversal_id,
        answer=answer,
        now=now,
    )
    return True


async def _take_back(
    tx: Transaction, *, claim: Any, reason: Rejection, now: datetime
) -> int | None:
    visit = await queries.lock_visit_patiently(tx, visit_id=claim["letter_id"])
    await queries.update_visit(
        tx,
        visit_id=visit["id"],
        claimed_minor=visit["claimed_minor"] - claim["amount_minor"],
        hold_id=visit["hold_id"],
        stalled_at=now,
    )
    if claim["journal_id"] is None:
        return None
    await lock_balances(tx, accounts=[visit["peer_account_id"], visit["account_id"]])
    # Let go first: otherwise the visitor would owe it and have it set aside at once.
    set_aside_id = await find_open_hold(tx, hold_id=claim["set_aside_id"])
    if set_aside_id is not None:
        await let_go(tx, hold_id=set_aside_id, now=now)
    return await reverse_journal(
        tx,
        journal_id=claim["journal_id"],
        reason=f"the sister cooperative rejected clearing {claim['id']}: {reason}",
        decided_by=None,
        now=now,
    )


async def claim_again(tx: Transaction, *, peer_id: UUID, visit_id: UUID) -> None:
    """Let the next round claim for a visit whose claim was rejected.

    Raises:
        NotFound: there is no such visit.
        PeerDecided: nothing was rejected.
    """
    visit = await queries.lock_visit_patiently(tx, visit_id=visit_id)
    if visit is None or visit["peer_id"] != peer_id:
        raise NotFound
    if visit["stalled_at"] is None:
        raise PeerDecided
    await queries.update_visit(
        tx, visit_id=visit_id, claimed_minor=visit["claimed_minor"], hold_id=visit["hold_id"]
    )
