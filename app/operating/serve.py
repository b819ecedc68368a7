"""The API's own process: `python -m app.operating.serve`, all settings from the environment."""
# ruff: noqa: PLC0415 - the solver's spawned process imports this file anew and needs none of it

import asyncio
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn

    from app.settings import Settings

MAX_FRAME_BYTES = 16 * 1024
SHUTDOWN_S = 5
BACKLOG = 4096


def server(settings: "Settings") -> "uvicorn.Server":
    """Return the server of this process; the settings name its database, host and port."""
    import uvicorn

    from app.main import create_app
    from app.settings import SettingsError

    if settings.database_url is None:
        raise SettingsError("MEENT_DATABASE_URL: this process needs it; start `meent serve`")
    app = create_app(settings, dsn=settings.database_url.get_secret_value())
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="auto",  # uvloop where there is one
            http="httptools",
            ws="websockets-sansio",
            ws_max_size=MAX_FRAME_BYTES,
            ws_per_message_deflate=False,
            # The room of sockets has heartbeats of its own, and a close code for silence.
            ws_ping_interval=None,
            # Open sockets would otherwise keep a stopping server for ever.
            timeout_graceful_shutdown=SHUTDOWN_S,
            backlog=BACKLOG,
            access_log=False,
            log_config=None,
            server_header=False,
        )
    )


def main() -> int:
    """Serve until a signal; the exit code is 0 after an ordered end."""
    from app.foundation.logs import configure_logs
    from app.settings import load_settings

    settings = load_settings()
    configure_logs(level=settings.log_level)
    api = server(settings)
    asyncio.run(api.serve(), loop_factory=api.config.get_loop_factory())
    return 0 if api.started else 1


if __name__ == "__main__":
    sys.exit(main())
