"""HTTP of becoming and staying a driver."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.foundation.database import Transaction
from app.foundation.pagination import MAX_LIMIT
from app.foundation.problems import NotFound
from app.foundation.web import problem_responses
from app.members import service
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, Driver, SignedIn, Staff
from app.members.errors import (
    ApplicationDecided,
    ApplicationExists,
    DriverDocumentExpired,
    MemberSuspended,
    NotSignedIn,
    OwnCase,
    RoleMissing,
)
from app.members.papers import Paper
from app.members.roles import ApplicationState, Role
from app.members.schemas import (
    ApplicationRequest,
    ApplicationsView,
    ApplicationView,
    DocumentRequest,
    DocumentView,
    Refusal,
)
from app.members.service.driving import Car

router = APIRouter(prefix="/v1", tags=["members"])
_READING = (NotSignedIn, MemberSuspended)


def _paper(document: DocumentRequest) -> Paper:
    return Paper(document.kind, document.number, document.expires_on)


def _view(row: Any) -> ApplicationView:
    return ApplicationView.model_validate(dict(row))


@router.post(
    "/driver-applications",
    operation_id="apply_to_drive",
    summary="Apply to drive",
    status_code=201,
    response_model=ApplicationView,
    responses=problem_responses(DriverDocumentExpired, ApplicationExists, *COMMAND_PROBLEMS),
)
async def apply_to_drive(body: ApplicationRequest, command: Acting) -> Response:
    """Send in a car and one paper of each kind, all valid today. A person decides."""

    async def act(tx: Transaction) -> Any:
        row = await service.apply_to_drive(
            tx,
            member_id=command.actor.member_id,
            car=Car(**body.vehicle.model_dump()),
            papers=[_paper(document) for document in body.documents],
            now=command.now,
        )
        return _view(row).model_dump(mode="json")

    return await command.answer(act, status=201)


@router.get(
    "/driver-applications/mine",
    operation_id="get_my_application",
    summary="Your application to drive",
    responses=problem_responses(NotFound, *_READING),
)
async def get_my_application(actor: SignedIn, database: DatabaseDep) -> ApplicationView:
    """Return your newest application and what became of it."""
    async with database.reading() as reader:
        return _view(await service.get_own_application(reader, member_id=actor.member_id))


@router.get(
    "/driver-applications",
    operation_id="list_applications",
    summary="Staff: applications to drive, first come first",
    responses=problem_responses(RoleMissing, *_READING),
)
async def list_applications(
    _staff: Staff,
    database: DatabaseDep,
    state: ApplicationState | None = None,
    cursor: Annotated[
        str | None, Query(max_length=64, description="`next_cursor` of the page before")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
) -> ApplicationsView:
    """Return a page of applications."""
    async with database.reading() as reader:
        page = await service.list_applications(reader, state=state, cursor=cursor, limit=limit)
    return ApplicationsView(items=[_view(row) for row in page.items], next_cursor=page.next_cursor)


@router.get(
    "/driver-applications/{application_id}",
    operation_id="get_application",
    summary="One application to drive",
    responses=problem_responses(NotFound, *_READING),
)
async def get_application(
    application_id: UUID, actor: SignedIn, database: DatabaseDep
) -> ApplicationView:
    """Return your own application; staff read any. Somebody else's does not exist for you."""
    member_id = None if Role.STAFF in actor.roles else actor.member_id
    async with database.reading() as reader:
        return _view(
            await service.get_application(
                reader, application_id=application_id, member_id=member_id
            )
        )


@router.post(
    "/driver-applications/{application_id}/admit",
    operation_id="admit_driver",
    summary="Staff: admit an applicant",
    response_model=ApplicationView,
    responses=problem_responses(
        NotFound, OwnCase, ApplicationDecided, RoleMissing, *COMMAND_PROBLEMS
    ),
)
async def admit_driver(application_id: UUID, staff: Staff, command: Acting) -> Response:
    """Make the applicant a driver. Nobody admits themselves."""

    async def act(tx: Transaction) -> Any:
        row = await service.admit_driver(
            tx, application_id=application_id, by=staff.member_id, now=command.now
        )
        return _view(row).model_dump(mode="json")

    return await command.answer(act)


@router.post(
    "/driver-applications/{application_id}/refuse",
    operation_id="refuse_driver",
    summary="Staff: refuse an applicant",
    response_model=ApplicationView,
    responses=problem_responses(
        NotFound, OwnCase, ApplicationDecided, RoleMissing, *COMMAND_PROBLEMS
    ),
)
async def refuse_driver(
    application_id: UUID, body: Refusal, staff: Staff, command: Acting
) -> Response:
    """Refuse for a reason that the applicant can read. They may apply again."""

    async def act(tx: Transaction) -> Any:
        row = await service.refuse_driver(
            tx,
            application_id=application_id,
            by=staff.member_id,
            reason=body.reason,
            now=command.now,
        )
        return _view(row).model_dump(mode="json")

    return await command.answer(act)


@router.post(
    "/documents",
    operation_id="renew_document",
    summary="Driver: send a renewed paper",
    status_code=201,
    response_model=DocumentView,
    responses=problem_responses(DriverDocumentExpired, RoleMissing, *COMMAND_PROBLEMS),
)
async def renew_document(body: DocumentRequest, driver: Driver, command: Acting) -> Response:
    """Put a paper in the place of your old one of its kind."""

    async def act(tx: Transaction) -> Any:
        paper = await service.renew_document(
            tx, member_id=driver.member_id, paper=_paper(body), now=command.now
        )
        return DocumentView.model_validate(paper).model_dump(mode="json")

    return await command.answer(act, status=201)
