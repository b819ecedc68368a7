"""Promises about the embedded PostgreSQL, each kept against a real server in a new folder."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import util
from pathlib import Path

import asyncpg
import pytest

from app.foundation import embedded_postgres, postgres_folder
from app.foundation.children import Account, Child, Family, alive, start
from app.foundation.embedded_postgres import (
    Cluster,
    ClusterBusy,
    ClusterError,
    prepare,
    wait_ready,
)

CHECKOUT = Path(__file__).parents[3]
AS_ROOT = os.geteuid() == 0

# A program with a server, which then only waits; the tests end it.
PROGRAM = """
import asyncio, sys
from pathlib import Path
from app.foundation.children import Family
from app.foundation.embedded_postgres import prepare, wait_ready

async def main(home):
    with prepare(home, durable=False) as cluster:
        async with Family() as family:
            server = await family.add(cluster.command())
            await wait_ready(cluster)
            print(server.pid, server.leash_pid, flush=True)
            await asyncio.sleep(60)

try:
    asyncio.run(main(Path(sys.argv[1])))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that the server's user can enter, which pytest's own is not where we are root."""
    place = Path(tempfile.mkdtemp(prefix="meent-test-")).resolve()
    place.chmod(0o711 if AS_ROOT else 0o700)
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="module")
def home(place: Path) -> Path:
    home = place / "home"
    prepare(home).close()
    return home


@pytest.fixture
def cluster(home: Path) -> Iterator[Cluster]:
    with prepare(home, durable=False) as cluster:
        yield cluster


async def becomes(condition: Callable[[], bool], *, within_s: float) -> bool:
    end_s = time.monotonic() + within_s
    while not condition() and time.monotonic() < end_s:  # noqa: ASYNC110 -- nothing tells us
        await asyncio.sleep(0.01)
    return condition()


def processes(home: Path) -> list[int]:
    title = postgres_folder.title(home)
    return [pid for pid, _ in embedded_postgres._processes_of(home / "data", title=title)]


def shared_memory_of(postmaster: int) -> list[str]:
    """The System V segments which that process made; the fifth column is their maker."""
    table = Path("/proc/sysvipc/shm")
    rows = table.read_text().splitlines()[1:] if table.exists() else []
    return [row for row in rows if int(row.split()[4]) == postmaster]


def sleeper_as(user: Account | None) -> subprocess.Popen[bytes]:
    account = {"user": user.uid, "group": user.gid} if user else {}
    return subprocess.Popen(["/bin/sleep", "60"], **account)


def program_on(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(home)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def program_with_server(home: Path) -> tuple[subprocess.Popen[str], int, int]:
    program = program_on(home)
    server, leash = map(int, program.stdout.readline().split())
    assert len(processes(home)) > 3
    assert sys.platform != "linux" or shared_memory_of(server)
    return program, server, leash


async def started(cluster: Cluster) -> Child:
    server = await start(cluster.command())
    await wait_ready(cluster, 20)
    return server


async def test_a_new_folder_becomes_a_server_that_answers_over_socket_and_loopback(
    home: Path,
) -> None:
    with prepare(home) as cluster:
        async with Family() as family:
            server = await family.add(cluster.command())
            await wait_ready(cluster)
            connection = await asyncpg.connect(cluster.dsn())
            assert await connection.fetchval("select current_user") == "meent"
            for name, value in {
                "server_version_num": "18",
                "data_checksums": "on",
                "fsync": "on",
                "synchronous_commit": "on",
                "dynamic_shared_memory_type": "mmap",
                "listen_addresses": "127.0.0.1",
                "idle_in_transaction_session_timeout": "10s",
                "server_encoding": "UTF8",
            }.items():
                assert (await connection.fetchval(f"show {name}")).startswith(value), name
            await connection.close()
            login = {"host": "127.0.0.1", "port": cluster.port, "user": "meent"}
            loopback = await asyncpg.connect(
                **login, password=cluster.password, database="postgres"
            )
            await loopback.close()
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(**login, password="guessed", database="postgres")
        assert not alive(server.pid)
        assert not processes(home)


async def test_the_server_is_never_root_and_its_password_is_for_us_alone(cluster: Cluster) -> None:
    server = await started(cluster)
    written_by_it = (cluster.data / "postmaster.pid").stat()
    await server.stop()
    assert written_by_it.st_uid == (pwd.getpwnam("nobody").pw_uid if AS_ROOT else os.geteuid())
    password = (cluster.home / "password").stat()
    assert (password.st_uid, password.st_mode & 0o777) == (os.geteuid(), 0o600)
    assert cluster.password not in repr(cluster)


async def test_what_was_acknowledged_survives_kill_9_even_with_a_backend_left_working(
    home: Path,
) -> None:
    with prepare(home) as cluster:
        await lose_the_server_after_a_commit(cluster)
    assert not processes(home)


async def lose_the_server_after_a_commit(cluster: Cluster) -> None:
    async with Family() as family:
        server = await family.add(cluster.command())
        await wait_ready(cluster)
        busy, writer = [await asyncpg.connect(cluster.dsn()) for _ in range(2)]
        await writer.execute("create table if not exists kept(n int); truncate kept")
        # It does not look up from its work, so it outlives its server unless somebody ends it.
        work = asyncio.ensure_future(
            busy.fetchval("select count(*) from generate_series(1, 1000000000000)")
        )
        await asyncio.sleep(0.1)
        await writer.execute("insert into kept values (7)")
        os.kill(server.pid, signal.SIGKILL)
        assert await becomes(lambda: family.child("postgres") is not server, within_s=10)
        await wait_ready(cluster, 10)
        reader = await asyncpg.connect(cluster.dsn())
        assert await reader.fetchval("select n from kept") == 7
        await reader.close()
        with pytest.raises(asyncpg.PostgresConnectionError):
            await work
        writer.terminate()


async def test_kill_9_of_the_program_leaves_no_process_and_no_shared_memory(home: Path) -> None:
    program, server, _ = program_with_server(home)
    with program:
        program.kill()
        assert await becomes(lambda: not processes(home), within_s=5)
    assert await becomes(lambda: not shared_memory_of(server), within_s=1)


async def test_kill_9_of_program_and_leash_leaves_nothing_to_the_next_start(home: Path) -> None:
    program, server, leash = program_with_server(home)
    with program:
        os.kill(leash, signal.SIGKILL)
        program.kill()
        program.wait(5)
        # At once, beside what may still run: prepare waits for it or ends it.
        with prepare(home, durable=False) as cluster:
            assert not processes(home)
            assert not shared_memory_of(server)
            await (await started(cluster)).stop()


async def test_kill_9_of_the_leash_leaves_no_process_and_no_shared_memory(
    cluster: Cluster,
) -> None:
    server = await started(cluster)
    os.kill(server.leash_pid, signal.SIGKILL)
    assert await server.wait() == 128 + signal.SIGKILL
    assert not processes(cluster.home)
    assert not shared_memory_of(server.pid)


async def test_ctrl_c_shuts_the_server_down_in_order(home: Path) -> None:
    program, server, _ = program_with_server(home)
    with program:
        os.killpg(program.pid, signal.SIGINT)
        assert await asyncio.to_thread(program.wait, 10) == 130
    assert not processes(home)
    assert not shared_memory_of(server)
    last_words = (home / "server.log").read_text().splitlines()[-1]
    assert last_words.endswith("database system is shut down")


def test_a_second_program_on_the_folder_is_refused_by_name_of_the_first(home: Path) -> None:
    program, _, _ = program_with_server(home)
    with program:
        try:
            with pytest.raises(ClusterBusy, match=rf"process {program.pid}\): stop that one first"):
                prepare(home)
        finally:
            program.send_signal(signal.SIGINT)


async def test_a_stale_lock_file_naming_a_living_process_does_not_keep_the_server_away(
    cluster: Cluster,
) -> None:
    with sleeper_as(cluster.user) as stranger:
        stale = f"{stranger.pid}\n{cluster.data}\n1\n{cluster.port}\n{cluster.sockets}\n\n"
        for name in (
            cluster.data / "postmaster.pid",
            cluster.sockets / f".s.PGSQL.{cluster.port}.lock",
        ):
            name.write_text(stale)
        server = await started(cluster)
        await server.stop()
        assert stranger.poll() is None
        stranger.kill()


async def test_a_folder_half_made_when_its_maker_was_killed_is_made_anew(place: Path) -> None:
    home = place / "half"
    with program_on(home) as maker:
        assert await becomes(lambda: any(home.glob("initdb-*/data/base")), within_s=20)
        maker.kill()
    assert not (home / "data").exists()
    with prepare(home, durable=False) as cluster:
        assert not list(home.glob("initdb-*"))
        server = await started(cluster)
        connection = await asyncpg.connect(cluster.dsn())
        assert await connection.fetchval("show fsync") == "off"
        await connection.close()
        await server.stop()


def test_a_folder_that_the_servers_user_cannot_enter_is_refused_and_left_as_it_is(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    if AS_ROOT:
        with pytest.raises(ClusterError, match=f"nobody cannot enter .*{closed.name}.*: choose"):
            prepare(closed / "home")
    else:
        closed.chmod(0o500)
        with pytest.raises(ClusterError, match="choose another"):
            prepare(closed / "home")
    assert closed.stat().st_mode & 0o777 == (0o700 if AS_ROOT else 0o500)


def test_a_taken_port_is_replaced_and_a_free_one_kept(home: Path) -> None:
    with prepare(home) as cluster:
        kept = cluster.port
    with prepare(home) as cluster:
        assert cluster.port == kept
    with postgres_folder.socket.create_server(("127.0.0.1", kept)), prepare(home) as cluster:
        assert cluster.port != kept


def test_a_deep_folder_gets_a_socket_address_that_is_short_enough(place: Path) -> None:
    deep = place / ("x" * 100)
    sockets = postgres_folder.socket_dir(deep, postgres_folder.server_account())
    try:
        assert len(f"{sockets}/.s.PGSQL.65535") < 104
        assert sockets.stat().st_mode & 0o777 == 0o700
    finally:
        sockets.rmdir()


def test_a_machine_without_programs_is_told_so_in_one_line(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ClusterError, match="has no program named postgres"):
        prepare(place / "none", binaries=place)
    monkeypatch.setattr(util, "find_spec", lambda _name: None)
    with pytest.raises(ClusterError, match="MEENT_DATABASE_URL") as refusal:
        prepare(place / "none")
    assert "\n" not in str(refusal.value)


def test_a_new_folder_may_be_made_by_several_programs_at_once(tmp_path: Path) -> None:
    for number in range(200):
        home = tmp_path / str(number) / "new" / "home"
        together = threading.Barrier(4)

        def make(home: Path = home, together: threading.Barrier = together) -> None:
            together.wait()
            postgres_folder.make_home(home, None)

        with ThreadPoolExecutor(4) as pool:
            for made in [pool.submit(make) for _ in range(4)]:
                made.result()
        assert home.is_dir()


def test_what_a_dying_initdb_still_writes_is_taken_away(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = place / "late"
    late = home / "initdb-late"
    (late / "data").mkdir(parents=True)
    remove, seen = shutil.rmtree, []

    def remove_and_write(path: Path, **options: bool) -> None:
        seen.append(path)
        remove(path, **options)
        if len(seen) == 1:
            late.mkdir()
            (late / "data").touch()

    monkeypatch.setattr(postgres_folder.shutil, "rmtree", remove_and_write)
    with prepare(home, durable=False):
        assert not late.exists()
    assert seen[:2] == [late, late]
