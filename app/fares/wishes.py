"""What is to be priced, and who says when a shared ride would come."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.roads.service import CalibratedRoute


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be priced: the way, for how many, when, and whether others may ride along.

    The estimates promise nothing; that of the arrival is for shared rides.
    """

    route: CalibratedRoute
    seats: int = 1
    is_shared: bool = False
    with_wheelchair: bool = False
    pickup_at: datetime | None = None
    pickup_eta_s: int | None = None
    arrival_eta_s: int | None = None


@dataclass(frozen=True, slots=True)
class SharedTimes:
    """When who shares would be fetched and would arrive, in seconds from now."""

    pickup_s: float
    arrival_s: float


class EstimateShared(Protocol):
    """Says where a party would best join the cars under way; a higher room knows them."""

    async def __call__(
        self, route: CalibratedRoute, *, seats: int, now: datetime
    ) -> SharedTimes | None:
        """Return when, or None where nobody could come within the limits."""
        ...
