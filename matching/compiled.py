"""Numba's compiler for the inner loops, keeping the types of what it compiles."""

from collections.abc import Callable
from typing import cast

from numba import njit


def compiled[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code: made at its first call, kept on disk, run without the lock.

    Without Python's global lock a long loop in a thread does not hold up the event loop.
    """
    return cast("Callable[P, R]", njit(cache=True, nogil=True)(function))


def inlined[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """A part of compiled functions, copied into each: a call would count its arrays' references."""
    return cast("Callable[P, R]", njit(inline="always")(function))
