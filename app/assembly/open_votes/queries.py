"""Every statement of the room of open votes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

DELEGATION = "id, giver_id, taker_id, topic, given_at, expires_at, ended_at, ending"
# A person may have come back after leaving; then the later membership counts.
IS_MEMBER = (
    "exists(select from membership m where m.member_id = {column} and m.admitted_at <= {at}"
    " and (m.left_at is null or m.left_at > {at}))"
)


# Rows of append-only tables cannot be locked by who may not edit them; these locks stand for them
# and end with the transaction. Votes and lendings share one, a tally takes it alone.
async def share_lock(tx: Transaction, *, name: str) -> None:
    """Wait until nobody counts what this name stands for, and keep counting off until the end."""
    await tx.execute("select pg_advisory_xact_lock_shared(hashtextextended($1, 0))", name)


async def take_lock(tx: Transaction, *, name: str) -> None:
    """Wait until nobody else holds what this name stands for, and hold it until the end."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", name)


async def insert_vote(
    tx: Transaction,
    *,
    proposal_id: UUID,
    topic: str,
    rule: str,
    terms: Any,
    frozen_at: datetime,
    opens_at: datetime,
    closes_at: datetime,
) -> None:
    """Write the frozen terms of an open vote."""
    await tx.execute(
        "insert into open_vote (proposal_id, topic, rule, terms, frozen_at, opens_at, closes_at)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        proposal_id,
        topic,
        rule,
        terms,
        frozen_at,
        opens_at,
        closes_at,
    )


async def insert_seats(
    tx: Transaction, *, proposal_id: UUID, members: Sequence[UUID], houses: Sequence[str]
) -> None:
    """Write the frozen roll, one line for each member."""
    await tx.execute(
        "insert into open_seat (proposal_id, member_id, house)"
        " select $1, s.* from unnest($2::uuid[], $3::text[]) as s",
        proposal_id,
        members,
        houses,
    )


async def find_vote(reader: Transaction, *, proposal_id: UUID) -> Any | None:
    """Return the terms, and the result, counts, concentration and tallied_at once there are."""
    return await reader.row(
        "select v.proposal_id, v.topic, v.rule, v.terms, v.frozen_at, v.opens_at, v.closes_at,"
        " t.result, t.own, t.lent, t.in_circle, t.concentration, t.tallied_at"
        " from open_vote v left join open_tally t using (proposal_id) where v.proposal_id = $1",
        proposal_id,
    )


async def find_seat(
    reader: Transaction, *, proposal_id: UUID, member_id: UUID, at: datetime
) -> Any | None:
    """Return the house of a member's seat and whether she is a member still, or None."""
    is_member = IS_MEMBER.format(column="s.member_id", at="$3")
    return await reader.row(
        f"select s.house, {is_member} as is_member"
        " from open_seat s where s.proposal_id = $1 and s.member_id = $2",
        proposal_id,
        member_id,
        at,
    )


async def list_seats(reader: Transaction, *, proposal_id: UUID, at: datetime) -> list[Any]:
    """Return member_id and house of those on the frozen roll who are members still."""
    is_member = IS_MEMBER.format(column="s.member_id", at="$2")
    return await reader.rows(
        "select s.member_id, s.house from open_seat s"
        f" where s.proposal_id = $1 and {is_member} order by s.member_id",
        proposal_id,
        at,
    )


async def find_ballot(reader: Transaction, *, proposal_id: UUID, member_id: UUID) -> Any | None:
    """Return sequence, value and cast_at of a member's last vote, or None."""
    return await reader.row(
        "select sequence, value, cast_at from open_ballot"
        " where proposal_id = $1 and member_id = $2 order by sequence desc limit 1",
        proposal_id,
        member_id,
    )


async def insert_ballot(
    tx: Transaction,
    *,
    proposal_id: UUID,
    member_id: UUID,
    sequence: int,
    value: Any,
    cast_at: datetime,
) -> None:
    """Write a member's next vote."""
    await tx.execute(
        "insert into open_ballot (proposal_id, member_id, sequence, value, cast_at)"
        " values ($1, $2, $3, $4, $5)",
        proposal_id,
        member_id,
        sequence,
        value,
        cast_at,
    )


async def list_ballots(reader: Transaction, *, proposal_id: UUID) -> list[Any]:
    """Return member_id and value of each last vote."""
    return await reader.rows(
        "select distinct on (member_id) member_id, value from open_ballot"
        " where proposal_id = $1 order by member_id, sequence desc",
        proposal_id,
    )


async def insert_tally(
    tx: Transaction,
    *,
    proposal_id: UUID,
    result: Any,
    own: int,
    lent: int,
    in_circle: int,
    concentration: Any,
    tallied_at: datetime,
) -> None:
    """Write what an open vote decided."""
    await tx.execute(
        "insert into open_tally"
        " (proposal_id, result, own, lent, in_circle, concentration, tallied_at)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        proposal_id,
        result,
        own,
        lent,
        in_circle,
        concentration,
        tallied_at,
    )


async def insert_voices(
    tx: Transaction,
    *,
    proposal_id: UUID,
    members: Sequence[UUID],
    carriers: Sequence[UUID | None],
    in_circle: Sequence[bool],
) -> None:
    """Write who spoke for whom in the end."""
    await tx.execute(
        "insert into open_voice (proposal_id, member_id, carrier_id, in_circle)"
        " select $1, v.* from unnest($2::uuid[], $3::uuid[], $4::boolean[]) as v",
        proposal_id,
        members,
        carriers,
        in_circle,
    )


async def find_voice(reader: Transaction, *, proposal_id: UUID, member_id: UUID) -> Any | None:
    """Return carrier_id, in_circle and the value said for a member in the end, or None."""
    return await reader.row(
        "select v.carrier_id, v.in_circle, (select b.value from open_ballot b"
        " where b.proposal_id = v.proposal_id and b.member_id = v.carrier_id"
        " order by b.sequence desc limit 1) as value"
        " from open_voice v where v.proposal_id = $1 and v.member_id = $2",
        proposal_id,
        member_id,
    )


async def list_votes(
    reader: Transaction, *, proposal_id: UUID, after: UUID | None, limit: int
) -> list[Any]:
    """Return member_id, name, value and voices of those who voted themselves and were counted."""
    return await reader.rows(
        "select v.carrier_id as member_id, m.name, count(*) as voices,"
        " (select b.value from open_ballot b where b.proposal_id = $1"
        " and b.member_id = v.carrier_id order by b.sequence desc limit 1) as value"
        " from open_voice v join member m on m.id = v.carrier_id"
        " where v.proposal_id = $1 and ($2::uuid is null or v.carrier_id > $2)"
        " group by v.carrier_id, m.name order by v.carrier_id limit $3",
        proposal_id,
        after,
        limit,
    )


async def moment_after_tallies(tx: Transaction, *, topic: str, now: datetime) -> datetime:
    """Return `now`, or where a vote on the topic that closed later is counted, just after that.

    Who holds the topic's lock and asks gets a moment that no tally has seen: what was counted
    stays true.
    """
    moment: datetime = await tx.value(
        "select greatest($2, (select max(v.closes_at) from open_tally t"
        " join open_vote v using (proposal_id) where v.topic = $1) + interval '1 microsecond')",
        topic,
        now,
    )
    return moment


async def insert_delegation(
    tx: Transaction,
    *,
    delegation_id: UUID,
    giver_id: UUID,
    taker_id: UUID,
    topic: str,
    given_at: datetime,
    expires_at: datetime,
) -> Any | None:
    """Write a lent voice and return it, or None where the giver's is lent on this topic."""
    return await tx.row(
        "insert into delegation (id, giver_id, taker_id, topic, given_at, expires_at)"
        " values ($1, $2, $3, $4, $5, $6)"
        " on conflict (giver_id, topic) where ended_at is null do nothing"
        f" returning {DELEGATION}",
        delegation_id,
        giver_id,
        taker_id,
        topic,
        given_at,
        expires_at,
    )


async def end_delegation(
    tx: Transaction, *, delegation_id: UUID, member_id: UUID, at: datetime
) -> Any | None:
    """End an open lent voice for its giver or its taker and return it, or None."""
    return await tx.row(
        # Clocks of two processes may differ a little.
        "update delegation set ended_at = greatest($3, given_at),"
        " ending = case when giver_id = $2 then 'revoked' else 'returned' end"
        " where id = $1 and $2 in (giver_id, taker_id) and ended_at is null and expires_at > $3"
        f" returning {DELEGATION}",
        delegation_id,
        member_id,
        at,
    )


async def end_expired(tx: Transaction, *, giver_id: UUID, topic: str, at: datetime) -> list[Any]:
    """End a giver's expired lent voice on a topic and return it."""
    return await tx.rows(
        "update delegation set ended_at = $3, ending = 'expired' where giver_id = $1"
        f" and topic = $2 and ended_at is null and expires_at <= $3 returning {DELEGATION}",
        giver_id,
        topic,
        at,
    )


async def end_lapsed(tx: Transaction, *, at: datetime, limit: int) -> list[Any]:
    """End lent voices that expired, or whose taker or giver left, and return them."""
    taker, giver = (IS_MEMBER.format(column=f"d.{who}_id", at="$1") for who in ("taker", "giver"))
    return await tx.rows(
        "with lapsed as (select d.id, case when d.expires_at <= $1 then 'expired'"
        f" when not {taker} then 'taker_left' else 'giver_left' end as ending from delegation d"
        f" where d.ended_at is null and (d.expires_at <= $1 or not {taker} or not {giver})"
        " order by d.id limit $2 for update of d skip locked)"
        " update delegation d set ended_at = greatest($1, d.given_at), ending = lapsed.ending"
        " from lapsed"
        " where d.id = lapsed.id returning d.id, d.giver_id, d.taker_id, d.topic, d.given_at,"
        " d.expires_at, d.ended_at, d.ending",
        at,
        limit,
    )


async def find_delegation(
    reader: Transaction, *, delegation_id: UUID, member_id: UUID
) -> Any | None:
    """Return a lent voice that this member gave or took, or None."""
    return await reader.row(
        f"select {DELEGATION} from delegation where id = $1 and $2 in (giver_id, taker_id)",
        delegation_id,
        member_id,
    )


async def list_lent(reader: Transaction, *, topic: str, at: datetime) -> list[Any]:
    """Return every voice that is lent on a topic at a moment."""
    return await reader.rows(
        f"select {DELEGATION} from delegation"
        " where topic = $1 and given_at <= $2 and expires_at > $2"
        " and (ended_at is null or ended_at > $2)",
        topic,
        at,
    )


async def list_own_delegations(
    reader: Transaction, *, member_id: UUID, before: UUID | None, limit: int
) -> list[Any]:
    """Return lent voices that a member gave or took, newest first, with both names."""
    return await reader.rows(
        "select d.id, d.giver_id, g.name as giver_name, d.taker_id, t.name as taker_name, d.topic,"
        " d.given_at, d.expires_at, d.ended_at, d.ending from delegation d"
        " join member g on g.id = d.giver_id join member t on t.id = d.taker_id"
        " where $1 in (d.giver_id, d.taker_id) and ($2::uuid is null or d.id < $2)"
        " order by d.id desc limit $3",
        member_id,
        before,
        limit,
    )


async def list_names(reader: Transaction, *, members: Sequence[UUID]) -> dict[UUID, str]:
    """Return the names of some members."""
    rows = await reader.rows("select id, name from member where id = any($1::uuid[])", members)
    return {row["id"]: row["name"] for row in rows}
