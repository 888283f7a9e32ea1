"""The exact prefix bound: which rows of a search can be left out by the first components of their vectors alone.

Let q be the selfie, x a stored vector, t the limit, and _p the first components. A part of a sum of squares is at most
the whole: `|q_p - x_p| <= |q - x|`. What is stored of x_p is r, rounded: `|r - x_p| <= e |x_p|`. So every x within the
limit has `|q_p - r| <= t + e |x_p|`, and `|x_p| <= |q_p| + t`. A row beyond `t + e (|q_p| + t)` is too far as a whole.
That holds for any vectors; only how many rows it leaves out depends on their axes.
"""

import numpy as np
from numpy.typing import NDArray

from streams.ports import Vector

# Of 128. Of vectors shaped like those of dlib's network on their principal axes (`bench/match`) 48 components leave 1
# row of 80 to be looked at as a whole, 56 1 of 250, 64 1 of 660, 80 1 of 2,000. In processor time 72 is the best of 48
# to 88: fewer leave too many rows, more cost their reading.
PREFIX = 72
# A BFloat16 has 8 significant bits, so rounding to the nearest moves a number by at most 1/256 of itself.
_ROUNDING = 2.0**-8
# For the Float32 sums on both sides: a sum of 128 squares is off by at most 130 x 2^-24 < 2^-16 of itself.
_SUMS = 1 + 2.0**-15
# Below the least normal number rounding is no longer in proportion.
_SUBNORMAL = 2.0**-126


def stored_prefix(vector: Vector) -> NDArray[np.float32]:
    """Returns the first components, float32 [72], each rounded to the nearest BFloat16 (ties to even).

    Rounded here, and not by ClickHouse, whose conversion cuts off: what it gets is a BFloat16 already.
    """
    bits = np.ascontiguousarray(vector[:PREFIX], np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return rounded.astype(np.uint32).view(np.float32)


def squared_prefix_limit(vector: Vector, max_distance: float) -> float:
    """The squared distance from a selfie's first components beyond which no stored prefix is within the limit."""
    limit = max_distance * _SUMS
    length = float(np.linalg.norm(vector[:PREFIX].astype(np.float64)))
    return float((limit + _ROUNDING * (length + limit) + _SUBNORMAL) ** 2 * _SUMS)
