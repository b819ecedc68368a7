"""Positions per second through the WebSocket, and what one costs."""

import time
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from app.drivers.positions import PositionResult
from app.roads.port import Say
from load_tests.client_process import PAUSE_S, client_process
from load_tests.fixtures import prepare_drivers, settle
from load_tests.stage import Cpu, Stage

DRIVERS = 500
PER_S = 2_000.0
SECONDS = 8.0
IDLE_S = 4.0
# Each driver sends four a second, a second of device time apart, as a telephone that was under
# ground does. So the devices' clocks run ahead: from this far behind, to less than 5 s before ours.
BEHIND_S = 26.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLoad:
    """What became of the positions, and CPU beyond that of the same sockets standing idle.

    ``p50_ms`` and ``p99_ms`` run from the intended moment of sending to the pong of a ping sent
    right behind the position, so they are an upper bound of the time until it was taken.
    """

    drivers: int
    sent: int
    sent_per_s: float
    results: dict[str, int]
    accepted_per_s: float
    api_cpu_us: float
    database_cpu_us: float
    idle_api_cpu_share: float
    p50_ms: float
    p99_ms: float
    client_late_p99_ms: float

    @property
    def dropped(self) -> int:
        """How many were not taken."""
        return self.sent - self.results.get(PositionResult.ACCEPTED, 0)


@dataclass(frozen=True, slots=True)
class _Mark:
    """CPU time and counts at one moment."""

    at_s: float
    cpu: Cpu
    results: dict[str, int]


async def measure_positions(stage: Stage, *, say: Say) -> PositionLoad:
    """Return the figures of 500 drivers' sockets under 2,000 positions a second."""
    say(f"positions: {DRIVERS} sockets, idle and then {PER_S:,.0f} positions a second")
    drivers = await prepare_drivers(stage.owner, count=DRIVERS)
    await settle(stage.owner)
    job = {
        "url": stage.running.base_url.replace("http", "ws", 1) + "/v1/socket",
        "tickets": [driver.ticket for driver in drivers],
        "idle_s": IDLE_S,
        "pause_s": PAUSE_S,
        "behind_s": BEHIND_S,
        "per_s": PER_S,
        "seconds": SECONDS,
    }
    async with client_process("load_tests.socket_client", job) as said:
        await anext(said)
        connected = await _mark(stage)
        await anext(said)
        idle = await _mark(stage)
        await anext(said)
        warm = await _mark(stage)
        result = await anext(said)
        done = await _mark(stage)
    idle_s, load_s = idle.at_s - connected.at_s, done.at_s - warm.at_s
    standing, loaded = idle.cpu - connected.cpu, done.cpu - warm.cpu
    results = {
        name: count - warm.results.get(name, 0)
        for name, count in done.results.items()
        if count != warm.results.get(name, 0)
    }
    accepted = results[PositionResult.ACCEPTED]
    return PositionLoad(
        drivers=DRIVERS,
        sent=result["sent"],
        sent_per_s=result["sent"] / result["seconds"],
        results=results,
        accepted_per_s=accepted / result["seconds"],
        api_cpu_us=(loaded.api_us - standing.api_us / idle_s * load_s) / accepted,
        database_cpu_us=(loaded.database_us - standing.database_us / idle_s * load_s) / accepted,
        idle_api_cpu_share=standing.api_us / idle_s / 1e6,
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
        client_late_p99_ms=result["client_late_p99_ms"],
    )


async def _mark(stage: Stage) -> _Mark:
    async with httpx.AsyncClient(base_url=stage.running.base_url, trust_env=False) as client:
        answer = await client.get("/metrics")
    results = {
        sample.labels["result"]: int(sample.value)
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == "meent_positions_total"
    }
    return _Mark(time.perf_counter(), stage.cpu(), results)
