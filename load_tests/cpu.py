"""CPU time of a process and of everything it started, as Linux counts it (in steps of 10 ms)."""

import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

_US_PER_TICK = 1e6 / os.sysconf("SC_CLK_TCK")


def family_cpu_us(pid: int) -> float:
    """Return microseconds of CPU of a process and its descendants, ended ones included."""
    children: dict[int, list[int]] = defaultdict(list)
    used: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                one = int(entry.name)
                parent, used[one] = parse_stat((entry / "stat").read_text(encoding="utf-8"))
                children[parent].append(one)
    waiting, ticks = [pid], 0
    while waiting:
        one = waiting.pop()
        ticks += used.get(one, 0)
        waiting += children[one]
    return ticks * _US_PER_TICK


def parse_stat(line: str) -> tuple[int, int]:
    """Return the parent, and the ticks of a process and of its children that were waited for.

    The fields are those of proc_pid_stat(5); the name before them may hold any character.
    """
    fields = line.rpartition(")")[2].split()
    return int(fields[1]), sum(int(ticks) for ticks in fields[11:15])
