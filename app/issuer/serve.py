"""An issuer's own process: `python -m app.issuer.serve FOLDER`, its clock and passphrase set."""

import argparse
import asyncio
import sys
from pathlib import Path

import uvicorn

from app.foundation.clock import Clock, ScaledClock, SystemClock
from app.foundation.logs import configure_logs
from app.issuer.main import create_issuer
from app.issuer.service import Desk
from app.settings import Settings, load_settings

DEFAULT_PORT = 8090
SHUTDOWN_S = 5
# Beyond so many at once uvicorn answers 503, and a device asks again.
MOST_CONNECTIONS = 512


def serve_issuer(folder: Path, *, host: str, port: int) -> bool:
    """Serve until a signal; returns whether it ever answered.

    Raises:
        IssuerError: the folder cannot be used, or another program serves it.
        SettingsError: a MEENT_* variable is wrong.
    """
    settings = load_settings()
    configure_logs(level=settings.log_level)
    passphrase = settings.issuer_passphrase
    issuer = create_issuer(
        folder,
        clock=_clock(settings),
        passphrase=passphrase.get_secret_value() if passphrase else None,
    )
    # Tried beforehand, as uvicorn tells of a lifespan that fails in many words of its own.
    asyncio.run(_try(issuer.state.desk))
    server = uvicorn.Server(
        uvicorn.Config(
            issuer,
            host=host,
            port=port,
            http="httptools",
            ws="none",
            timeout_graceful_shutdown=SHUTDOWN_S,
            limit_concurrency=MOST_CONNECTIONS,
            # Neither a line for each request nor an address stands in any log.
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
        )
    )
    asyncio.run(server.serve(), loop_factory=server.config.get_loop_factory())
    return server.started


async def _try(desk: Desk) -> None:
    async with desk.open():
        pass


def _clock(settings: Settings) -> Clock:
    """The machine's clock; in a demo the demo's, or every vote would be over for the issuer."""
    if settings.clock_start is None or settings.clock_anchor_s is None:
        return SystemClock()
    return ScaledClock(settings.clock_start, settings.clock_anchor_s, settings.clock_speed)


def main(arguments: list[str]) -> int:
    """Return 0 after an ordered end."""
    parser = argparse.ArgumentParser(prog="app.issuer.serve")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    given = parser.parse_args(arguments)
    return 0 if serve_issuer(given.folder, host=given.host, port=given.port) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
