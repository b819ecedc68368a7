"""A sister's claims for rides of our members there: booked once, and answered for good."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.ledger.errors import BalanceTooLow
from app.ledger.payouts import free_for_payout as lock_balances
from app.ledger.peer_queries import find_open_hold
from app.ledger.peers import post_peer_ride, set_aside
from app.ledger.service import release_fare as let_go
from app.reciprocity import papers
from app.reciprocity.errors import ClearingDiffers, ClearingOutOfOrder, PaperNotSigned
from app.reciprocity.queries import clearings as queries
from app.reciprocity.queries import peers as peer_queries
from app.reciprocity.rules import (
    ClearingState,
    LetterStanding,
    Rejection,
    why_rejected,
)
from app.reciprocity.service.peers import Own, check_signed, get_confirmed


@dataclass(frozen=True, slots=True)
class Claim:
    """What a sister claims, as it says it."""

    clearing_id: UUID
    letter_id: UUID
    claimant: UUID
    payer: UUID
    currency: str
    amount_minor: int
    closes: bool
    claimed_at: datetime


async def receive_clearing(
    tx: Transaction,
    *,
    own: Own,
    peer_id: UUID,
    claim: Claim,
    message: dict[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """Book a sister's claim and return our signed answer; the same again gets the same answer.

    The member pays us, and we owe the sister as much. A rejected claim stays rejected: it books
    nothing, and says why. A paused sister is heard as any other, since the rides took place.

    Raises:
        NotFound: there is no such sister.
        PaperNotSigned: it did not sign this, or it is not for us.
        ClearingDiffers: the id came before with other content.
        ClearingOutOfOrder: more is given back than was claimed so far; not for good.
    """
    peer = await get_confirmed(tx, peer_id=peer_id)
    check_signed(peer, paper=message["paper"], signature=message["signature"])
    if (claim.claimant, claim.payer) != (peer_id, own.id):
        raise PaperNotSigned
    letter = await peer_queries.lock_letter(tx, letter_id=claim.letter_id, peer_id=peer_id)
    # Only now: whoever brought the same claim a moment ago held the letter until it was stored.
    first = await _answered(tx, peer_id=peer_id, claim=claim, message=message)
    if first is not None:
        return first
    reason, journal_id = await _decide(tx, peer=peer, letter=letter, claim=claim, now=now)
    state = ClearingState.ACCEPTED if reason is None else ClearingState.REJECTED
    paper = {
        "format": papers.ANSWER,
        "clearing_id": str(claim.clearing_id),
        "claimant": str(peer_id),
        "payer": str(own.id),
        "amount_minor": claim.amount_minor,
        "state": state,
        "reason": reason,
    }
    answer = {"paper": paper, "signature": papers.sign(paper, key=own.key)}
    is_stored = await queries.insert_received(
        tx,
        clearing_id=claim.clearing_id,
        peer_id=peer_id,
        letter_id=claim.letter_id,
        amount_minor=claim.amount_minor,
        closes=claim.closes,
        claimed_at=claim.claimed_at,
        message=message,
        state=state,
        reason=reason,
        journal_id=journal_id,
        answer=answer,
        now=now,
    )
    if not is_stored:
        # Two at once on a letter that nobody knows: the first one's answer counts.
        first = await _answered(tx, peer_id=peer_id, claim=claim, message=message)
        assert first is not None, "a clearing that stood in the way is there"
        return first
    return answer


async def _answered(
    tx: Transaction, *, peer_id: UUID, claim: Claim, message: dict[str, Any]
) -> dict[str, Any] | None:
    known = await queries.find_clearing(tx, clearing_id=claim.clearing_id)
    if known is None:
        return None
    if known["peer_id"] != peer_id or known["message"]["paper"] != message["paper"]:
        raise ClearingDiffers
    answer: dict[str, Any] | None = known["answer"]
    if answer is None:
        raise ClearingDiffers  # A claim of our own comes back to us as if it were the sister's.
    return answer


async def _decide(
    tx: Transaction, *, peer: Any, letter: Any | None, claim: Claim, now: datetime
) -> tuple[Rejection | None, int | None]:
    """Book the claim where it is good; return why it is not, and the journal."""
    standing = None
    if letter is not None:
        standing = LetterStanding(
            limit_minor=letter["limit_minor"],
            spent_minor=letter["spent_minor"],
            claims_until=letter["claims_until"],
            is_closed=letter["closed_at"] is not None,
        )
        if letter["spent_minor"] + claim.amount_minor < 0:
            raise ClearingOutOfOrder
    reason = why_rejected(
        standing,
        amount_minor=claim.amount_minor,
        currency=claim.currency,
        own_currency=peer["currency"],
        now=now,
    )
    if reason is not None or letter is None:
        return reason, None
    await lock_balances(tx, accounts=[peer["account_id"], letter["account_id"]])
    hold_id = await find_open_hold(tx, hold_id=letter["hold_id"])
    try:
        # What the books refuse must not end the whole transaction: the rejection is stored in it.
        async with tx.connection.transaction():
            journal_id = await _book(
                tx, peer=peer, letter=letter, claim=claim, hold=hold_id, now=now
            )
            hold_id = await _hold_rest(tx, letter=letter, claim=claim, hold=hold_id, now=now)
    except BalanceTooLow:
        return Rejection.BALANCE_TOO_LOW, None
    await peer_queries.spend_letter(
        tx,
        letter_id=claim.letter_id,
        amount_minor=claim.amount_minor,
        hold_id=hold_id,
        closed_at=now if claim.closes else None,
    )
    return None, journal_id


async def _book(
    tx: Transaction, *, peer: Any, letter: Any, claim: Claim, hold: UUID | None, now: datetime
) -> int | None:
    if claim.amount_minor == 0:
        return None
    return await post_peer_ride(
        tx,
        clearing_id=claim.clearing_id,
        debtor_id=letter["account_id"],
        creditor_id=peer["account_id"],
        amount_minor=claim.amount_minor,
        hold_id=hold if claim.amount_minor > 0 else None,
        now=now,
    )


async def _hold_rest(
    tx: Transaction, *, letter: Any, claim: Claim, hold: UUID | None, now: datetime
) -> UUID | None:
    """Hold on the member's account what may still be claimed; return the hold there is now."""
    is_over = claim.closes or letter["closed_at"] is not None or now >= letter["claims_until"]
    if claim.amount_minor <= 0:
        if is_over and hold is not None:
            await let_go(tx, hold_id=hold, now=now)
        return None if is_over else hold
    rest_minor = letter["limit_minor"] - letter["spent_minor"] - claim.amount_minor
    if is_over or rest_minor == 0:
        return None  # The journal has ended the hold.
    return await set_aside(
        tx,
        account_id=letter["account_id"],
        amount_minor=rest_minor,
        now=now,
        expires_at=letter["claims_until"],
    )
