"""Promises of the command line: one plain line for what goes wrong, and nothing left running."""

import asyncio
import json
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from app.foundation.migrate import newest_revision
from app.settings import BUILT_IN_CITY
from tests.app.commands import CHECKOUT, PROGRAM, environment, meent, new_home, processes_of


@pytest.fixture
def home() -> Iterator[Path]:
    with new_home() as home:
        yield home
        assert processes_of(home) == []


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """A copy of the built-in city, to be spoilt."""
    return Path(shutil.copytree(BUILT_IN_CITY, tmp_path / "city"))


def refused(result: subprocess.CompletedProcess[str], *, code: int = 1) -> str:
    """The one line with which the command refused."""
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("meent: ")
    return lines[0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hom": "x"}, "unknown setting MEENT_HOM"),
        ({"port": "99999"}, "MEENT_PORT"),
        ({"city": "/nowhere"}, "/nowhere: no such folder"),
        ({"host": "192.0.2.1"}, "192.0.2.1 is no address of this machine"),
        ({"database_url": "mysql://nowhere"}, "MEENT_DATABASE_URL is not a URL like"),
        ({"database_url": "postgresql://a:hidden@127.0.0.1:1/x"}, "127.0.0.1:1/x does not answer"),
    ],
)
def test_a_setting_that_cannot_be_used_is_told_in_one_line(
    home: Path, settings: dict[str, str], words: str
) -> None:
    line = refused(meent(home, "serve", **settings))
    assert words in line
    assert "hidden" not in line


def test_a_home_that_cannot_be_made_is_told_in_one_line(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert "choose another folder with MEENT_HOME" in refused(meent(file / "home", "serve"))


def test_a_busy_port_is_told_in_one_line(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        line = refused(meent(home, "serve", "--port", str(port)))
    assert f"port {port} of 127.0.0.1 cannot be had" in line
    assert not home.exists()


def test_a_misspelt_key_of_the_city_is_told_in_one_line(home: Path, city: Path) -> None:
    toml = city / "city.toml"
    toml.write_text(toml.read_text().replace("commission_bp", "comission_bp", 1))
    line = refused(meent(home, "serve", "--city", str(city)))
    assert "did you mean 'commission_bp'?" in line


def test_a_road_file_that_is_none_stops_what_was_started(home: Path, city: Path) -> None:
    (city / "roads.osm.pbf").write_bytes(b"no roads here" * 1000)
    result = meent(home, "serve", "--city", str(city))
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    told = [line for line in result.stderr.splitlines() if "osrm-extract cannot use it" in line]
    assert told == [result.stderr.splitlines()[-1]]
    assert told[0].startswith(f"meent: {city / 'roads.osm.pbf'}: ")


def with_login(dsn: str, *, user: str, password: str, database: str | None = None) -> str:
    """The same server's URL for somebody else."""
    parts = urlsplit(dsn)
    path = f"/{database}" if database else parts.path
    return f"postgresql://{user}:{password}@{path}?{parts.query}"


def test_a_wrong_password_is_told_in_one_line(home: Path, dsn: str) -> None:
    wrong = with_login(dsn, user="meent", password="hidden")
    line = refused(meent(home, "migrate", database_url=wrong))
    assert "refuses the user or the password" in line
    assert "hidden" not in line


def test_a_missing_database_is_told_in_one_line(home: Path, dsn: str) -> None:
    elsewhere = dsn.replace(urlsplit(dsn).path, "/nowhere")
    line = refused(meent(home, "audit", database_url=elsewhere))
    assert "there is no such database" in line


async def test_missing_rights_are_told_in_one_line(
    home: Path, dsn: str, owner_of_tables: asyncpg.Connection
) -> None:
    await owner_of_tables.execute("create role weak login password 'weak'")
    await owner_of_tables.execute("create database rights")
    try:
        weak = with_login(dsn, user="weak", password="weak", database="rights")
        result = await asyncio.to_thread(meent, home, "migrate", database_url=weak)
        assert "permission denied" in refused(result)
    finally:
        await owner_of_tables.execute("drop database rights")
        await owner_of_tables.execute("drop role weak")


def test_a_forgetful_database_is_refused_where_real_people_ride(home: Path, dsn: str) -> None:
    line = refused(meent(home, "serve", database_url=dsn, profile="production"))
    assert "is off in PostgreSQL" in line


async def test_the_database_of_another_city_is_refused(
    home: Path, dsn: str, owner: asyncpg.Connection, city: Path
) -> None:
    assert await owner.fetchval("select name from cooperative") == "Liechtenstein"
    toml = city / "city.toml"
    toml.write_text(toml.read_text().replace('name = "Liechtenstein"', 'name = "Elsewhere"'))
    result = await asyncio.to_thread(meent, home, "serve", city=str(city), database_url=dsn)
    assert "belongs to the cooperative of Liechtenstein" in refused(result)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


@asynccontextmanager
async def old_postgres() -> AsyncIterator[int]:
    """The port of a server that says, as PostgreSQL 15 would, who it is, and nothing more."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(
            _message(b"R", struct.pack("!i", 0))
            + _message(b"S", b"server_version\x0015.4\x00")
            + _message(b"S", b"client_encoding\x00UTF8\x00")
            + _message(b"K", struct.pack("!ii", 1, 1))
            + _message(b"Z", b"I")
        )
        await writer.drain()
        await reader.read(1024)
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_an_older_database_is_told_in_one_line(home: Path) -> None:
    async with old_postgres() as port:
        url = f"postgresql://meent:x@127.0.0.1:{port}/meent?sslmode=disable"
        result = await asyncio.to_thread(meent, home, "serve", database_url=url)
    assert "PostgreSQL 15, and 18 is needed" in refused(result)


@pytest.mark.parametrize(
    "words", [("fly",), ("serve", "--port", "many"), ("appoint", "+4232345678", "king")]
)
def test_a_mistyped_command_exits_2_and_points_to_the_help(
    home: Path, words: tuple[str, ...]
) -> None:
    assert refused(meent(home, *words), code=2).endswith("see `meent --help`")


@pytest.mark.parametrize("words", [[], ["solidarity"], ["surplus"], ["vote"]])
def test_a_command_that_wants_another_word_shows_its_help_and_no_more(
    home: Path, words: list[str]
) -> None:
    shown = meent(home, *words)
    assert (shown.returncode, shown.stderr) == (2, "")
    assert "Usage: " in shown.stdout


def test_asking_for_help_imports_nothing_heavy() -> None:
    heavy = "{'fastapi', 'sqlalchemy', 'asyncpg', 'numpy', 'pydantic', 'httpx'}"
    done = subprocess.run(
        [sys.executable, "-c", f"import app.cli, sys; print({heavy} & set(sys.modules))"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"


def test_an_audit_where_nothing_was_ever_started_says_how_to_start(home: Path) -> None:
    assert "start once with `meent serve`" in refused(meent(home, "audit"))
    assert not home.exists()


async def test_an_audit_names_the_first_broken_promise_and_exits_1(
    home: Path, dsn: str, owner: asyncpg.Connection
) -> None:
    clean = await asyncio.to_thread(meent, home, "audit", "--json", database_url=dsn)
    assert clean.returncode == 0, clean.stderr
    assert json.loads(clean.stdout)["violations"] == 0
    await owner.execute(
        "insert into event_stream (stream_id, last_seq) values (gen_random_uuid(), 3)"
    )
    broken = await asyncio.to_thread(meent, home, "audit", database_url=dsn)
    assert broken.returncode == 1
    assert broken.stderr.startswith("meent: a promise is broken: G4 streams have no gaps: stream ")
    assert "streams have no gaps" in broken.stdout
    assert "\x1b" not in broken.stdout


async def test_migrate_brings_an_empty_database_to_the_newest_form(
    home: Path, dsn: str, owner_of_tables: asyncpg.Connection
) -> None:
    await owner_of_tables.execute("create database empty")
    url = dsn.replace(urlsplit(dsn).path, "/empty")
    try:
        result = await asyncio.to_thread(meent, home, "migrate", database_url=url)
        assert result.returncode == 0, result.stderr
        assert newest_revision() in result.stderr
    finally:
        await owner_of_tables.execute("drop database empty with (force)")


def test_the_doctor_names_what_is_wrong_and_what_to_do(home: Path, dsn: str) -> None:
    result = meent(
        home,
        "doctor",
        "--json",
        database_url=dsn,
        profile="production",
        secret="short",
        city="/nowhere",
    )
    assert result.returncode == 1
    findings = {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert len(findings) >= 12
    errors = {name for name, finding in findings.items() if finding["level"] == "error"}
    assert errors == {"secret", "city", "durability"}
    assert all(finding["hint"] for finding in findings.values() if finding["level"] != "ok")
    assert findings["text messages"]["seen"] == "written to the log, not sent"
    assert "short" not in result.stdout.replace("shortest", "")


def test_the_doctor_lists_the_settings_where_one_is_misspelt(home: Path) -> None:
    result = meent(home, "doctor", hom="x")
    assert result.returncode == 1
    assert "unknown setting MEENT_HOM" in result.stderr
    assert "MEENT_DATABASE_URL" in result.stdout


def test_openapi_is_printed_without_a_database(home: Path) -> None:
    result = meent(home, "openapi")
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert {"/livez", "/readyz", "/metrics", "/problems"} <= set(document["paths"])


def test_whoever_stops_reading_gets_no_traceback(home: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "openapi"],
        cwd=CHECKOUT,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        program.stdout.close()
        assert b"Traceback" not in program.stderr.read()
    assert program.returncode == 1
