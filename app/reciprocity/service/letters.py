"""Guest letters: our word that a member's rides with a sister are paid."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.ledger.errors import BalanceTooLow, CreditLimitReached
from app.ledger.payouts import free_for_payout as lock_balances
from app.ledger.peers import set_aside
from app.reciprocity import papers
from app.reciprocity.errors import PeerLimitReached
from app.reciprocity.queries import peers as queries
from app.reciprocity.rules import CLAIMS_LAST, LETTER_LASTS
from app.reciprocity.service.peers import Own, get_active
from governance.manifest import time_text


async def issue_letter(
    tx: Transaction,
    *,
    own: Own,
    peer_id: UUID,
    member_id: UUID,
    limit_minor: int,
    name: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Vouch for a member with a sister for a day; return the letter and our signature.

    The limit is set aside on the member's account, until the sister has claimed what was ridden.

    Raises:
        NotFound, PeerPaused: there is no sister with which rides are exchanged now.
        PeerLimitReached: with what is vouched for already, we would owe the sister too much.
        CreditLimitReached: the member's account does not cover it.
    """
    peer = await get_active(tx, peer_id=peer_id)
    rider = await queries.find_rider(tx, member_id=member_id)
    if rider is None:
        raise NotFound
    # Both at once, in the order in which every posting locks.
    await lock_balances(tx, accounts=[peer["account_id"], rider["account_id"]])
    peer = await get_active(tx, peer_id=peer_id)
    vouched_minor = await queries.vouched_minor(tx, peer_id=peer_id, now=now)
    if peer["posted_minor"] + vouched_minor + limit_minor > peer["we_may_owe_minor"]:
        raise PeerLimitReached
    letter_id = new_id()
    expires_at = now + LETTER_LASTS
    claims_until = expires_at + CLAIMS_LAST
    try:
        hold_id = await set_aside(
            tx,
            account_id=rider["account_id"],
            amount_minor=limit_minor,
            now=now,
            expires_at=claims_until,
        )
    except BalanceTooLow as refused:
        raise CreditLimitReached from refused
    await queries.insert_letter(
        tx,
        letter_id=letter_id,
        peer_id=peer_id,
        member_id=member_id,
        limit_minor=limit_minor,
        hold_id=hold_id,
        now=now,
        expires_at=expires_at,
        claims_until=claims_until,
    )
    paper = {
        "format": papers.LETTER,
        "letter_id": str(letter_id),
        "home": str(own.id),
        "host": str(peer_id),
        "name": name or rider["name"] or "Guest",
        "currency": peer["currency"],
        "limit_minor": limit_minor,
        "issued_at": time_text(now),
        "expires_at": time_text(expires_at),
    }
    return {
        "host_url": peer["base_url"],
        "letter": {"paper": paper, "signature": papers.sign(paper, key=own.key)},
    }
