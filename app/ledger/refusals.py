"""Which refusal of the database is which problem: one table for whoever posts."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

import asyncpg

from app.foundation.problems import Problem
from app.ledger.errors import (
    BalanceTooLow,
    BookingIsFinal,
    HoldEndedBefore,
    JournalReversedBefore,
    MoneyStands,
    PeriodCannotBeClosed,
    PeriodIsClosed,
    SealAwaited,
)

# The name of a broken constraint, or the code that a function of the migration raises.
REFUSALS: MappingProxyType[str, type[Problem]] = MappingProxyType(
    {
        "never_below_the_limit": BalanceTooLow,
        "hold_end_pkey": HoldEndedBefore,
        "a_journal_is_reversed_once": JournalReversedBefore,
        "MN021": PeriodIsClosed,
        "MN022": BookingIsFinal,
        "MN024": PeriodCannotBeClosed,
        "MN025": BookingIsFinal,
        "MN070": MoneyStands,
        "MN071": SealAwaited,
    }
)


@contextmanager
def refusing() -> Iterator[None]:
    """Let what the books refuse rise as the problem that says so; other errors rise as they are."""
    try:
        yield
    except asyncpg.PostgresError as refused:
        problem = REFUSALS.get(refused.constraint_name or refused.sqlstate or "")
        if problem is None:
            raise
        raise problem from refused
