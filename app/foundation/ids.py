"""Keys: UUID version 7, which sort by the moment they were made."""

import os
import threading
import time
from uuid import UUID

_RANDOM_BITS_B = 62
_TICKS_PER_MS = 1 << 12  # a quarter of a microsecond each

_lock = threading.Lock()
_newest_tick = 0


def new_id() -> UUID:
    """Return a new UUIDv7 (RFC 9562, section 5.7), later than every other one of this process.

    48 bits of milliseconds, 12 bits of the fraction of one (section 6.2, method 3), then
    randomness. Two of one tick, or a clock that was put back, take the next tick instead.
    """
    global _newest_tick  # noqa: PLW0603 - the order of keys is the process's
    with _lock:
        tick = max(time.time_ns() * _TICKS_PER_MS // 1_000_000, _newest_tick + 1)
        _newest_tick = tick
    milliseconds, fraction = divmod(tick, _TICKS_PER_MS)
    high = (milliseconds & 0xFFFF_FFFF_FFFF) << 16 | 0x7000 | fraction
    random = int.from_bytes(os.urandom(8)) & ((1 << _RANDOM_BITS_B) - 1)
    low = 0b10 << _RANDOM_BITS_B | random
    return UUID(int=high << 64 | low)
