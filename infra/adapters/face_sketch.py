"""The exact bound of a search: which rows can be left out by a sketch of their vectors alone.

A stored vector's sketch is its first components, kept within a range, scaled, and rounded to whole numbers: a byte
each (the column `sketch` of `face_vectors`, which ClickHouse computes of each vector). Let q be the selfie, x a stored
vector, t the limit, and _p the first components within the range.

A part of a sum of squares is at most the whole, and keeping two points within a box never moves them apart (it is a
projection onto a convex set): `|q_p - x_p| <= |q - x|`. Rounding moves each of n numbers by at most a half: the sketch
r has `|r - scale x_p| <= sqrt(n) / 2`. So every x within the limit has `|scale q_p - r| <= scale t + sqrt(n) / 2`; a
row beyond is too far as a whole. That holds for any vectors; only how many rows are left out depends on their axes and
size.
"""

import numpy as np
from numpy.typing import NDArray

from streams.ports import Vector

# Of 128. Vectors of dlib's network on their principal axes have nothing beyond the 88th (its last layer's rank), and
# hardly anything beyond this one: as many rows are left as with 88, for a tenth less of reading and arithmetic.
SKETCHED = 80
# For components up to 0.7: of a million vectors shaped like those of the network (`bench/match`) the largest was 0.698.
# With these steps the limit of 0.5 becomes 0.525.
SCALE = 180.0
_FULL = 127.0
# For the Float32 arithmetic of both sides: scaled components are off by at most 2^-17 each, together by 2^-15 of the
# least limit, and a sum of 80 squares by less than 2^-17 of itself.
_SUMS = 1 + 2.0**-14


def asked_sketch(vector: Vector) -> NDArray[np.float32]:
    """The selfie's side: float32 [80], scaled like a sketch but not rounded, which a scan is no dearer for."""
    scaled: NDArray[np.float32] = vector[:SKETCHED] * np.float32(SCALE)
    return scaled.clip(-_FULL, _FULL)


def squared_sketch_limit(max_distance: float) -> float:
    """The squared distance from `asked_sketch` beyond which no sketch is of a vector within the limit."""
    return float(((SCALE * max_distance + SKETCHED**0.5 / 2) * _SUMS) ** 2)
