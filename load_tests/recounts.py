"""`meent-verify` as members run it: a process of its own on a file, timed."""

import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

VERIFY_TIMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Recounts:
    """`meent-verify` on the exported package, run as a process: medians, and what it said."""

    seconds: float
    cpu_us: float
    said: str
    is_faultless: bool


def recount_as_process(package: bytes, *, receipts: list[Any], folder: Path) -> Recounts:
    """Run `meent-verify` on files, as a member does, a few times; wall clock and CPU."""
    file = folder / "package.json"
    file.write_bytes(package)
    command = [str(Path(sys.executable).with_name("meent-verify")), str(file)]
    for number, receipt in enumerate(receipts):
        kept = folder / f"receipt-{number}.json"
        kept.write_bytes(orjson.dumps(receipt))
        command += ["--receipt", str(kept)]
    seconds, cpu_us = [], []
    for _ in range(VERIFY_TIMES):
        begun, used = time.perf_counter(), _children_cpu_us()
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds.append(time.perf_counter() - begun)
        cpu_us.append(_children_cpu_us() - used)
    return Recounts(
        seconds=statistics.median(seconds),
        cpu_us=statistics.median(cpu_us),
        said=ended.stdout,
        is_faultless=ended.returncode == 0,
    )


def _children_cpu_us() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1e6
