"""The whole program on a real port."""

import asyncio
import socket
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from tests.app.realtime.phones import Server, until


@pytest.fixture
async def server(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection
) -> AsyncIterator[Server]:
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_max_size=16 * 1024,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=2,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        yield Server(app, client, listener.getsockname()[1], owner)
        server.should_exit = True
