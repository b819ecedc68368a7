"""Statements about fares that several riders share."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.after_ride.rules import PartState
from app.foundation.database import Transaction
from app.rides.lifecycle import UNFINISHED_STATES

_UNFINISHED = [str(state) for state in UNFINISHED_STATES]


async def lock_open_ride(tx: Transaction, *, ride_id: UUID) -> Any | None:
    """Let a ride not end meanwhile; return rider_id, fare_minor and is_open, or None.

    ``fare_minor`` is what was quoted.
    """
    return await tx.row(
        "select r.rider_id, m.name as rider_name, q.fare_minor, q.currency,"
        " r.state = any($2::text[]) as is_open from ride r join quote q on q.id = r.quote_id"
        " join member m on m.id = r.rider_id where r.id = $1 for share of r",
        ride_id,
        _UNFINISHED,
    )


async def find_riders(
    reader: Transaction, *, member_ids: Sequence[UUID | None], phones: Sequence[str | None]
) -> list[UUID | None]:
    """Return whom each id or number beside it is, in the same order; None where nobody."""
    rows = await reader.rows(
        "select (select m.id from member m join account a on a.member_id = m.id"
        " and a.kind = 'rider' where m.id = asked.id or m.phone = asked.phone) as id"
        " from unnest($1::uuid[], $2::text[]) with ordinality as asked(id, phone, position)"
        " order by asked.position",
        list(member_ids),
        list(phones),
    )
    return [row["id"] for row in rows]


async def insert_split(
    tx: Transaction,
    *,
    ride_id: UUID,
    rider_id: UUID,
    part_ids: Sequence[UUID],
    members: Sequence[UUID | None],
    now: datetime,
) -> bool:
    """Enter a split and its parts from position 1 on; False where the ride has one."""
    entered = await tx.value(
        "insert into fare_split (ride_id, rider_id, proposed_at) values ($1, $2, $3)"
        " on conflict do nothing returning true",
        ride_id,
        rider_id,
        now,
    )
    if entered:
        await tx.execute(
            "insert into fare_split_part (id, ride_id, position, member_id, state)"
            " select part.id, $1, part.position, part.member_id, 'invited' from"
            " unnest($2::uuid[], $3::uuid[]) with ordinality as part(id, member_id, position)",
            ride_id,
            list(part_ids),
            list(members),
        )
    return bool(entered)


async def lock_split(tx: Transaction, *, ride_id: UUID, patient: bool) -> Any | None:
    """Let nobody else answer or settle a split; None where there is none, or it is settled.

    Who is not patient gets None, too, where somebody else has it.
    """
    return await tx.row(
        "select ride_id, rider_id from fare_split where ride_id = $1 and settled_at is null"
        f" for update {'' if patient else 'skip locked'}",
        ride_id,
    )


async def list_parts(reader: Transaction, *, ride_id: UUID) -> list[Any]:
    """Return id, position, member_id, state, hold_id, most_minor, amount_minor of all parts."""
    return await reader.rows(
        "select id, position, member_id, state, hold_id, most_minor, amount_minor"
        " from fare_split_part where ride_id = $1 order by position",
        ride_id,
    )


async def answer_part(
    tx: Transaction,
    *,
    part_id: UUID,
    state: PartState,
    hold_id: UUID | None,
    most_minor: int | None,
    now: datetime,
) -> None:
    """Write down what an invited rider answered."""
    await tx.execute(
        "update fare_split_part set state = $2, hold_id = $3, most_minor = $4, answered_at = $5"
        " where id = $1",
        part_id,
        str(state),
        hold_id,
        most_minor,
        now,
    )


async def end_part(
    tx: Transaction,
    *,
    part_id: UUID,
    state: PartState,
    amount_minor: int | None,
    journal_id: int | None,
) -> None:
    """Write down what became of a part."""
    await tx.execute(
        "update fare_split_part set state = $2, amount_minor = $3, journal_id = $4 where id = $1",
        part_id,
        str(state),
        amount_minor,
        journal_id,
    )


async def mark_settled(tx: Transaction, *, ride_id: UUID, now: datetime) -> None:
    """Write down that a split is settled for good."""
    await tx.execute("update fare_split set settled_at = $2 where ride_id = $1", ride_id, now)


async def list_due(reader: Transaction, *, limit: int) -> list[UUID]:
    """Return rides that are over and whose split is not settled."""
    rows = await reader.rows(
        "select s.ride_id from fare_split s join ride r on r.id = s.ride_id"
        " where s.settled_at is null and r.state <> all($1::text[]) order by s.ride_id limit $2",
        _UNFINISHED,
        limit,
    )
    return [row["ride_id"] for row in rows]


async def fare_of(reader: Transaction, *, ride_id: UUID) -> int | None:
    """Return the fare that a ride was settled at; None where it cost a fee or nothing."""
    fare_minor: int | None = await reader.value(
        "select fare_minor from ride_settlement where ride_id = $1 and kind = 'fare'", ride_id
    )
    return fare_minor


async def rider_account(reader: Transaction, *, member_id: UUID) -> UUID:
    """Return the account on which a member owes fares."""
    found: UUID = await reader.value(
        "select id from account where member_id = $1 and kind = 'rider'", member_id
    )
    return found


async def list_own_parts(
    reader: Transaction, *, member_id: UUID, ride_id: UUID | None, limit: int
) -> list[Any]:
    """Return a member's parts of others' fares (of one ride, if named), the newest first."""
    return await reader.rows(
        "select p.ride_id, m.name as rider_name, p.position, p.state, p.most_minor,"
        " p.amount_minor, q.currency, q.fare_minor, (select count(*) from fare_split_part every"
        "  where every.ride_id = p.ride_id) as invited"
        " from fare_split_part p join fare_split s on s.ride_id = p.ride_id"
        " join member m on m.id = s.rider_id join ride r on r.id = p.ride_id"
        " join quote q on q.id = r.quote_id where p.member_id = $1"
        " and ($2::uuid is null or p.ride_id = $2) order by p.id desc limit $3",
        member_id,
        ride_id,
        limit,
    )


async def find_split(reader: Transaction, *, ride_id: UUID, rider_id: UUID) -> Any | None:
    """Return the split of a rider's own ride, or None."""
    return await reader.row(
        "select ride_id, settled_at from fare_split where ride_id = $1 and rider_id = $2",
        ride_id,
        rider_id,
    )
