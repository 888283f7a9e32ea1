"""Damaged ranges of a source, merged and bounded, and the sentence that names them."""

from collections.abc import Iterable

Range = tuple[int, int]

# A record is written anew with every fact: 100 ranges are 2 KB. A video with more is damaged all over.
MAX_RANGES = 100
_NAMED = 5


def joined(ranges: Iterable[Range], *, gap_ms: int) -> list[Range]:
    """The ranges ascending; those no farther apart than `gap_ms` become one."""
    whole: list[Range] = []
    for start, end in sorted(ranges):
        if whole and start - whole[-1][1] <= gap_ms:
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        else:
            whole.append((start, end))
    return whole


def merged(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """The ranges as few that do not touch, ascending; of more than `MAX_RANGES` the nearest become one.

    Everything that a range covers stays covered. Milliseconds, `[start, end)`.
    """
    whole = joined(ranges, gap_ms=0)
    while len(whole) > MAX_RANGES:
        nearest = min(range(len(whole) - 1), key=lambda at: whole[at + 1][0] - whole[at][1])
        whole[nearest : nearest + 2] = [(whole[nearest][0], whole[nearest + 1][1])]
    return tuple(whole)


def damage_sentence(ranges: tuple[Range, ...]) -> str:
    """What an operator reads of them; the first few by name."""
    named = ", ".join(f"{start / 1000:.1f}-{end / 1000:.1f} s" for start, end in ranges[:_NAMED])
    more = f" and {len(ranges) - _NAMED} more" if len(ranges) > _NAMED else ""
    return f"pictures are damaged or missing: {named}{more}"
