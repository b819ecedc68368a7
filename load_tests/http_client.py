"""A lean HTTP client that asks from a list: as fast as answered, or at a fixed rate."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import uvloop

from load_tests.client_process import read_job, tell
from load_tests.figures import arrivals, percentile

SEED = 2026


class Line(asyncio.Protocol):
    """A kept connection with at most one request under way; answers need a Content-Length."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        # uvloop's transport has this form without being of this class.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the API closed a connection"))

    def data_received(self, data: bytes) -> None:
        """Hand out the status once the whole answer is here."""
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            assert self._answer is not None
            self._got = b""
            self._answer.set_result(int(head[9:12]))

    def ask(self, request: bytes) -> asyncio.Future[int]:
        """Send a request; the future becomes the status of its answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer


async def open_lines(port: int, *, count: int) -> list[Line]:
    """Return this many connections to the API of this machine."""
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Line, "127.0.0.1", port))[1] for _ in range(count)]


async def closed_loop(
    lines: list[Line], requests: Iterator[bytes], *, seconds: float
) -> dict[str, Any]:
    """Ask the next as soon as the last is answered; return count, seconds and statuses."""
    statuses: Counter[int] = Counter()
    begun_s = time.perf_counter()

    async def ask_on(line: Line) -> None:
        while time.perf_counter() - begun_s < seconds:
            request = next(requests, None)
            if request is None:
                return
            statuses[await line.ask(request)] += 1

    async with asyncio.TaskGroup() as tasks:
        for line in lines:
            tasks.create_task(ask_on(line))
    elapsed_s = time.perf_counter() - begun_s
    return {
        "count": statuses.total(),
        "seconds": elapsed_s,
        "statuses": {str(status): count for status, count in statuses.items()},
    }


async def open_loop(
    lines: list[Line], requests: Iterator[bytes], *, seconds: float, per_s: float
) -> dict[str, Any]:
    """Ask at moments fixed beforehand; times count from the intended moment, so stalls count."""
    statuses: Counter[int] = Counter()
    took_ms: list[float] = []
    free: asyncio.Queue[Line] = asyncio.Queue(maxsize=len(lines))
    for line in lines:
        free.put_nowait(line)
    begun_s = time.perf_counter()

    async def ask(request: bytes, due_s: float) -> None:
        line = await free.get()
        statuses[await line.ask(request)] += 1
        took_ms.append((time.perf_counter() - due_s) * 1000)
        free.put_nowait(line)

    async with asyncio.TaskGroup() as tasks:
        for after_s in arrivals(per_s=per_s, seconds=seconds, seed=SEED):
            request = next(requests, None)
            if request is None:
                break
            due_s = begun_s + after_s
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            tasks.create_task(ask(request, due_s))
    return {
        "count": len(took_ms),
        "seconds": time.perf_counter() - begun_s,
        "statuses": {str(status): count for status, count in statuses.items()},
        "p50_ms": percentile(took_ms, 0.5),
        "p99_ms": percentile(took_ms, 0.99),
    }


def _endless(requests: list[bytes], *, is_repeated: bool) -> Iterator[bytes]:
    yield from requests
    while is_repeated:
        yield from requests


async def main() -> None:
    """Warm up, say so, measure, tell the result."""
    job = read_job()
    requests = _endless([text.encode() for text in job["requests"]], is_repeated=job["is_repeated"])
    lines = await open_lines(job["port"], count=job["connections"])
    await closed_loop(lines, requests, seconds=job["warm_up_s"])
    tell({"warm": True})
    await asyncio.sleep(job["pause_s"])
    if job["per_s"] is None:
        tell(await closed_loop(lines, requests, seconds=job["seconds"]))
    else:
        tell(await open_loop(lines, requests, seconds=job["seconds"], per_s=job["per_s"]))


if __name__ == "__main__":
    uvloop.run(main())
