"""Visits: a sister's member comes with a letter and rides with us as anybody does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.ledger.errors import BalanceTooLow
from app.ledger.peers import set_aside
from app.ledger.service import open_rider_account
from app.members.keys import Keys
from app.members.queries import people
from app.members.roles import Role
from app.members.service.sessions import Tokens, start_session
from app.reciprocity.errors import PaperNotSigned, PeerLimitReached
from app.reciprocity.queries import peers as queries
from app.reciprocity.rules import CLAIMS_LAST, CLOCKS_DIFFER, LETTER_LASTS
from app.reciprocity.service.peers import Own, check_signed, get_active
from app.rides.errors import VisitOver
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Letter:
    """What a sister says of its member."""

    letter_id: UUID
    home: UUID
    host: UUID
    name: str
    currency: str
    limit_minor: int
    issued_at: datetime
    expires_at: datetime


async def open_visit(
    tx: Transaction,
    *,
    own: Own,
    letter: Letter,
    paper: dict[str, Any],
    signature: str,
    keys: Keys,
    settings: Settings,
    now: datetime,
) -> Tokens:
    """Begin a session of the visitor; the first one makes them a member, without a number.

    The letter's limit is set aside on the sister's account and is all the visitor may owe. Whoever
    has the letter is the visitor: the same letter again begins another session of the same one.

    Raises:
        NotFound, PeerPaused: we exchange no rides with the cooperative that wrote it.
        PaperNotSigned: it did not write this, or not for us.
        VisitOver: the letter has ended.
        PeerLimitReached: the sister would owe us more than agreed; nothing has changed.
    """
    peer = await get_active(tx, peer_id=letter.home)
    check_signed(peer, paper=paper, signature=signature)
    lasts = letter.expires_at - letter.issued_at
    if letter.host != own.id or letter.currency != peer["currency"] or lasts > LETTER_LASTS:
        raise PaperNotSigned
    if letter.issued_at > now + CLOCKS_DIFFER:
        raise PaperNotSigned("the letter is of a later time than ours")
    await queries.wait_for_letter(tx, letter_id=letter.letter_id)
    visit = await queries.find_visit(tx, visit_id=letter.letter_id)
    if letter.expires_at <= now or (visit is not None and visit["closed_at"] is not None):
        raise VisitOver
    if visit is not None and visit["peer_id"] != letter.home:
        raise PaperNotSigned("another cooperative gave a letter of this id")
    if visit is None:
        member_id = await _admit(tx, letter=letter, paper=paper, peer=peer, now=now)
    else:
        member_id = visit["member_id"]
    return await start_session(
        tx,
        keys=keys,
        settings=settings,
        member_id=member_id,
        new_member=visit is None,
        now=now,
    )


async def _admit(
    tx: Transaction, *, letter: Letter, paper: dict[str, Any], peer: Any, now: datetime
) -> UUID:
    claims_until = letter.expires_at + CLAIMS_LAST
    try:
        hold_id = await set_aside(
            tx,
            account_id=peer["account_id"],
            amount_minor=letter.limit_minor,
            now=now,
            expires_at=claims_until,
        )
    except BalanceTooLow as refused:
        raise PeerLimitReached from refused
    member_id = new_id()
    await queries.insert_visitor(tx, member_id=member_id, name=letter.name, now=now)
    await people.grant_role(tx, member_id=member_id, role=Role.RIDER, by=None, now=now)
    account_id = await open_rider_account(
        tx, member_id=member_id, now=now, lowest_minor=-letter.limit_minor
    )
    await queries.insert_visit(
        tx,
        visit_id=letter.letter_id,
        peer_id=letter.home,
        member_id=member_id,
        account_id=account_id,
        limit_minor=letter.limit_minor,
        now=now,
        expires_at=letter.expires_at,
        claims_until=claims_until,
        letter=paper,
        hold_id=hold_id,
    )
    return member_id
