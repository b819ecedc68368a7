"""Statements on clearings and on the statements of months."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

# A visit needs a claim where its rider owes or is owed, and a last word once its letter has ended
# and no ride is open; one claim at a time, so that they arrive in their order.
_DUE = """
select v.id from visit v join balance b on b.account_id = v.account_id
where v.stalled_at is null
  and not exists (select from clearing c where c.letter_id = v.id and c.state = 'pending')
  and (b.posted_minor > 0 and v.claimed_minor > 0
    or v.closed_at is null and (b.posted_minor < 0 or v.expires_at <= $1
      and not exists (select from ride r where r.rider_id = v.member_id and r.ended_at is null)))
order by v.id limit $2
"""


async def list_due_visits(reader: Transaction, *, now: datetime, most: int) -> list[UUID]:
    """Return visits for which something is to be said to their cooperative."""
    return [row["id"] for row in await reader.rows(_DUE, now, most)]


_VISIT = (
    "select v.*, p.account_id as peer_account_id from visit v join peer p on p.id = v.peer_id"
    " where v.id = $1 for update of v"
)


async def lock_visit(tx: Transaction, *, visit_id: UUID) -> Any | None:
    """Return a visit with its sister's account, for us alone; None where somebody else has it."""
    return await tx.row(f"{_VISIT} skip locked", visit_id)


async def lock_visit_patiently(tx: Transaction, *, visit_id: UUID) -> Any:
    """Return a visit with its sister's account, for us alone, however long that takes."""
    return await tx.row(_VISIT, visit_id)


async def has_pending(tx: Transaction, *, visit_id: UUID) -> bool:
    """Whether a claim for this visit is under way."""
    return bool(
        await tx.value(
            "select exists (select from clearing where letter_id = $1 and state = 'pending')",
            visit_id,
        )
    )


async def has_open_ride(tx: Transaction, *, rider_id: UUID) -> bool:
    """Whether a ride of this rider is not over."""
    return bool(
        await tx.value(
            "select exists (select from ride where rider_id = $1 and ended_at is null)", rider_id
        )
    )


async def update_visit(
    tx: Transaction,
    *,
    visit_id: UUID,
    claimed_minor: int,
    hold_id: UUID | None,
    closed_at: datetime | None = None,
    stalled_at: datetime | None = None,
) -> None:
    """Note what was claimed in all, what is held for the rest, and whether that is all."""
    await tx.execute(
        "update visit set claimed_minor = $2, hold_id = $3, closed_at = coalesce(closed_at, $4),"
        " stalled_at = $5 where id = $1",
        visit_id,
        claimed_minor,
        hold_id,
        closed_at,
        stalled_at,
    )


async def insert_claim(
    tx: Transaction,
    *,
    clearing_id: UUID,
    visit: Any,
    amount_minor: int,
    closes: bool,
    message: dict[str, Any],
    journal_id: int | None,
    set_aside_id: UUID | None,
    now: datetime,
) -> None:
    """Store a claim of ours that waits for its answer."""
    await tx.execute(
        "insert into clearing (id, peer_id, letter_id, direction, amount_minor, closes, claimed_at,"
        " message, state, journal_id, set_aside_id, tries, next_try_at)"
        " values ($1, $2, $3, 'claimed', $4, $5, $6, $7, 'pending', $8, $9, 0, $6)",
        clearing_id,
        visit["peer_id"],
        visit["id"],
        amount_minor,
        closes,
        now,
        message,
        journal_id,
        set_aside_id,
    )


async def list_to_send(reader: Transaction, *, now: datetime, most: int) -> list[Any]:
    """Return claims that wait for an answer and are to be sent now, with where to and whom."""
    return await reader.rows(
        "select c.id, c.peer_id, c.message, c.tries, p.base_url, p.public_key from clearing c"
        " join peer p on p.id = c.peer_id where c.state = 'pending' and c.next_try_at <= $1"
        " order by c.next_try_at, c.id limit $2",
        now,
        most,
    )


async def note_try(tx: Transaction, *, clearing_id: UUID, next_try_at: datetime) -> None:
    """Note that a claim was sent and nothing that counts came back."""
    await tx.execute(
        "update clearing set tries = tries + 1, next_try_at = $2"
        " where id = $1 and state = 'pending'",
        clearing_id,
        next_try_at,
    )


async def lock_pending(tx: Transaction, *, clearing_id: UUID) -> Any | None:
    """Return a claim of ours if it still waits, for us alone."""
    return await tx.row(
        "select * from clearing where id = $1 and state = 'pending' and direction = 'claimed'"
        " for update",
        clearing_id,
    )


async def answer_claim(
    tx: Transaction,
    *,
    clearing_id: UUID,
    state: str,
    reason: str | None,
    reversal_id: int | None,
    answer: dict[str, Any],
    now: datetime,
) -> None:
    """Keep what the sister answered."""
    await tx.execute(
        "update clearing set state = $2, reason = $3, reversal_id = $4, answer = $5,"
        " answered_at = $6 where id = $1",
        clearing_id,
        state,
        reason,
        reversal_id,
        answer,
        now,
    )


async def find_clearing(reader: Transaction, *, clearing_id: UUID) -> Any | None:
    """Return a clearing of either direction, or None."""
    return await reader.row("select * from clearing where id = $1", clearing_id)


async def insert_received(
    tx: Transaction,
    *,
    clearing_id: UUID,
    peer_id: UUID,
    letter_id: UUID,
    amount_minor: int,
    closes: bool,
    claimed_at: datetime,
    message: dict[str, Any],
    state: str,
    reason: str | None,
    journal_id: int | None,
    answer: dict[str, Any],
    now: datetime,
) -> bool:
    """Store a sister's claim with our answer; False where its id is there already."""
    return bool(
        await tx.value(
            "insert into clearing (id, peer_id, letter_id, direction, amount_minor, closes,"
            " claimed_at, message, state, reason, journal_id, answer, answered_at, tries,"
            " next_try_at) values ($1, $2, $3, 'received', $4, $5, $6, $7, $8, $9, $10, $11, $12,"
            " 1, $12) on conflict do nothing returning true",
            clearing_id,
            peer_id,
            letter_id,
            amount_minor,
            closes,
            claimed_at,
            message,
            state,
            reason,
            journal_id,
            answer,
            now,
        )
    )


async def list_clearings(
    reader: Transaction, *, peer_id: UUID, before: UUID, limit: int
) -> list[Any]:
    """Return clearings with a sister, the newest first."""
    return await reader.rows(
        "select id, letter_id, direction, amount_minor, closes, claimed_at, state, reason,"
        " journal_id, reversal_id, answered_at, tries from clearing"
        " where peer_id = $1 and id < $2 order by id desc limit $3",
        peer_id,
        before,
        limit,
    )


async def list_entries(
    reader: Transaction, *, peer_id: UUID, since: datetime, until: datetime
) -> list[Any]:
    """Return id, direction and amount of what was claimed within a time and not rejected."""
    return await reader.rows(
        "select id, direction, amount_minor from clearing where peer_id = $1"
        " and claimed_at >= $2 and claimed_at < $3 and state <> 'rejected' and amount_minor <> 0"
        " order by id",
        peer_id,
        since,
        until,
    )


async def insert_statement(
    tx: Transaction,
    *,
    statement_id: UUID,
    peer_id: UUID,
    month: date,
    paper: dict[str, Any],
    net_minor: int,
    own_signature: str,
    their_signature: str | None,
    drawn_by: UUID | None,
    now: datetime,
) -> bool:
    """Store a month's statement, agreed where the sister's signature is there; False: there is."""
    return bool(
        await tx.value(
            "insert into peer_statement (id, peer_id, month, clearings, net_minor, paper,"
            " own_signature, their_signature, state, drawn_by, drawn_at, agreed_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8::text,"
            " case when $8::text is null then 'offered' else 'agreed' end, $9, $10,"
            " case when $8::text is null then null else $10::timestamptz end)"
            " on conflict do nothing returning true",
            statement_id,
            peer_id,
            month,
            paper["clearings"],
            net_minor,
            paper,
            own_signature,
            their_signature,
            drawn_by,
            now,
        )
    )


async def lock_statement(tx: Transaction, *, statement_id: UUID, peer_id: UUID) -> Any | None:
    """Return a statement, for us alone."""
    return await tx.row(
        "select * from peer_statement where id = $1 and peer_id = $2 for update",
        statement_id,
        peer_id,
    )


async def lock_month(tx: Transaction, *, peer_id: UUID, month: date) -> Any | None:
    """Return the statement of a month that is offered or agreed, for us alone."""
    return await tx.row(
        "select * from peer_statement where peer_id = $1 and month = $2 and state <> 'disagreed'"
        " for update",
        peer_id,
        month,
    )


async def list_offered(reader: Transaction, *, most: int) -> list[Any]:
    """Return statements that wait for the sister's signature, with where to and whom."""
    return await reader.rows(
        "select s.id, s.peer_id, s.month, s.paper, s.own_signature, p.base_url, p.public_key"
        " from peer_statement s join peer p on p.id = s.peer_id where s.state = 'offered'"
        " order by s.id limit $1",
        most,
    )


async def list_statements(reader: Transaction, *, peer_id: UUID) -> list[Any]:
    """Return the statements with a sister, the newest month first."""
    return await reader.rows(
        "select * from peer_statement where peer_id = $1 order by month desc, id desc limit 240",
        peer_id,
    )


async def decide_statement(
    tx: Transaction,
    *,
    statement_id: UUID,
    their_signature: str | None,
    differences: list[dict[str, Any]] | None,
    now: datetime,
) -> None:
    """Write down that the sister signed, or on what the two lists differ."""
    await tx.execute(
        "update peer_statement set state = case when $2::text is null then 'disagreed'"
        " else 'agreed' end, their_signature = $2, differences = $3,"
        " agreed_at = case when $2::text is null then null else $4::timestamptz end"
        " where id = $1",
        statement_id,
        their_signature,
        differences,
        now,
    )


async def settle_statement(
    tx: Transaction,
    *,
    statement_id: UUID,
    settled_by: UUID,
    document: str,
    journal_id: int,
    now: datetime,
) -> None:
    """Write down by which journal and document a statement was paid."""
    await tx.execute(
        "update peer_statement set settled_by = $2, document = $3, journal_id = $4,"
        " settled_at = $5 where id = $1",
        statement_id,
        settled_by,
        document,
        journal_id,
        now,
    )
