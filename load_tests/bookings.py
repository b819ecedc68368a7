"""Bookings per second through HTTP, beside pgbench with the statements that the API issues."""

import asyncio
import contextlib
import statistics
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from app.members.access import token_hash
from app.roads.port import Say
from load_tests.client_process import PAUSE_S, client_process
from load_tests.fixtures import prepare_riders, settle
from load_tests.pgbench import Pgbench, PgbenchRound, make_script
from load_tests.recording import Script, Statement, of_booking, read_log
from load_tests.stage import Stage

CONNECTIONS = 16
ROUNDS = 5
ROUND_S, WARM_UP_S = 3.0, 1.0
OPEN_LOOP_S = 8.0
FLOOR_S = 3.0
MOST_PER_S = 1_000  # riders are prepared for so many bookings a second; a round ends without them


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRound:
    """One closed-loop round through HTTP: requests a second and CPU per request."""

    per_s: float
    api_cpu_us: float
    database_cpu_us: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLoop:
    """Times of answers at a fixed rate, from the intended moment of asking."""

    asked_per_s: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookings:
    """All that was measured about bookings."""

    statements: list[str]
    floor: HttpRound
    http: list[HttpRound]
    pgbench: list[PgbenchRound]
    open_loop: OpenLoop

    @property
    def ratios(self) -> list[float]:
        """HTTP over pgbench in each round, both measured one after the other."""
        pairs = zip(self.http, self.pgbench, strict=True)
        return [http.per_s / floor.per_s for http, floor in pairs]

    @property
    def ratio(self) -> float:
        """HTTP over pgbench: the median of the rounds."""
        return statistics.median(self.ratios)

    @property
    def ratio_by_cpu(self) -> float:
        """CPU time of a booking by pgbench over one through HTTP; the clients' own is left out.

        Others on the machine slow the API's one thread more than pgbench's sixteen sessions; this
        figure, of the medians of the rounds, notices them less.
        """
        through_http_us = (one.api_cpu_us + one.database_cpu_us for one in self.http)
        by_pgbench_us = (one.database_cpu_us for one in self.pgbench)
        return statistics.median(by_pgbench_us) / statistics.median(through_http_us)


async def measure_bookings(stage: Stage, *, say: Say) -> Bookings:
    """Return the figures; every booking asked for was made, or this fails."""
    with tempfile.TemporaryDirectory(prefix="meent-bench-") as folder:
        say("bookings: recording the statements of one")
        statements, script = await _record(stage)
        bench = Pgbench(stage, script=script, folder=Path(folder))
        request = "GET /livez HTTP/1.1\r\nHost: bench\r\n\r\n"
        floor = await _closed_loop(
            stage, [request], seconds=FLOOR_S, expected="200", is_repeated=True
        )
        http: list[HttpRound] = []
        pgbench: list[PgbenchRound] = []
        for number in range(1, ROUNDS + 1):
            say(f"bookings: round {number} of {ROUNDS}, through HTTP and by pgbench")
            http.append(await _http_round(stage))
            pgbench.append(await bench.round())
        say("bookings: at half of that rate, at moments fixed beforehand")
        half_per_s = statistics.median(one.per_s for one in http) / 2
        open_loop = await _open_loop(stage, per_s=half_per_s)
    return Bookings(
        statements=[statement.sql for statement in statements],
        floor=floor,
        http=http,
        pgbench=pgbench,
        open_loop=open_loop,
    )


async def _record(stage: Stage) -> tuple[list[Statement], Script]:
    """Book three times while the database logs every statement; the script is made of the last."""
    owner = stage.owner
    riders = await prepare_riders(owner, count=3)
    begun = stage.server_log.stat().st_size
    async with (
        _logging(owner),
        httpx.AsyncClient(base_url=stage.running.base_url, trust_env=False) as client,
    ):
        for rider in riders:
            headers = {"Authorization": f"Bearer {rider.token}", "Idempotency-Key": rider.key}
            answer = await client.post("/v1/rides", json=rider.body, headers=headers)
            assert answer.status_code == 201, answer.text
    with stage.server_log.open(encoding="utf-8") as log:
        log.seek(begun)
        heard = read_log(log)
    booked = [
        of_booking(heard, marks=(str(rider.member_id), token_hash(rider.token).hex()))
        for rider in riders
    ]
    # The first one also prepares. From the second on, each booking says the same.
    assert [one.sql for one in booked[1]] == [one.sql for one in booked[2]]
    return booked[2], await make_script(owner, booked[2], rider=riders[2])


@contextlib.asynccontextmanager
async def _logging(owner: asyncpg.Connection) -> AsyncIterator[None]:
    """Inside the block the server writes every statement of every session into its log."""
    await _set_logging(owner, "set log_statement = 'all'")
    try:
        yield
    finally:
        await _set_logging(owner, "reset log_statement")


async def _set_logging(owner: asyncpg.Connection, setting: str) -> None:
    await owner.execute(f"alter system {setting}")
    await owner.execute("select pg_reload_conf()")
    await asyncio.sleep(0.5)  # The sessions hear of it by a signal.


async def _closed_loop(
    stage: Stage, requests: list[str], *, seconds: float, expected: str, is_repeated: bool = False
) -> HttpRound:
    """Return what 16 connections that never pause got answered; another status is a failure."""
    job = _job(stage, requests, seconds=seconds) | {"is_repeated": is_repeated}
    async with client_process("load_tests.http_client", job) as said:
        await anext(said)
        begun = stage.cpu()
        result = await anext(said)
        used = stage.cpu() - begun
    _require(result["statuses"], expected)
    return HttpRound(
        per_s=result["count"] / result["seconds"],
        api_cpu_us=used.api_us / result["count"],
        database_cpu_us=used.database_us / result["count"],
    )


async def _http_round(stage: Stage) -> HttpRound:
    count = int(MOST_PER_S * (ROUND_S + WARM_UP_S))
    riders = await prepare_riders(stage.owner, count=count)
    await settle(stage.owner)
    requests = [rider.request() for rider in riders]
    return await _closed_loop(stage, requests, seconds=ROUND_S, expected="201")


async def _open_loop(stage: Stage, *, per_s: float) -> OpenLoop:
    count = int(per_s * OPEN_LOOP_S * 1.2 + MOST_PER_S * WARM_UP_S)
    riders = await prepare_riders(stage.owner, count=count)
    await settle(stage.owner)
    requests = [rider.request() for rider in riders]
    job = _job(stage, requests, seconds=OPEN_LOOP_S) | {"per_s": per_s}
    async with client_process("load_tests.http_client", job) as said:
        await anext(said)
        result = await anext(said)
    _require(result["statuses"], "201")
    return OpenLoop(asked_per_s=per_s, p50_ms=result["p50_ms"], p99_ms=result["p99_ms"])


def _job(stage: Stage, requests: list[str], *, seconds: float) -> dict[str, Any]:
    return {
        "port": stage.port,
        "connections": CONNECTIONS,
        "requests": requests,
        "is_repeated": False,
        "warm_up_s": WARM_UP_S,
        "pause_s": PAUSE_S,
        "seconds": seconds,
        "per_s": None,
    }


def _require(statuses: dict[str, int], expected: str) -> None:
    if set(statuses) != {expected}:
        raise RuntimeError(f"the API answered {statuses}; only {expected} was expected")
