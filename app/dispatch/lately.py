"""Where riders asked lately: what tells near whom the next ones will."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from matching.arrays import FloatArray
from matching.sought_after import RECENT_S, sought_after

MOST = 20_000  # requests remembered at most; the oldest go first


class LatelyAsked:
    """The pickups of the last quarter of an hour, as the rounds of dispatch saw them.

    It is kept in this process alone: after a restart it fills again within that time, and until
    then drivers are sent as if nothing were expected anywhere.
    """

    def __init__(self) -> None:
        self._pickups: dict[UUID, tuple[datetime, float, float]] = {}

    def see(self, rides: Sequence[Any], *, now: datetime) -> None:
        """The waiting rides of a round are remembered, and who asked too long ago forgotten."""
        for ride in rides:
            self._pickups.setdefault(ride["id"], (now, ride["pickup_lat"], ride["pickup_lng"]))
        since = now - timedelta(seconds=RECENT_S)
        # A dict keeps the order in which it was filled: the oldest come first.
        for ride_id in list(self._pickups):
            if self._pickups[ride_id][0] >= since and len(self._pickups) <= MOST:
                break
            del self._pickups[ride_id]

    def sought_after(self, *, lat: FloatArray, lng: FloatArray) -> FloatArray:
        """Per driver from 0 to 1 how sure it is that another rider will ask near her soon."""
        asked = np.array([(lat, lng) for _, lat, lng in self._pickups.values()]).reshape(-1, 2)
        return sought_after(
            lat=lat,
            lng=lng,
            asked_lat=np.ascontiguousarray(asked[:, 0]),
            asked_lng=np.ascontiguousarray(asked[:, 1]),
        )
