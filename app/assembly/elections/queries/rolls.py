"""Statements on rolls: who may vote, whom issuers stamped, who was told, whose seat ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.assembly.elections.notices import Notice
from app.assembly.elections.rules import RollLine
from app.foundation.database import Transaction


@dataclass(frozen=True, slots=True)
class RevocationRow:
    """A seat that ended during the vote; `answers` are the names stamped, by issuer number."""

    member_hash: str
    house_no: int
    number: int
    answers: Mapping[int, tuple[str, ...]]
    document: dict[str, Any] | None


async def insert_roll(tx: Transaction, *, election_id: UUID, lines: Sequence[RollLine]) -> None:
    """Store the frozen roll."""
    await tx.execute(
        "insert into election_roll (election_id, member_hash, house_no, member_id, public_key)"
        " select $1, l.hash, l.house, l.member, l.key"
        " from unnest($2::text[], $3::int[], $4::uuid[], $5::bytea[])"
        " as l(hash, house, member, key)"
        " order by l.hash",
        election_id,
        [line.member_hash for line in lines],
        [line.house_no for line in lines],
        [line.member_id for line in lines],
        [line.public_key for line in lines],
    )


async def list_roll(reader: Transaction, *, election_id: UUID) -> list[RollLine]:
    """Return the frozen roll, sorted by house and pseudonym."""
    rows = await reader.rows(
        "select house_no, member_hash, member_id, public_key from election_roll"
        ' where election_id = $1 order by house_no, member_hash collate "C"',
        election_id,
    )
    return [RollLine(**row) for row in rows]


async def list_pseudonyms(reader: Transaction, *, election_id: UUID) -> list[Any]:
    """Return house and pseudonym of each line of the roll, sorted: what everybody may see."""
    return await reader.rows(
        "select house_no, member_hash from election_roll where election_id = $1"
        ' order by house_no, member_hash collate "C"',
        election_id,
    )


async def find_seat(reader: Transaction, *, election_id: UUID, member_id: UUID) -> Any | None:
    """Return a member's line of the roll and which issuers' logs name it, or None."""
    return await reader.row(
        "select r.house_no, r.member_hash, r.public_key is not null as has_key,"
        " (select coalesce(array_agg(i.issuer_no), '{}') from issuance i"
        "  where i.election_id = r.election_id and i.member_hash = r.member_hash) as issued"
        " from election_roll r where r.election_id = $1 and r.member_id = $2",
        election_id,
        member_id,
    )


async def count_issued(reader: Transaction, *, election_id: UUID) -> int:
    """Return how many names every issuer's log has, as far as the logs were read."""
    return int(
        await reader.value(
            "select count(*) from (select from issuance where election_id = $1 group by"
            " member_hash having count(*) = (select count(*) from election_issuer"
            " where election_id = $1)) as stamped",
            election_id,
        )
    )


async def mirror_log(
    tx: Transaction, *, election_id: UUID, issuer_no: int, house_no: int, members: Sequence[str]
) -> list[UUID]:
    """Note whom a log names, and return those members of the roll who are new on it.

    They come sorted by pseudonym, whatever order they were stamped in.
    """
    rows = await tx.rows(
        "with added as (insert into issuance (election_id, issuer_no, member_hash, house_no)"
        " select $1, $2, name, $3 from unnest($4::text[]) as name order by name"
        " on conflict do nothing returning member_hash)"
        " select r.member_id from added a join election_roll r"
        " on r.election_id = $1 and r.member_hash = a.member_hash order by r.member_hash",
        election_id,
        issuer_no,
        house_no,
        list(members),
    )
    return [row["member_id"] for row in rows]


async def store_log(
    tx: Transaction, *, election_id: UUID, issuer_no: int, house_no: int, document: dict[str, Any]
) -> None:
    """Keep an issuer's final log of a house, where none is kept."""
    await tx.execute(
        "insert into issuance_log (election_id, issuer_no, house_no, document)"
        " values ($1, $2, $3, $4) on conflict do nothing",
        election_id,
        issuer_no,
        house_no,
        document,
    )


async def list_logs(reader: Transaction, *, election_id: UUID) -> list[dict[str, Any]]:
    """Return the final logs, by issuer and house."""
    rows = await reader.rows(
        "select document from issuance_log where election_id = $1 order by issuer_no, house_no",
        election_id,
    )
    return [row["document"] for row in rows]


async def add_notices(
    tx: Transaction, *, proposal_id: UUID, kind: Notice, members: Sequence[UUID]
) -> list[UUID]:
    """Note that members are told something, and return those who were not told before."""
    rows = await tx.rows(
        "insert into election_notice (proposal_id, member_id, kind)"
        " select $1, member, $2 from unnest($3::uuid[]) as member order by member"
        " on conflict do nothing returning member_id",
        proposal_id,
        kind,
        list(members),
    )
    return [row["member_id"] for row in rows]


async def list_untold(
    reader: Transaction, *, election_id: UUID, kind: Notice, limit: int
) -> list[Any]:
    """Return members on the roll, with house and key or not, who were not told something yet."""
    return await reader.rows(
        "select r.member_id, r.house_no, r.public_key is not null as has_key"
        " from election_roll r join election e on e.id = r.election_id"
        " where r.election_id = $1 and not exists (select from election_notice n"
        "  where n.proposal_id = e.proposal_id and n.member_id = r.member_id and n.kind = $2)"
        " order by r.member_id limit $3",
        election_id,
        kind,
        limit,
    )


async def list_unstamped(
    reader: Transaction, *, election_id: UUID, kind: Notice, limit: int
) -> list[Any]:
    """Return members on the roll who could be stamped, are not by everybody, and were not told."""
    return await reader.rows(
        "select r.member_id, r.house_no, true as has_key"
        " from election_roll r join election e on e.id = r.election_id"
        " where r.election_id = $1 and r.public_key is not null"
        " and not exists (select from election_notice n"
        "  where n.proposal_id = e.proposal_id and n.member_id = r.member_id and n.kind = $2)"
        " and not exists (select from election_revocation v"
        "  where v.election_id = $1 and v.member_hash = r.member_hash)"
        " and (select count(*) from issuance i where i.election_id = $1"
        "  and i.member_hash = r.member_hash) < (select count(*) from election_issuer s"
        "  where s.election_id = $1) order by r.member_id limit $3",
        election_id,
        kind,
        limit,
    )


async def record_ended(tx: Transaction, *, election_id: UUID) -> int:
    """Note each seat whose member is no member any more, and return how many that were."""
    rows = await tx.rows(
        "insert into election_revocation (election_id, member_hash, house_no, number)"
        " select $1, r.member_hash, r.house_no, row_number() over (order by r.member_hash) - 1"
        "  + (select count(*) from election_revocation where election_id = $1)"
        " from election_roll r where r.election_id = $1"
        " and not exists (select from membership m where m.member_id = r.member_id"
        "  and m.admitted_at is not null and m.left_at is null)"
        " and not exists (select from election_revocation v"
        "  where v.election_id = $1 and v.member_hash = r.member_hash)"
        " on conflict do nothing returning member_hash",
        election_id,
    )
    return len(rows)


async def list_revocations(reader: Transaction, *, election_id: UUID) -> list[RevocationRow]:
    """Return the seats that ended during the vote, in order."""
    rows = await reader.rows(
        "select member_hash, house_no, number, answers, document from election_revocation"
        " where election_id = $1 order by number",
        election_id,
    )
    return [
        RevocationRow(
            **{
                **dict(row),
                "answers": {int(no): tuple(names) for no, names in row["answers"].items()},
            }
        )
        for row in rows
    ]


async def store_revocation_answer(
    tx: Transaction, *, election_id: UUID, member_hash: str, issuer_no: int, stamped: Sequence[str]
) -> None:
    """Keep whom an issuer had stamped when it was told of the end of a membership."""
    await tx.execute(
        "update election_revocation set"
        " answers = answers || jsonb_build_object($3::text, $4::jsonb)"
        " where election_id = $1 and member_hash = $2 and not answers ? $3",
        election_id,
        member_hash,
        str(issuer_no),
        list(stamped),
    )


async def store_revocation(
    tx: Transaction, *, election_id: UUID, member_hash: str, document: dict[str, Any]
) -> None:
    """Keep the signed end of a membership, where none is kept."""
    await tx.execute(
        "update election_revocation set document = $3"
        " where election_id = $1 and member_hash = $2 and document is null",
        election_id,
        member_hash,
        document,
    )
