"""Jobs of the suite for children: importable by name in a spawned process."""

from streams.outcomes import Invalid
from streams.render.cut_outcome import CutFailed


def subtract(a: int, b: int) -> int:
    return a - b


def emptied(numbers: list[int]) -> int:
    """Changes what it was given."""
    count = len(numbers)
    numbers.clear()
    return count


def refuse(sentence: str) -> None:
    raise Invalid(sentence)


def fail_a_cut(sentence: str) -> None:
    raise CutFailed(sentence)
