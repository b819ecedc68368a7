"""One half of a vote under load: devices at work, and which program used how much CPU."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from load_tests.cpu import family_cpu_us
from load_tests.figures import percentile
from load_tests.stage import Stage

ISSUERS = ("issuer-1", "issuer-2")
IDLE_S = 6.0  # three rounds of the deadlines
type Lines = AsyncIterator[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """CPU time in microseconds, of each program with its children."""

    api_us: float
    database_us: float
    issuers_us: float

    def __sub__(self, earlier: "Used") -> "Used":
        return Used(
            api_us=self.api_us - earlier.api_us,
            database_us=self.database_us - earlier.database_us,
            issuers_us=self.issuers_us - earlier.issuers_us,
        )

    def times(self, factor: float) -> "Used":
        """So many times as much."""
        return Used(
            api_us=self.api_us * factor,
            database_us=self.database_us * factor,
            issuers_us=self.issuers_us * factor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Percentiles in milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BallotRound:
    """So many members did one half of a vote: CPU and times for each of them.

    `request` is the request this half is about, as the device sees it: one stamp, or one ballot.
    `whole` is all that a device does in it, looking at terms and rolls included. `used` is for
    one member, beyond what the same programs use when no device asks anything.
    """

    members: int
    seconds: float
    used: Used
    devices_us: float
    request: Times
    whole: Times

    @property
    def per_s(self) -> float:
        """Members who got through in a second."""
        return self.members / self.seconds


def cpu_now(stage: Stage) -> Used:
    """Return the CPU time used up to now."""
    pids, platform = stage.running.pids, stage.cpu()
    return Used(
        api_us=platform.api_us,
        database_us=platform.database_us,
        issuers_us=sum(family_cpu_us(pids[name]) for name in ISSUERS),
    )


async def measure_idle(stage: Stage) -> Used:
    """Return what the programs use in one second in which nobody asks anything."""
    begun, begun_s = cpu_now(stage), time.perf_counter()
    await asyncio.sleep(IDLE_S)
    return (cpu_now(stage) - begun).times(1 / (time.perf_counter() - begun_s))


async def follow_round(
    stage: Stage, devices: Sequence[Lines], *, request: str, idle: Used, deadline_s: float
) -> BallotRound:
    """Wait until all devices stand ready, then until all are done; return what it took."""
    async with asyncio.timeout(deadline_s):
        await _all_say(devices, "ready")
        begun, begun_s = cpu_now(stage), time.perf_counter()
        done = await _all_say(devices, "done")
        used = cpu_now(stage) - begun - idle.times(time.perf_counter() - begun_s)
    whole_s = [seconds for one in done for seconds in one["whole_s"]]
    members = len(whole_s)
    return BallotRound(
        members=members,
        seconds=max(one["seconds"] for one in done),
        used=used.times(1 / members),
        devices_us=sum(one["cpu_us"] for one in done) / members,
        request=_times([seconds for one in done for seconds in one["times_s"][request]]),
        whole=_times(whole_s),
    )


def _times(seconds: Sequence[float]) -> Times:
    p50, p95, p99 = (1e3 * percentile(seconds, share) for share in (0.5, 0.95, 0.99))
    return Times(p50_ms=p50, p95_ms=p95, p99_ms=p99)


async def _all_say(devices: Sequence[Lines], what: str) -> list[dict[str, Any]]:
    ended = {"said": "no more: see what it wrote above"}
    said = await asyncio.gather(*(anext(lines, ended) for lines in devices))
    for one in said:
        if one["said"] != what:
            raise RuntimeError(f"a device should have said {what} and said {one['said']}")
    return said
