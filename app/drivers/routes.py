"""The drivers' doors over HTTP: shifts. Positions come by socket."""

import contextlib
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request
from fastapi.responses import Response

from app.drivers import service
from app.drivers.errors import NoOpenShift, NoSuchVehicle, RideUnderWay, ShiftAlreadyOpen
from app.drivers.positions import Positions
from app.drivers.schemas import ShiftOut, StartShift
from app.foundation.database import Database, Transaction
from app.foundation.problems import DatabaseUnavailable
from app.foundation.web import json_response, problem_responses
from app.members.access import COMMAND_PROBLEMS, Acting, DatabaseDep, Driver
from app.members.errors import DriverDocumentExpired, MemberSuspended, NotSignedIn, RoleMissing

router = APIRouter(prefix="/v1/shifts", tags=["shifts"])


async def get_positions(request: Request) -> Positions:
    """Return where this process knows the drivers to be."""
    positions: Positions = request.app.state.positions
    return positions


PositionsDep = Annotated[Positions, Depends(get_positions)]


async def _follow(positions: Positions, database: Database, driver_id: UUID) -> None:
    """Take positions from now on, or no more, as the committed shifts say."""
    # The act is committed and must be answered so; the flush worker asks again within a second.
    with contextlib.suppress(DatabaseUnavailable):
        await positions.refresh_driver(database, driver_id=driver_id)


@router.post(
    "",
    status_code=201,
    operation_id="start_shift",
    summary="Go on shift",
    response_model=ShiftOut,
    responses=problem_responses(
        *COMMAND_PROBLEMS, RoleMissing, DriverDocumentExpired, NoSuchVehicle, ShiftAlreadyOpen
    ),
)
async def start_shift(
    driver: Driver,
    acting: Acting,
    positions: PositionsDep,
    database: DatabaseDep,
    body: Annotated[StartShift | None, Body()] = None,
) -> Response:
    """You take offers with this car, and your position is followed, until you end the shift."""

    async def act(tx: Transaction) -> dict[str, object]:
        return await service.start_shift(
            tx,
            driver_id=driver.member_id,
            vehicle_id=body.vehicle_id if body else None,
            now=acting.now,
        )

    response = await acting.answer(act, status=201)
    await _follow(positions, database, driver.member_id)
    return response


@router.post(
    "/current/end",
    operation_id="end_shift",
    summary="Go off shift",
    response_model=ShiftOut,
    responses=problem_responses(*COMMAND_PROBLEMS, RoleMissing, NoOpenShift, RideUnderWay),
)
async def end_shift(
    driver: Driver, acting: Acting, positions: PositionsDep, database: DatabaseDep
) -> Response:
    """You get no more offers. Your position is deleted and not taken any more."""

    async def act(tx: Transaction) -> dict[str, object]:
        return await service.end_shift(tx, driver_id=driver.member_id, now=acting.now)

    response = await acting.answer(act)
    await _follow(positions, database, driver.member_id)
    return response


@router.get(
    "/current",
    operation_id="get_current_shift",
    summary="The shift under way",
    response_model=ShiftOut,
    responses=problem_responses(NotSignedIn, MemberSuspended, RoleMissing, NoOpenShift),
)
async def get_current_shift(driver: Driver, database: DatabaseDep) -> Response:
    """Your open shift, or the problem `no-open-shift`."""
    return json_response(await service.get_current_shift(database, driver_id=driver.member_id))
