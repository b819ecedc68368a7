"""Driver telephones on real WebSockets, in one process: positions at moments fixed beforehand."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import uvloop
from websockets.asyncio.client import ClientConnection, connect

from load_tests.client_process import read_job, tell
from load_tests.figures import arrivals, percentile

SEED = 2026
PROBE_EVERY = 20  # one position in so many is followed by a ping
PONG_S = 10.0
_STEP_DEG = 0.0001  # 11 m north in a second: an unhurried car


@dataclass(slots=True)
class Phone:
    """One driver's socket; its positions are a second of device time apart."""

    socket: ClientConnection
    device_at: datetime
    lat: float
    pinged_s: list[float] = field(default_factory=list)  # intended moments, oldest first
    took_ms: list[float] = field(default_factory=list)

    def position(self) -> str:
        """Return the next position as a frame."""
        self.device_at += timedelta(seconds=1)
        self.lat += _STEP_DEG
        said = {"type": "position", "lat": self.lat, "lng": 9.52, "at": self.device_at.isoformat()}
        return orjson.dumps(said).decode()

    async def listen(self) -> None:
        """Note how long each pong took, until the socket is closed."""
        async for frame in self.socket:
            if orjson.loads(frame)["type"] == "pong":
                self.took_ms.append((time.perf_counter() - self.pinged_s.pop(0)) * 1000)


async def open_phone(url: str, *, ticket: str, lat: float) -> Phone:
    """Return a telephone that was welcomed; its device's clock shows ours."""
    socket = await connect(url, compression=None, open_timeout=20, ping_interval=None)
    await socket.send(orjson.dumps({"type": "hello", "ticket": ticket}).decode())
    welcome = orjson.loads(await asyncio.wait_for(socket.recv(), 20))
    assert welcome["type"] == "welcome", welcome
    return Phone(socket, datetime.now(UTC), lat)


async def send_round(phones: list[Phone], *, per_s: float, seconds: float) -> dict[str, Any]:
    """Send at a Poisson stream's moments, each telephone in its turn; say how late it was."""
    begun_s = time.perf_counter()
    late_ms = []
    for number, after_s in enumerate(arrivals(per_s=per_s, seconds=seconds, seed=SEED)):
        due_s = begun_s + after_s
        ahead_s = due_s - time.perf_counter()
        if ahead_s > 0:
            await asyncio.sleep(ahead_s)
        phone = phones[number % len(phones)]
        await phone.socket.send(phone.position())
        late_ms.append((time.perf_counter() - due_s) * 1000)
        if number % PROBE_EVERY == 0:
            phone.pinged_s.append(due_s)
            await phone.socket.send('{"type":"ping"}')
    elapsed_s = time.perf_counter() - begun_s
    async with asyncio.timeout(PONG_S):
        while any(phone.pinged_s for phone in phones):  # noqa: ASYNC110 -- 500 sockets, one wait
            await asyncio.sleep(0.02)
    took_ms = [one for phone in phones for one in phone.took_ms]
    return {
        "sent": len(late_ms),
        "seconds": elapsed_s,
        "p50_ms": percentile(took_ms, 0.5),
        "p99_ms": percentile(took_ms, 0.99),
        "client_late_p99_ms": percentile(late_ms, 0.99),
    }


async def main() -> None:
    """Connect, stand idle, warm up, send; say each time that it is done."""
    job = read_job()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        phones = []
        for number, ticket in enumerate(job["tickets"]):
            lat = 47.05 + number * 0.0003
            phone = await open_phone(job["url"], ticket=ticket, lat=lat)
            stack.push_async_callback(phone.socket.close)
            tasks.create_task(phone.listen())
            phones.append(phone)
        tell({"connected": len(phones)})
        await asyncio.sleep(job["idle_s"])
        tell({"idle": True})
        for phone in phones:
            phone.device_at = datetime.now(UTC) - timedelta(seconds=job["behind_s"])
        await send_round(phones, per_s=len(phones), seconds=1.0)
        tell({"warm": True})
        await asyncio.sleep(job["pause_s"])
        tell(await send_round(phones, per_s=job["per_s"], seconds=job["seconds"]))
        for phone in phones:
            await phone.socket.close()


if __name__ == "__main__":
    uvloop.run(main())
