"""The platform under load: a durable database and the API, each its own process, in a new home."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from app.foundation import postgres_folder
from app.operating.launch import Running, run_platform
from app.roads.port import Say
from app.settings import BUILT_IN_CITY, load_settings
from load_tests.cpu import family_cpu_us

# Thousands of rides wait here with no driver at all, which is no city: dispatch stands still.
_NO_DISPATCH_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """CPU time in microseconds, of the API and of the database, each with its children."""

    api_us: float
    database_us: float

    def __sub__(self, earlier: "Cpu") -> "Cpu":
        return Cpu(
            api_us=self.api_us - earlier.api_us,
            database_us=self.database_us - earlier.database_us,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What runs, the folder of the database's programs, and its owner's own connection."""

    running: Running
    programs: Path
    server_log: Path
    owner: asyncpg.Connection

    @property
    def port(self) -> int:
        """Where the API listens on this machine."""
        return int(self.running.base_url.rpartition(":")[2])

    def cpu(self) -> Cpu:
        """Return the CPU time used up to now."""
        pids = self.running.pids
        return Cpu(api_us=family_cpu_us(pids["api"]), database_us=family_cpu_us(pids["postgres"]))


@asynccontextmanager
async def open_stage(*, say: Say, city: Path = BUILT_IN_CITY) -> AsyncIterator[Stage]:
    """Run the platform in a folder of its own until the end of the block; nothing of it is left."""
    home = _make_home()
    try:
        settings = load_settings(
            home=home / "home",
            city=city,
            port=0,
            log_level="warning",
            tick_s=_NO_DISPATCH_S,
            database_url=None,
        )
        async with run_platform(settings, say=say) as running:
            owner = await asyncpg.connect(running.dsn)
            try:
                folder = settings.home / "postgres"
                yield Stage(
                    running=running,
                    programs=postgres_folder.programs(
                        folder.resolve(), postgres_folder.server_account(), None
                    ),
                    server_log=folder / "server.log",
                    owner=owner,
                )
            finally:
                await owner.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _make_home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="meent-bench-"))
    # Where we are root, the database's own user must be able to enter.
    home.chmod(0o711)
    return home
