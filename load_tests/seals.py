"""Seals the books while 32 clients post: none is missed, no chain breaks, and who is slowed down.

`python -m load_tests.seals [--rounds 2] [--seconds 30] [--json FILE]`. PostgreSQL's own pgbench
posts fares by the program's one function on a durable server of its own, in turns without and
with the sealer, which keeps the program's pace. What a turn leaves unsealed is sealed before the
next one. At the end every block is worked out again; then one row is changed behind all guards,
and exactly its block must be named. Only the ratio of turns of one round is a goal.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.foundation.database import Database, Transaction, open_database
from app.foundation.hints import Hints
from app.ledger.seal_recount import verify_seals
from app.ledger.seals import keep_sealed
from app.main import SEALS_PACE_S
from load_tests.goals import Goal, goals_table
from load_tests.ledger import CLIENTS, FUNCTION, Bench, open_bench

LEAST_OF_UNSEALED = 0.9
_CHANGE = "update transfer set amount_minor = amount_minor + 1 where journal_id = $1 and line = 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Rides posted a second without and with the sealer, and the journals it sealed meanwhile."""

    unsealed: float
    sealed: float
    sealed_meanwhile: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the books look like at the end, and what a changed row leads to."""

    journals: int
    blocks: int
    missed: int
    faults: int
    checked_s: float
    wrongly_named: int


@asynccontextmanager
async def _sealing(database: Database, home: Path) -> AsyncIterator[list[int]]:
    """Seal at the program's pace beside the block; the list tells how many in each round."""
    counts: list[int] = []

    async def seal() -> None:
        while True:
            counts.append(await keep_sealed(database, home=home, now=datetime.now(UTC)))
            await asyncio.sleep(SEALS_PACE_S)

    task = asyncio.create_task(seal())
    try:
        yield counts
    finally:
        task.cancel()
        # A sealer that gave up on the way would measure nothing: let its error out.
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _drain(database: Database, home: Path) -> None:
    while await keep_sealed(database, home=home, now=datetime.now(UTC)):
        pass


async def _round(bench: Bench, database: Database, home: Path, *, seconds: int) -> Round:
    unsealed = await bench.rides_per_s(FUNCTION, seconds=seconds)
    await _drain(database, home)
    async with _sealing(database, home) as counts:
        sealed = await bench.rides_per_s(FUNCTION, seconds=seconds)
    await _drain(database, home)
    return Round(unsealed=unsealed, sealed=sealed, sealed_meanwhile=sum(counts))


async def _outcome(bench: Bench) -> Outcome:
    reader, owner = Transaction(bench.owner), bench.owner
    begun_s = time.perf_counter()
    clean = await verify_seals(reader)
    checked_s = time.perf_counter() - begun_s
    journals, sealed = await owner.fetchrow(
        "select (select count(*) from journal), (select count(*) from journal j"
        " join seal_leaf l on l.journal_id = j.id join seal s on s.height = l.height)"
    )
    changed = await owner.fetchrow(
        "select journal_id, height from seal_leaf order by journal_id offset $1 limit 1",
        journals // 2,
    )
    await owner.execute("set session_replication_role = replica")
    await owner.execute(_CHANGE, changed["journal_id"])
    await owner.execute("set session_replication_role = origin")
    named = (await verify_seals(reader)).faults
    start, journal = f"block {changed['height']} (", f"journal {changed['journal_id']} was changed"
    is_right = len(named) == 1 and named[0].startswith(start) and journal in named[0]
    return Outcome(
        journals=journals,
        blocks=clean.counted,
        missed=journals - sealed,
        faults=len(clean.faults),
        checked_s=checked_s,
        wrongly_named=not is_right,
    )


async def measure(*, rounds: int, seconds: int) -> tuple[list[Round], Outcome]:
    """Return the rounds, and what the books look like at the end."""
    with tempfile.TemporaryDirectory(prefix="meent-seals-") as folder:
        home = Path(folder)
        async with open_bench() as bench:
            await bench.rides_per_s(FUNCTION, seconds=1)  # Caches and files are warm from here on.
            async with open_database(bench.dsn, hints=Hints(), size=3) as database:
                await _drain(database, home)
                done = [await _round(bench, database, home, seconds=seconds) for _ in range(rounds)]
                return done, await _outcome(bench)


def goals_of(rounds: Sequence[Round], outcome: Outcome) -> list[Goal]:
    """Return the goals: the median of each round's own ratio, and what must not be at all."""
    ratio = statistics.median(one.sealed / one.unsealed for one in rounds)
    return [
        Goal(
            what="posting with the sealer, times without", value=ratio, at_least=LEAST_OF_UNSEALED
        ),
        Goal(what="journals missed", value=outcome.missed, at_most=0),
        Goal(what="broken links and roots", value=outcome.faults, at_most=0),
        Goal(what="changed rows not named by block", value=outcome.wrongly_named, at_most=0),
    ]


def main() -> None:
    """Measure, print what was met and what was not, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=30, help="of each turn of a round")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    asked = parser.parse_args()
    rounds, outcome = asyncio.run(measure(rounds=asked.rounds, seconds=asked.seconds))
    goals = goals_of(rounds, outcome)
    table = Table("rides a second", "unsealed", "sealed", "sealed meanwhile", title_justify="left")
    for number, one in enumerate(rounds, start=1):
        counts = (one.unsealed, one.sealed, one.sealed_meanwhile)
        table.add_row(f"round {number}", *(f"{count:,.0f}" for count in counts))
    console = Console(width=110)
    console.print(table)
    console.print(
        f"{outcome.journals:,} journals in {outcome.blocks:,} blocks,"
        f" worked out again in {outcome.checked_s:.1f} s"
    )
    console.print(goals_table(goals, title=f"sealing beside {CLIENTS} clients"))
    if asked.json:
        figures = {
            "rounds": [asdict(one) for one in rounds],
            "outcome": asdict(outcome),
            "goals": [goal.as_json() for goal in goals],
        }
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    sys.exit(not all(goal.is_met for goal in goals))


if __name__ == "__main__":
    main()
