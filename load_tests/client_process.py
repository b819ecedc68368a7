"""A load generator as a process of its own: a job goes in, lines of JSON come out."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

LONGEST_S = 120.0
PAUSE_S = 0.5  # a client stands still so long after its warm-up, while CPU and counts are read
_LONGEST_LINE = 1 << 20


@asynccontextmanager
async def client_process(
    module: str, job: dict[str, Any], *, longest_s: float = LONGEST_S
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Run ``python -m module`` with this job and lend the objects it prints; it ends with us.

    It has ``longest_s`` for all of it.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
    assert process.stdin is not None
    try:
        async with asyncio.timeout(longest_s):
            process.stdin.write(orjson.dumps(job))
            await process.stdin.drain()
            process.stdin.close()
            yield _lines(process)
            if await process.wait() != 0:
                raise RuntimeError(f"{module} failed with exit code {process.returncode}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _lines(process: asyncio.subprocess.Process) -> AsyncIterator[dict[str, Any]]:
    assert process.stdout is not None
    async for line in process.stdout:
        yield orjson.loads(line)


def read_job() -> dict[str, Any]:
    """In the child: return the job."""
    job: dict[str, Any] = orjson.loads(sys.stdin.buffer.read())
    return job


def tell(said: dict[str, Any]) -> None:
    """In the child: print one object, at once."""
    sys.stdout.buffer.write(orjson.dumps(said) + b"\n")
    sys.stdout.buffer.flush()
