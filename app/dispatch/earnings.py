"""Who earned too little for her hours online: the week's income, net of empty kilometres."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from app.dispatch import queries
from app.foundation.database import Transaction
from matching.arrays import FloatArray
from matching.fairness import underpaid
from matching.problem import Id

WEEK = timedelta(days=7)
# An income changes by a ride, not by a tick: what was read is good for so long.
FRESH = timedelta(seconds=30)
# Two usual fares, until the week's own rides say what is usual; in minor units.
FIRST_SCALE_MINOR = 3000.0


class Earnings:
    """What each driver's last seven days say, read again when it is no longer fresh.

    It only repeats what the database holds: rides driven, ways to riders, shifts. Nothing is lost
    when the program stops. The weight that the assembly gave it is never kept here.
    """

    def __init__(self, *, empty_km_minor: int) -> None:
        self._empty_km_minor = empty_km_minor
        self._read_at: datetime | None = None
        self._underpaid: dict[Id, float] = {}

    async def refresh(self, reader: Transaction, *, now: datetime) -> None:
        """Know the last seven days as they were at most `FRESH` ago."""
        if self._read_at is not None and self._read_at <= now < self._read_at + FRESH:
            return
        rows = await queries.earnings(reader, since=now - WEEK, until=now)
        net_minor = np.array([row["net_minor"] for row in rows], dtype=np.float64)
        empty_km = np.array([row["empty_m"] for row in rows], dtype=np.float64) / 1000
        rides = max(sum(row["rides"] for row in rows), 1)
        share = underpaid(
            net_minor - empty_km * self._empty_km_minor,
            # A shift that another clock began ahead of ours counts from nothing.
            online_s=np.maximum([row["online_s"] for row in rows], 0.0),
            scale_minor=2 * float(net_minor.sum()) / rides or FIRST_SCALE_MINOR,
        )
        ids = [row["driver_id"] for row in rows]
        self._underpaid = dict(zip(ids, share.tolist(), strict=True))
        self._read_at = now

    def underpaid(self, driver_ids: Sequence[Id]) -> FloatArray:
        """From -1 to 1 for each of these drivers, 0 for who was not online in the week."""
        return np.array([self._underpaid.get(one, 0.0) for one in driver_ids], dtype=np.float64)
