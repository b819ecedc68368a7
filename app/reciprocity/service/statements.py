"""A month between two cooperatives: drawn by one, signed by both, settled through the bank."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.ledger.peers import post_peer_settlement
from app.reciprocity import papers
from app.reciprocity.errors import (
    MonthNotOver,
    OwnStatement,
    PaperNotSigned,
    StatementExists,
    StatementNotAgreed,
)
from app.reciprocity.queries import clearings as queries
from app.reciprocity.rules import Direction, StatementState, month_after
from app.reciprocity.service.peers import Own, check_signed, get_confirmed
from governance.clearing import Entry, compare


async def draw_statement(
    tx: Transaction, *, own: Own, peer_id: UUID, month: date, drawn_by: UUID, now: datetime
) -> UUID:
    """Offer a month to the sister as it stands in our books; return the statement.

    Raises:
        NotFound: there is no such sister.
        MonthNotOver: in UTC.
        StatementExists: one is offered or agreed.
    """
    if now < _begin(month_after(month)):
        raise MonthNotOver
    peer = await get_confirmed(tx, peer_id=peer_id)
    paper = _paper(own, peer, month=month, entries=await list_own(tx, own, peer_id, month))
    statement_id = new_id()
    is_stored = await queries.insert_statement(
        tx,
        statement_id=statement_id,
        peer_id=peer_id,
        month=month,
        paper=paper,
        net_minor=paper["nets"][str(own.id)],
        own_signature=papers.sign(paper, key=own.key),
        their_signature=None,
        drawn_by=drawn_by,
        now=now,
    )
    if not is_stored:
        raise StatementExists
    return statement_id


async def answer_offer(
    tx: Transaction,
    *,
    own: Own,
    peer_id: UUID,
    paper: dict[str, Any],
    signature: str,
    now: datetime,
) -> dict[str, Any]:
    """Sign a sister's statement where our books make the same one; else return our list.

    The same offer again gets the same answer. What is offered is kept only where it is agreed.

    Raises:
        NotFound: there is no such sister.
        PaperNotSigned: it did not sign this.
        MonthNotOver: by our clock.
    """
    peer = await get_confirmed(tx, peer_id=peer_id)
    check_signed(peer, paper=paper, signature=signature)
    if set(paper["nets"]) != {str(own.id), str(peer_id)}:
        raise PaperNotSigned("the statement is of others")
    month = date.fromisoformat(paper["month"])
    if now < _begin(month_after(month)):
        raise MonthNotOver
    entries = await list_own(tx, own, peer_id, month)
    ours = _paper(own, peer, month=month, entries=entries)
    if ours != paper:
        listed = {"format": papers.ENTRIES, "month": paper["month"], "entries": _shown(entries)}
        return {"paper": listed, "signature": papers.sign(listed, key=own.key)}
    own_signature = papers.sign(ours, key=own.key)
    known = await queries.lock_month(tx, peer_id=peer_id, month=month)
    if known is None:
        await queries.insert_statement(
            tx,
            statement_id=new_id(),
            peer_id=peer_id,
            month=month,
            paper=ours,
            net_minor=ours["nets"][str(own.id)],
            own_signature=own_signature,
            their_signature=signature,
            drawn_by=None,
            now=now,
        )
    elif known["state"] == StatementState.OFFERED and known["paper"] == ours:
        await queries.decide_statement(
            tx, statement_id=known["id"], their_signature=signature, differences=None, now=now
        )
    return {"paper": ours, "signature": own_signature}


async def take_verdict(
    tx: Transaction,
    *,
    own: Own,
    statement_id: UUID,
    peer_id: UUID,
    answer: dict[str, Any],
    now: datetime,
) -> None:
    """Keep a sister's signature, or name each clearing on which the two lists differ.

    `answer` is signed: the caller has looked.
    """
    statement = await queries.lock_statement(tx, statement_id=statement_id, peer_id=peer_id)
    if statement is None or statement["state"] != StatementState.OFFERED:
        return
    agreed = answer["paper"] == statement["paper"]
    differences = None
    if not agreed:
        theirs = [
            Entry(UUID(line["clearing_id"]), UUID(line["creditor"]), int(line["amount_minor"]))
            for line in answer["paper"]["entries"]
        ]
        ours = await list_own(tx, own, peer_id, statement["month"])
        found = compare(ours, theirs, own_id=own.id)
        differences = [asdict(one) | {"clearing_id": str(one.clearing_id)} for one in found]
    await queries.decide_statement(
        tx,
        statement_id=statement_id,
        their_signature=answer["signature"] if agreed else None,
        differences=differences,
        now=now,
    )


async def settle_statement(
    tx: Transaction,
    *,
    peer_id: UUID,
    statement_id: UUID,
    document: str,
    settled_by: UUID,
    now: datetime,
) -> None:
    """Book that a month was paid through the bank: by whoever owed it, on both sides once.

    Raises:
        NotFound: there is no such statement.
        StatementNotAgreed: not both signed it, it is settled, or nothing stands.
        OwnStatement: the same person drew it.
    """
    statement = await queries.lock_statement(tx, statement_id=statement_id, peer_id=peer_id)
    if statement is None:
        raise NotFound
    if (
        statement["state"] != StatementState.AGREED
        or statement["settled_at"] is not None
        or statement["net_minor"] == 0
    ):
        raise StatementNotAgreed
    if statement["drawn_by"] == settled_by:
        raise OwnStatement
    peer = await get_confirmed(tx, peer_id=peer_id)
    journal_id = await post_peer_settlement(
        tx,
        statement_id=statement_id,
        account_id=peer["account_id"],
        paid_minor=-statement["net_minor"],
        now=now,
    )
    await queries.settle_statement(
        tx,
        statement_id=statement_id,
        settled_by=settled_by,
        document=document,
        journal_id=journal_id,
        now=now,
    )


async def list_own(reader: Transaction, own: Own, peer_id: UUID, month: date) -> list[Entry]:
    """Return what our books say of a month with a sister; what waits for an answer is in it."""
    rows = await queries.list_entries(
        reader, peer_id=peer_id, since=_begin(month), until=_begin(month_after(month))
    )
    return [
        Entry(
            row["id"],
            own.id if row["direction"] == Direction.CLAIMED else peer_id,
            row["amount_minor"],
        )
        for row in rows
    ]


def _paper(own: Own, peer: Any, *, month: date, entries: Sequence[Entry]) -> dict[str, Any]:
    return papers.statement_paper(
        own_id=own.id,
        peer_id=peer["id"],
        currency=peer["currency"],
        month=month.isoformat(),
        entries=entries,
    )


def _shown(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    return [
        {
            "clearing_id": str(entry.clearing_id),
            "creditor": str(entry.creditor),
            "amount_minor": entry.amount_minor,
        }
        for entry in entries
    ]


def _begin(month: date) -> datetime:
    return datetime.combine(month, time(), tzinfo=UTC)
