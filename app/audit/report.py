"""Checks in one snapshot of the database that what the cooperative was promised is still true."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from app.audit import elections, invariants, seals, surplus
from app.dispatch.replaying import replay_newest, replay_newest_pools
from app.foundation import metrics
from app.foundation.database import Transaction

# Long books take long to add up; somebody waits for the answer, but not for ever.
STATEMENT_TIMEOUT_S = 600
# Some seconds' work; what is older was the newest when it was audited before.
NEWEST_ROUNDS = 500
REPLAY = "stored rounds replay to the same result"


@dataclass(frozen=True, slots=True)
class Check:
    """What came of one invariant: how much was looked at, and the first thing that breaks it."""

    name: str
    promise: str
    counted: int
    violations: int
    first: str | None


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Every invariant, in the order of the promises."""

    checks: tuple[Check, ...]

    @property
    def violations(self) -> int:
        """How many things break a promise, over all checks."""
        return sum(check.violations for check in self.checks)

    @property
    def first_violation(self) -> str | None:
        """The first broken promise in plain words; None where all are kept."""
        for check in self.checks:
            if check.violations:
                return f"{check.promise} {check.name}: {check.first}"
        return None

    def as_json(self) -> dict[str, Any]:
        """Return the report for machines."""
        return {
            "violations": self.violations,
            "first_violation": self.first_violation,
            "checks": [asdict(check) for check in self.checks],
        }


async def audit(connection: Any, *, heard: Callable[[Check], None] | None = None) -> AuditReport:
    """Return what every invariant finds in one snapshot; nothing is written and nobody waits.

    ``connection`` is asyncpg's, of a user who may read all tables. ``heard`` is told each check
    as it ends. The metric of violations shows this report from now on.
    """
    checks = []
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(f"set local statement_timeout = '{STATEMENT_TIMEOUT_S}s'")
        for invariant in invariants.ALL:
            # Each statement lists what it looks at, with a sentence beside what is wrong.
            row = await connection.fetchrow(
                "select count(*) as counted, count(fault) as violations, min(fault) as first"  # noqa: S608 - constants
                f" from ({invariant.sql}) as seen",
                timeout=STATEMENT_TIMEOUT_S,
            )
            checks.append(Check(invariant.name, invariant.promise, **dict(row)))
            if heard is not None:
                heard(checks[-1])
        for look in (_recount, _recount_periods, _recount_seals, _replay):
            checks.append(await look(connection))
            if heard is not None:
                heard(checks[-1])
    report = AuditReport(tuple(checks))
    metrics.INVARIANT_VIOLATIONS.set(report.violations)
    return report


async def _recount(connection: Any) -> Check:
    """Return what comes of recounting every vote from its box: no statement checks signatures."""
    done = await elections.recount_voted(connection)
    return Check(
        elections.RECOUNT, "G7", done.counted, len(done.faults), min(done.faults, default=None)
    )


async def _recount_periods(connection: Any) -> Check:
    """Return what comes of working closed periods out again: no statement divides to the cent."""
    done = await surplus.recount_closed(connection)
    return Check(
        surplus.RECOUNT, "G5", done.counted, len(done.faults), min(done.faults, default=None)
    )


async def _recount_seals(connection: Any) -> Check:
    """Return what comes of working every sealed block out again: no statement hashes."""
    done = await seals.recount_seals(connection)
    first = min(done.faults, default=None)
    return Check(seals.RECOUNT, "G5", done.counted, len(done.faults), first)


async def _replay(connection: Any) -> Check:
    """Return what comes of deciding the newest rounds of dispatch again: no statement can do that.

    Each offer must be one that its round decided, and be explained whole.
    """
    reader = Transaction(connection)
    rounds = await replay_newest(reader, newest=NEWEST_ROUNDS)
    faults = [f"round {one.tick_id} {one.fault}" for one in rounds if one.fault is not None]
    pools = await replay_newest_pools(reader, newest=NEWEST_ROUNDS)
    faults += [f"round {one.tick_id} {one.fault}" for one in pools if one.fault is not None]
    counted = len(rounds) + len(pools)
    return Check(REPLAY, "G9", counted, len(faults), min(faults, default=None))
