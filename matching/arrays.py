"""Arrays that were checked once and can no longer change."""

import numpy as np
from numpy.typing import NDArray

type FloatArray = NDArray[np.float64]
type IntArray = NDArray[np.int64]
type BoolArray = NDArray[np.bool_]

LONGEST_S = 1e9
"""No duration here is longer (31 years): whole deciseconds then never overflow 64 bits."""


def floats(
    values: FloatArray,
    *,
    name: str,
    low: float,
    high: float,
    length: int | None = None,
) -> FloatArray:
    """A read-only copy of `values`: one dimension, every number in [low, high], none missing.

    Refused with ValueError naming `name`, the place and the value: another shape or length, a NaN
    or a number outside the bounds.
    """
    array = np.array(values, dtype=np.float64)
    _check_shape(array.shape, name=name, length=length)
    # A NaN compares false with everything, so it counts as outside.
    outside = ~((array >= low) & (array <= high))
    if outside.any():
        place = int(np.argmax(outside))
        raise ValueError(
            f"{name}[{place}] must be a number from {low:g} to {high:g}, got {array[place]}"
        )
    array.setflags(write=False)
    return array


def positions_in(values: IntArray, *, name: str, size: int, length: int | None = None) -> IntArray:
    """A read-only copy of `values`: one dimension, every whole number in [0, size).

    Refused with ValueError naming `name`, the place and the value: another shape, length or kind
    of number, or a position outside the range.
    """
    given = np.asarray(values)
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise ValueError(f"{name} must hold whole numbers, got {given.dtype}")
    array = np.array(given, dtype=np.int64)
    _check_shape(array.shape, name=name, length=length)
    outside = (array < 0) | (array >= size)
    if outside.any():
        place = int(np.argmax(outside))
        raise ValueError(f"{name}[{place}] must be from 0 to {size - 1}, got {array[place]}")
    array.setflags(write=False)
    return array


def _check_shape(shape: tuple[int, ...], *, name: str, length: int | None) -> None:
    if len(shape) != 1:
        raise ValueError(f"{name} must have one dimension, got shape {shape}")
    if length is not None and shape[0] != length:
        raise ValueError(f"{name} must have {length} entries, got {shape[0]}")
