"""Draws the members who write the pages for and against a proposal, so that all can check it."""

import hashlib
from collections.abc import Iterable


def draw_panel(members: Iterable[str], *, size: int, randomness: bytes) -> tuple[str, ...]:
    """Return a panel drawn by lot from members, in the order of the draw.

    Each member's lot is SHA-256 of the length of `randomness` in 4 bytes, `randomness` and the
    id; the smallest lots win. The randomness must be public and come into being after the list
    of members is fixed (a lottery, a sealed head of a sister cooperative): then nobody chooses,
    everybody recomputes, and leaving one member out changes no other's place. Fewer members than
    `size` are all drawn. Refused (ValueError): a size below 1, less than 16 bytes of randomness,
    a member twice.
    """
    ids = list(members)
    if size < 1 or len(randomness) < 16:
        raise ValueError("a draw needs a size of 1 or more and 16 bytes of randomness or more")
    if len(set(ids)) != len(ids):
        raise ValueError("a member is listed twice")
    opening = len(randomness).to_bytes(4) + randomness
    lots = sorted(ids, key=lambda member: hashlib.sha256(opening + member.encode()).digest())
    return tuple(lots[:size])
