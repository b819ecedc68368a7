"""To drive: apply with a car and papers, be admitted by a person, keep the papers valid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.pagination import Page, decode_cursor, make_page
from app.foundation.problems import NotFound
from app.ledger import service as ledger
from app.members.errors import (
    ApplicationDecided,
    ApplicationExists,
    DriverDocumentExpired,
    OwnCase,
    RoleMissing,
)
from app.members.papers import Paper, missing_papers
from app.members.queries import drivers as queries
from app.members.queries import people
from app.members.roles import ApplicationState, DocumentKind, Role


@dataclass(frozen=True, slots=True)
class Car:
    """A car that somebody applies with."""

    make: str
    model: str
    colour: str
    plate: str
    seats: int
    takes_wheelchair: bool = False


async def apply_to_drive(
    tx: Transaction, *, member_id: UUID, car: Car, papers: Sequence[Paper], now: datetime
) -> Any:
    """Submit an application with one car and one paper of each kind; return its row.

    Raises:
        DriverDocumentExpired: a paper is missing or does not hold today, in the city.
        ApplicationExists: an application is under way, or was admitted.
    """
    missing = missing_papers(papers, await people.city_today(tx, now=now))
    if missing:
        raise DriverDocumentExpired(kinds=missing)
    application_id = new_id()
    made = await queries.insert_application(
        tx, application_id=application_id, member_id=member_id, now=now
    )
    if made is None:
        raise ApplicationExists
    await queries.insert_vehicle(
        tx,
        vehicle_id=new_id(),
        member_id=member_id,
        application_id=application_id,
        make=car.make,
        model=car.model,
        colour=car.colour,
        plate=car.plate,
        seats=car.seats,
        takes_wheelchair=car.takes_wheelchair,
    )
    await queries.insert_documents(
        tx,
        document_ids=[new_id() for _ in papers],
        member_id=member_id,
        application_id=application_id,
        papers=papers,
    )
    tx.emit(Event("driver.applied", (member_id,), {"application_id": str(application_id)}), at=now)
    return await queries.find_application(tx, application_id=application_id)


async def get_own_application(reader: Transaction, *, member_id: UUID) -> Any:
    """Return the row of a member's newest application.

    Raises:
        NotFound: they never applied.
    """
    row = await queries.find_newest_application(reader, member_id=member_id)
    if row is None:
        raise NotFound
    return row


async def get_application(
    reader: Transaction, *, application_id: UUID, member_id: UUID | None
) -> Any:
    """Return the row of one application; for ``member_id``, unless None, only of their own.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    row = await queries.find_application(reader, application_id=application_id)
    if row is None or member_id not in {None, row["member_id"]}:
        raise NotFound
    return row


async def list_applications(
    reader: Transaction, *, state: ApplicationState | None, cursor: str | None, limit: int
) -> Page[Any]:
    """Return a page of applications, first come first.

    Raises:
        InvalidRequest: the cursor was not made here.
    """
    rows = await queries.list_applications(
        reader, state=state, after=decode_cursor(cursor), limit=limit + 1
    )
    return make_page(rows, limit=limit, key=lambda row: row["id"])


async def admit_driver(tx: Transaction, *, application_id: UUID, by: UUID, now: datetime) -> Any:
    """Admit an applicant, who is a driver with an account afterwards; return the row.

    Raises:
        NotFound: there is no such application.
        OwnCase: it is the actor's own.
        ApplicationDecided: somebody decided it before.
    """
    member_id = await _decide(
        tx, application_id, state=ApplicationState.ADMITTED, by=by, reason=None, now=now
    )
    await people.grant_role(tx, member_id=member_id, role=Role.DRIVER, by=by, now=now)
    await ledger.open_driver_account(tx, member_id=member_id, now=now)
    tx.emit(Event("driver.admitted", (member_id,), {"application_id": str(application_id)}), at=now)
    return await queries.find_application(tx, application_id=application_id)


async def refuse_driver(
    tx: Transaction, *, application_id: UUID, by: UUID, reason: str, now: datetime
) -> Any:
    """Refuse an applicant for a reason, which they can read; return the row.

    Raises:
        NotFound: there is no such application.
        OwnCase: it is the actor's own.
        ApplicationDecided: somebody decided it before.
    """
    member_id = await _decide(
        tx, application_id, state=ApplicationState.REFUSED, by=by, reason=reason, now=now
    )
    tx.emit(Event("driver.refused", (member_id,), {"application_id": str(application_id)}), at=now)
    return await queries.find_application(tx, application_id=application_id)


async def _decide(
    tx: Transaction,
    application_id: UUID,
    *,
    state: ApplicationState,
    by: UUID,
    reason: str | None,
    now: datetime,
) -> UUID:
    member_id = await queries.decide_application(
        tx, application_id=application_id, state=state, by=by, reason=reason, now=now
    )
    if member_id is not None:
        return member_id
    row = await queries.find_application(tx, application_id=application_id)
    if row is None:
        raise NotFound
    raise OwnCase if row["member_id"] == by else ApplicationDecided


async def renew_document(tx: Transaction, *, member_id: UUID, paper: Paper, now: datetime) -> Paper:
    """Put a driver's new paper in the place of the old one of its kind.

    Raises:
        DriverDocumentExpired: the new one does not hold today either.
        RoleMissing: the member was never admitted.
    """
    if paper.expires_on < await people.city_today(tx, now=now):
        raise DriverDocumentExpired(kinds=[paper.kind])
    row = await queries.renew_document(tx, document_id=new_id(), member_id=member_id, paper=paper)
    if row is None:
        raise RoleMissing
    told = {"kind": paper.kind, "expires_on": paper.expires_on}
    tx.emit(Event("driver.document_renewed", (member_id,), told), at=now)
    return Paper(DocumentKind(row["kind"]), row["number"], row["expires_on"])


async def check_papers(tx: Transaction, *, driver_id: UUID, today: date) -> None:
    """Pass if every paper of the driver holds today.

    Raises:
        DriverDocumentExpired: with ``kinds``, the papers that are missing or too old.
    """
    papers = await queries.list_papers(tx, driver_id=driver_id)
    missing = missing_papers(papers, today)
    if missing:
        raise DriverDocumentExpired(kinds=missing)
