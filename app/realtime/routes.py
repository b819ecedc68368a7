"""The door of the socket, and the page that describes it to machines."""

from typing import Any

from fastapi import APIRouter, WebSocket

from app.realtime.asyncapi import document
from app.realtime.service import Realtime

router = APIRouter(tags=["socket"])


@router.websocket("/v1/socket")
async def socket(websocket: WebSocket) -> None:
    """Serve one member's socket."""
    realtime: Realtime = websocket.app.state.realtime
    await realtime.serve(websocket)


@router.get("/asyncapi.json", operation_id="get_asyncapi", summary="The socket, for machines")
async def get_asyncapi() -> dict[str, Any]:
    """Every message of `/v1/socket` with its schema and an example, as AsyncAPI 3.0."""
    return document()
