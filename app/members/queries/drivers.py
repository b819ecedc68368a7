"""Statements about applications to drive, vehicles and papers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.members.papers import Paper
from app.members.roles import ApplicationState, DocumentKind

# A condition on a driver ``d.driver_id``: every paper is there and holds on the day that takes the
# place of {today}, as in VALID_PAPERS_SQL.format(today="$2"). `papers.missing_papers` says which.
VALID_PAPERS_SQL = (
    f"{len(DocumentKind)} = (select count(*) from document p"
    " join driver_application a on a.id = p.application_id and a.state = 'admitted'"
    " where p.member_id = d.driver_id and p.expires_on >= {today})"
)

_APPLICATION = (
    "select a.id, a.member_id, m.name as member_name, a.state, a.submitted_at, a.decided_at,"
    " a.reason, (select to_jsonb(v) from vehicle v where v.application_id = a.id) as vehicle,"
    " (select jsonb_agg(to_jsonb(p) order by p.kind) from document p"
    "  where p.application_id = a.id) as documents"
    " from driver_application a join member m on m.id = a.member_id"
)


async def insert_application(
    tx: Transaction, *, application_id: UUID, member_id: UUID, now: datetime
) -> UUID | None:
    """Submit an application; None where the member has one under way or drives already."""
    made: UUID | None = await tx.value(
        "insert into driver_application (id, member_id, state, submitted_at)"
        " values ($1, $2, 'submitted', $3)"
        " on conflict (member_id) where state in ('submitted', 'admitted') do nothing"
        " returning id",
        application_id,
        member_id,
        now,
    )
    return made


async def insert_vehicle(
    tx: Transaction,
    *,
    vehicle_id: UUID,
    member_id: UUID,
    application_id: UUID,
    make: str,
    model: str,
    colour: str,
    plate: str,
    seats: int,
    takes_wheelchair: bool,
) -> None:
    """Enter the car of an application."""
    await tx.execute(
        "insert into vehicle (id, member_id, application_id, make, model, colour, plate, seats,"
        " takes_wheelchair) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        vehicle_id,
        member_id,
        application_id,
        make,
        model,
        colour,
        plate,
        seats,
        takes_wheelchair,
    )


async def insert_documents(
    tx: Transaction,
    *,
    document_ids: Sequence[UUID],
    member_id: UUID,
    application_id: UUID,
    papers: Sequence[Paper],
) -> None:
    """Enter the papers of an application."""
    await tx.execute(
        "insert into document (id, member_id, application_id, kind, number, expires_on)"
        " select id, $2, $3, kind, number, expires_on"
        " from unnest($1::uuid[], $4::text[], $5::text[], $6::date[])"
        "   as p(id, kind, number, expires_on)",
        document_ids,
        member_id,
        application_id,
        [paper.kind for paper in papers],
        [paper.number for paper in papers],
        [paper.expires_on for paper in papers],
    )


async def renew_document(
    tx: Transaction, *, document_id: UUID, member_id: UUID, paper: Paper
) -> Any | None:
    """Put a paper in the place of the old one of its kind; None where nobody was admitted."""
    return await tx.row(
        "insert into document (id, member_id, application_id, kind, number, expires_on)"
        " select $1, a.member_id, a.id, $3, $4, $5 from driver_application a"
        " where a.member_id = $2 and a.state = 'admitted'"
        " on conflict (application_id, kind) do update"
        " set number = excluded.number, expires_on = excluded.expires_on"
        " returning kind, number, expires_on",
        document_id,
        member_id,
        paper.kind,
        paper.number,
        paper.expires_on,
    )


async def list_papers(reader: Transaction, *, driver_id: UUID) -> list[Paper]:
    """Return the papers with which this driver was admitted, or that renewed those."""
    rows = await reader.rows(
        "select p.kind, p.number, p.expires_on from document p"
        " join driver_application a on a.id = p.application_id"
        " where p.member_id = $1 and a.state = 'admitted'",
        driver_id,
    )
    return [
        Paper(kind=DocumentKind(row["kind"]), number=row["number"], expires_on=row["expires_on"])
        for row in rows
    ]


async def decide_application(
    tx: Transaction,
    *,
    application_id: UUID,
    state: ApplicationState,
    by: UUID,
    reason: str | None,
    now: datetime,
) -> UUID | None:
    """Decide an application that waits; return its member. None: decided before, or one's own."""
    member_id: UUID | None = await tx.value(
        "update driver_application set state = $2, decided_by = $3, reason = $4, decided_at = $5"
        " where id = $1 and state = 'submitted' and member_id <> $3 returning member_id",
        application_id,
        state,
        by,
        reason,
        now,
    )
    return member_id


async def find_application(reader: Transaction, *, application_id: UUID) -> Any | None:
    """Return one application with its vehicle and papers, or None."""
    return await reader.row(f"{_APPLICATION} where a.id = $1", application_id)


async def find_newest_application(reader: Transaction, *, member_id: UUID) -> Any | None:
    """Return a member's newest application with its vehicle and papers, or None."""
    return await reader.row(
        f"{_APPLICATION} where a.member_id = $1 order by a.id desc limit 1", member_id
    )


async def list_applications(
    reader: Transaction, *, state: ApplicationState | None, after: UUID | None, limit: int
) -> list[Any]:
    """Return applications in the order in which they came in, from after that one on."""
    return await reader.rows(
        f"{_APPLICATION} where ($1::text is null or a.state = $1)"
        " and ($2::uuid is null or a.id > $2) order by a.id limit $3",
        state,
        after,
        limit,
    )
