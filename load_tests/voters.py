"""Members' devices in a process of their own: each fetches its stamps, waits, and casts.

`python -m load_tests.voters`; the client is the one that `meent vote` uses, unchanged. Twice it
says "ready", stands still for a moment, works through all members, and says what it took.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx

from app.voting.client import Voter
from app.voting.connection import open_http
from app.voting.wallet import Wallet
from load_tests.client_process import PAUSE_S, read_job, tell

RECEIPTS_TOLD = 5
_LOOK_AGAIN_S = 0.3


class Stopwatch:
    """How long each kind of request took, in seconds, as the device sees it."""

    def __init__(self) -> None:
        self.times_s: dict[str, list[float]] = {}

    def open_http(self) -> httpx.AsyncClient:
        """The client's own HTTP, each request timed from sending to the answer's last byte."""
        client = open_http()
        inner = client.request

        async def request(method: str, url: str, **rest: Any) -> httpx.Response:
            begun = time.perf_counter()
            answer = await inner(method, url, **rest)
            kind = url.rpartition("/")[2] if method == "POST" else "read"
            self.times_s.setdefault(kind, []).append(time.perf_counter() - begun)
            return answer

        client.request = request  # type: ignore[method-assign,assignment]
        return client


async def vote(job: dict[str, Any]) -> None:
    """Both halves of the job, each told about."""
    watch, election = Stopwatch(), job["election"]
    voters = [
        Voter(
            Wallet(member_key=one["key"]),
            server=job["server"],
            token=one["token"],
            open_http=watch.open_http,
        )
        for one in job["voters"]
    ]

    async def issue(number: int) -> None:
        await voters[number].get_credentials(election)

    async def cast(number: int) -> None:
        await voters[number].cast(
            election, job["voters"][number]["value"], at_random_within=timedelta(0)
        )

    await _work(issue, count=len(voters), at_once=job["at_once"], watch=watch)
    await _until_open(voters[0], election)
    await _work(cast, count=len(voters), at_once=job["at_once"], watch=watch)
    kept = [voter.wallet.votes[election].ballots[-1].receipt for voter in voters[:RECEIPTS_TOLD]]
    tell({"said": "receipts", "receipts": kept})


async def _until_open(voter: Voter, election: str) -> None:
    path = f"/v1/elections/{election}"
    while (await voter.cooperative.look(path))["stage"] != "voting":  # noqa: ASYNC110 -- over HTTP
        await asyncio.sleep(_LOOK_AGAIN_S)


async def _work(
    act: Callable[[int], Awaitable[None]], *, count: int, at_once: int, watch: Stopwatch
) -> None:
    """Do it for every member, so many at once; say when it began and how it went."""
    tell({"said": "ready"})
    await asyncio.sleep(PAUSE_S)
    watch.times_s.clear()
    begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
    turns, whole_s = iter(range(count)), list[float]()

    async def one_after_another() -> None:
        for number in turns:
            begun = time.perf_counter()
            await act(number)
            whole_s.append(time.perf_counter() - begun)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(at_once):
            tasks.create_task(one_after_another())
    tell(
        {
            "said": "done",
            "seconds": time.perf_counter() - begun_s,
            "cpu_us": (time.process_time() - begun_cpu_s) * 1e6,
            "whole_s": whole_s,
            "times_s": watch.times_s,
        }
    )


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(vote(read_job()))
