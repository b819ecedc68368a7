"""Statements on sisters, letters and visits."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

_CARD = (
    "select p.*, coalesce(b.posted_minor, 0) as posted_minor,"
    " coalesce(b.held_minor, 0) as held_minor"
    " from peer p left join balance b on b.account_id = p.account_id"
)


async def cooperative(reader: Transaction) -> Any:
    """Return our own name and currency."""
    return await reader.row("select name, currency from cooperative")


async def insert_peer(
    tx: Transaction,
    *,
    peer_id: UUID,
    name: str,
    base_url: str,
    public_key: bytes,
    they_may_owe_minor: int,
    we_may_owe_minor: int,
    proposed_by: UUID,
    now: datetime,
) -> UUID | None:
    """Store a sister that waits for a second person; None where its key is known."""
    made: UUID | None = await tx.value(
        "insert into peer (id, name, base_url, public_key, currency, they_may_owe_minor,"
        " we_may_owe_minor, proposed_by, proposed_at)"
        " select $1, $2, $3, $4, currency, $5, $6, $7, $8 from cooperative"
        " on conflict do nothing returning id",
        peer_id,
        name,
        base_url,
        public_key,
        they_may_owe_minor,
        we_may_owe_minor,
        proposed_by,
        now,
    )
    return made


async def find_peer(reader: Transaction, *, peer_id: UUID) -> Any | None:
    """Return a sister and what stands between us."""
    return await reader.row(f"{_CARD} where p.id = $1", peer_id)


async def lock_peer(tx: Transaction, *, peer_id: UUID) -> Any | None:
    """Return a sister that nobody else changes until the end of the transaction."""
    return await tx.row("select * from peer where id = $1 for update", peer_id)


async def list_peers(reader: Transaction, *, confirmed_only: bool) -> list[Any]:
    """Return the sisters, by name."""
    return await reader.rows(
        f"{_CARD} where not $1 or p.confirmed_at is not null order by p.name, p.id",
        confirmed_only,
    )


async def confirm_peer(
    tx: Transaction, *, peer_id: UUID, account_id: UUID, confirmed_by: UUID, now: datetime
) -> None:
    """Write down who confirmed a sister, and its account."""
    await tx.execute(
        "update peer set account_id = $2, confirmed_by = $3, confirmed_at = $4 where id = $1",
        peer_id,
        account_id,
        confirmed_by,
        now,
    )


async def set_pause(
    tx: Transaction, *, peer_id: UUID, by: UUID | None, reason: str | None, at: datetime | None
) -> None:
    """Pause a sister, or with None let it go on."""
    await tx.execute(
        "update peer set paused_by = $2, pause_reason = $3, paused_at = $4 where id = $1",
        peer_id,
        by,
        reason,
        at,
    )


async def find_rider(reader: Transaction, *, member_id: UUID) -> Any | None:
    """Return account_id, and name as far as the first space, of a member who rides."""
    return await reader.row(
        "select a.id as account_id, split_part(m.name, ' ', 1) as name from member m"
        " join account a on a.member_id = m.id and a.kind = 'rider' where m.id = $1",
        member_id,
    )


async def vouched_minor(tx: Transaction, *, peer_id: UUID, now: datetime) -> int:
    """Return what a sister may still claim on letters of ours."""
    return int(
        await tx.value(
            "select coalesce(sum(limit_minor - spent_minor), 0) from guest_letter"
            " where peer_id = $1 and closed_at is null and claims_until > $2",
            peer_id,
            now,
        )
    )


async def insert_letter(
    tx: Transaction,
    *,
    letter_id: UUID,
    peer_id: UUID,
    member_id: UUID,
    limit_minor: int,
    hold_id: UUID,
    now: datetime,
    expires_at: datetime,
    claims_until: datetime,
) -> None:
    """Store a letter that we give to a member."""
    await tx.execute(
        "insert into guest_letter (id, peer_id, member_id, limit_minor, hold_id, spent_minor,"
        " issued_at, expires_at, claims_until) values ($1, $2, $3, $4, $5, 0, $6, $7, $8)",
        letter_id,
        peer_id,
        member_id,
        limit_minor,
        hold_id,
        now,
        expires_at,
        claims_until,
    )


async def lock_letter(tx: Transaction, *, letter_id: UUID, peer_id: UUID) -> Any | None:
    """Return a letter and its member's account, for us alone until the transaction ends."""
    return await tx.row(
        "select l.*, a.id as account_id from guest_letter l"
        " join account a on a.member_id = l.member_id and a.kind = 'rider'"
        " where l.id = $1 and l.peer_id = $2 for update of l",
        letter_id,
        peer_id,
    )


async def spend_letter(
    tx: Transaction,
    *,
    letter_id: UUID,
    amount_minor: int,
    hold_id: UUID | None,
    closed_at: datetime | None,
) -> None:
    """Note what was claimed on a letter, what is held for the rest, and whether that is all."""
    await tx.execute(
        "update guest_letter set spent_minor = spent_minor + $2, hold_id = $3,"
        " closed_at = coalesce(closed_at, $4) where id = $1",
        letter_id,
        amount_minor,
        hold_id,
        closed_at,
    )


async def wait_for_letter(tx: Transaction, *, letter_id: UUID) -> None:
    """Let only one transaction at a time open the visit of a letter."""
    await tx.execute(
        "select pg_advisory_xact_lock(hashtextextended('visit ' || $1::uuid::text, 0))", letter_id
    )


async def find_visit(reader: Transaction, *, visit_id: UUID) -> Any | None:
    """Return a visit, or None."""
    return await reader.row("select * from visit where id = $1", visit_id)


async def insert_visitor(tx: Transaction, *, member_id: UUID, name: str, now: datetime) -> None:
    """Make a member without a telephone number."""
    await tx.execute(
        "insert into member (id, name, joined_at) values ($1, $2, $3)", member_id, name, now
    )


async def insert_visit(
    tx: Transaction,
    *,
    visit_id: UUID,
    peer_id: UUID,
    member_id: UUID,
    account_id: UUID,
    limit_minor: int,
    now: datetime,
    expires_at: datetime,
    claims_until: datetime,
    letter: dict[str, Any],
    hold_id: UUID,
) -> None:
    """Store that a sister's member rides with us."""
    await tx.execute(
        "insert into visit (id, peer_id, member_id, account_id, limit_minor, opened_at,"
        " expires_at, claims_until, letter, hold_id, claimed_minor)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)",
        visit_id,
        peer_id,
        member_id,
        account_id,
        limit_minor,
        now,
        expires_at,
        claims_until,
        letter,
        hold_id,
    )
