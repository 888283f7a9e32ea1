"""Rates with their uncertainty: what a small set can say, and what it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# J. A. Hanley and A. Lippman-Hand: "If nothing goes wrong, is everything all right?" (1983).
_RULE_OF_THREE = 3.0
_RESAMPLES, _SEED = 1_000, 1


@dataclass(frozen=True)
class Rate:
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


def rule_of_three(trials: int) -> float:
    """The upper 95 % bound of a rate of which no case was seen in so many independent trials; at most 1."""
    return min(1.0, _RULE_OF_THREE / trials)


def ratio_by_person(
    parts: Sequence[float] | Floats | npt.NDArray[np.bool_], wholes: Sequence[float] | Floats, people: Sequence[str]
) -> Rate:
    """Sum of parts over sum of wholes, with the interval of a bootstrap that draws whole people.

    Passes and selfies of one person are alike: drawn one by one they would make the interval too narrow. Where every
    resample gives the same, the far bound is that of the rule of three over the people.

    Raises:
        ValueError: the wholes sum to nothing.
    """
    names, index = np.unique(np.array(people), return_inverse=True)
    above = np.bincount(index, weights=np.asarray(parts, float), minlength=len(names))
    below = np.bincount(index, weights=np.asarray(wholes, float), minlength=len(names))
    if below.sum() <= 0:
        raise ValueError("a rate needs something to be a rate of")
    value = float(above.sum() / below.sum())
    draws = np.random.default_rng(_SEED).integers(0, len(names), (_RESAMPLES, len(names)))
    tops, bottoms = above[draws].sum(axis=1), below[draws].sum(axis=1)
    low, high = np.percentile(tops[bottoms > 0] / bottoms[bottoms > 0], [2.5, 97.5])
    if value >= 1:
        low = 1 - rule_of_three(len(names))
    if value <= 0:
        high = rule_of_three(len(names))
    return Rate(value, float(low), float(high))


def threshold_at(impostors: Floats, false_match_rate: float) -> float:
    """The largest threshold at which at most this share of impostor distances is below it."""
    allowed = int(len(impostors) * false_match_rate)
    return float(np.sort(impostors)[allowed])
