"""When the pictures of a span are shown, by their packets, and where there are none. Times are ticks of a stream."""

from collections.abc import Iterator
from itertools import pairwise
from statistics import median_low

# A picture is missing where the next one begins later than after so many times the usual.
_GAP = 1.5


class PictureTimes:
    """Takes the times of packets in decoding order. What is kept grows with the span, not with what lies before it.

    Args:
        start: where the span begins.
        hole: a time without a picture that is longer than this is a hole.
    """

    def __init__(self, start: int, hole: int) -> None:
        self._start = start
        self._hole = hole
        # When each picture of the span ends, by when it begins; in decoding order.
        self._ends: dict[int, int] = {}
        self._end_before: int | None = None
        self._due: int | None = None
        self._has_jump = False

    @property
    def end(self) -> int | None:
        """When the last picture ends; None where there is none."""
        return max(self._ends.values(), default=self._end_before)

    def add(self, shown: int, decoded: int, duration: int) -> None:
        """Takes one picture."""
        end = shown + duration
        if shown < self._start:
            self._end_before = end if self._end_before is None else max(self._end_before, end)
        else:
            self._ends[shown] = end
        self._has_jump = self._has_jump or (self._due is not None and decoded - self._due > self._hole)
        self._due = decoded + duration

    def spoilt_from(self) -> dict[int, int]:
        """For each picture of the span, when the first one begins that is decoded with or after it, and may need it."""
        begins: dict[int, int] = {}
        earliest: int | None = None
        for shown in reversed(self._ends):
            earliest = shown if earliest is None else min(shown, earliest)
            begins[shown] = earliest
        return begins

    def holes(self, sure_end: int | None) -> Iterator[tuple[int, int]]:
        """Yields where no picture is.

        A picture that stands long has a long time to be decoded in; where some are missing, decoding times jump.

        Args:
            sure_end: pictures must reach up to there; None where they need not.
        """
        starts = sorted(self._ends)
        usual = median_low([after - start for start, after in pairwise(starts)]) if len(starts) > 1 else 0
        before, previous = self._end_before, None
        gaps: list[int] = []
        for start in starts:
            if before is not None and start - before > self._hole and self._has_jump:
                yield self._begin(before, gaps), start
            if previous is not None and start - previous > _GAP * usual:
                gaps.append(previous + usual)
            before = max(self._ends[start], before if before is not None else start)
            previous = start
        if sure_end is not None and (self.end is None or sure_end - self.end > self._hole):
            yield self._begin(self.end, gaps) if self.end is not None else self._start, sure_end

    def _begin(self, before: int, gaps: list[int]) -> int:
        """Where pictures are not decoded in the order in which they are shown, the last before a hole may be in it."""
        return min((gap for gap in gaps if 0 <= before - gap <= self._hole), default=before)
