"""Keys: UUID version 7, which sort by the moment they were made."""

import os
import time
from uuid import UUID

_RANDOM_BITS_B = 62


def new_id() -> UUID:
    """Return a new UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, then randomness."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    high = (milliseconds & 0xFFFF_FFFF_FFFF) << 16 | 0x7000 | (random >> 68) & 0x0FFF
    low = 0b10 << _RANDOM_BITS_B | random & ((1 << _RANDOM_BITS_B) - 1)
    return UUID(int=high << 64 | low)
