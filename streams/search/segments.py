"""From sightings to one clip window per source: a pure decision (docs/segments.md has the rules in words)."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from operator import attrgetter


@dataclass(frozen=True, kw_only=True, order=True)
class Sighting:
    """A face track of a source that matched the selfie; times are ms on the source's own timeline.

    ``sample_times_ms`` are the sampled pictures in which the face was seen, ``best_distance`` the smallest distance
    to the selfie among its vectors (smaller is more alike).
    """

    source_video_key: str
    start_ms: int
    end_ms: int
    track: str
    sample_times_ms: tuple[int, ...]
    best_distance: float


@dataclass(frozen=True, kw_only=True)
class SegmentPolicy:
    """An event's clip settings, in ms.

    ``min_samples`` is 2: one sampled picture alone is more often a lookalike than the person.
    """

    max_clip_ms: int
    min_segment_ms: int
    max_gap_ms: int
    padding_start_ms: int
    padding_end_ms: int
    min_samples: int = 2

    def __post_init__(self) -> None:
        if self.max_clip_ms <= 0:
            raise ValueError("max_clip_ms must be above 0")
        if min(self.min_segment_ms, self.max_gap_ms, self.padding_start_ms, self.padding_end_ms) < 0:
            raise ValueError("lengths, gaps and paddings must not be below 0")


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Sightings of one source merged by the gap rule, before padding."""

    source_video_key: str
    start_ms: int
    end_ms: int
    sample_times_ms: tuple[int, ...]
    sightings: tuple[Sighting, ...]


@dataclass(frozen=True, kw_only=True)
class Window:
    """What becomes a clip: ``[start_ms, end_ms)`` of the source, with the measure by which it was chosen."""

    source_video_key: str
    start_ms: int
    end_ms: int
    samples: int
    best_distance: float


class SegmentOutcome(StrEnum):
    """How the planning ended; the first two are statuses of the public API."""

    NO_MATCHES = "no_matches"
    NO_SEGMENTS = "no_segments"
    WINDOWS = "windows"


@dataclass(frozen=True, kw_only=True)
class SegmentPlan:
    """At most one window per source, ordered by source key; empty unless the outcome is ``WINDOWS``."""

    outcome: SegmentOutcome
    windows: tuple[Window, ...] = ()


def plan_windows(sightings: Iterable[Sighting], policy: SegmentPolicy, durations_ms: Mapping[str, int]) -> SegmentPlan:
    """Merges sightings into segments and picks the best window of each source.

    The order of ``sightings`` and repeats among them change nothing.

    Args:
        sightings: All sightings of one search.
        policy: The event's settings.
        durations_ms: The duration of every source that has a sighting.

    Raises:
        ValueError: A source of a sighting has no duration.
    """
    ordered = sorted({replace(s, sample_times_ms=tuple(sorted(set(s.sample_times_ms)))) for s in sightings})
    if not ordered:
        return SegmentPlan(outcome=SegmentOutcome.NO_MATCHES)
    windows: list[Window] = []
    for source, group in groupby(ordered, key=attrgetter("source_video_key")):
        if source not in durations_ms:
            raise ValueError("a sighting's source has no duration")
        candidates = [
            window
            for segment in merge(tuple(group), policy.max_gap_ms)
            if is_usable(segment, policy)
            for window in candidate_windows(segment, policy, durations_ms[source])
        ]
        if candidates:
            windows.append(min(candidates, key=_preference))
    if not windows:
        return SegmentPlan(outcome=SegmentOutcome.NO_SEGMENTS)
    return SegmentPlan(outcome=SegmentOutcome.WINDOWS, windows=tuple(windows))


def merge(sightings: Sequence[Sighting], max_gap_ms: int) -> list[Segment]:
    """Joins sightings of one source whose gap is at most ``max_gap_ms``; ``sightings`` are sorted by start."""
    runs: list[list[Sighting]] = []
    end_ms = 0
    for sighting in sightings:
        if runs and sighting.start_ms - end_ms <= max_gap_ms:
            runs[-1].append(sighting)
            end_ms = max(end_ms, sighting.end_ms)
        else:
            runs.append([sighting])
            end_ms = sighting.end_ms
    return [
        Segment(
            source_video_key=run[0].source_video_key,
            start_ms=run[0].start_ms,
            end_ms=max(sighting.end_ms for sighting in run),
            sample_times_ms=tuple(sorted({time for sighting in run for time in sighting.sample_times_ms})),
            sightings=tuple(run),
        )
        for run in runs
    ]


def is_usable(segment: Segment, policy: SegmentPolicy) -> bool:
    """A segment must be seen often enough and, before padding, for long enough."""
    long_enough = segment.end_ms - segment.start_ms >= policy.min_segment_ms
    return long_enough and len(segment.sample_times_ms) >= policy.min_samples


def candidate_windows(segment: Segment, policy: SegmentPolicy, duration_ms: int) -> list[Window]:
    """The windows of the padded segment that see most samples: the whole of it where it fits.

    A window of fixed length that sees most samples can always be moved until it begins at a sample or touches the
    segment's end, so these starts are enough; those a padding earlier come in so that a tie keeps the padding.
    """
    first_ms = max(0, segment.start_ms - policy.padding_start_ms)
    last_ms = min(duration_ms, segment.end_ms + policy.padding_end_ms)
    length_ms = min(policy.max_clip_ms, last_ms - first_ms)
    if length_ms <= 0:
        return []
    wanted = {first_ms, last_ms - length_ms}
    for time_ms in segment.sample_times_ms:
        wanted |= {time_ms, time_ms - policy.padding_start_ms}
    starts = sorted({min(max(start_ms, first_ms), last_ms - length_ms) for start_ms in wanted})
    counts = [_count(segment.sample_times_ms, start_ms, start_ms + length_ms) for start_ms in starts]
    most = max(counts)
    if most == 0:
        return []
    return [
        Window(
            source_video_key=segment.source_video_key,
            start_ms=start_ms,
            end_ms=start_ms + length_ms,
            samples=count,
            best_distance=min(
                sighting.best_distance
                for sighting in segment.sightings
                if _count(sighting.sample_times_ms, start_ms, start_ms + length_ms)
            ),
        )
        for start_ms, count in zip(starts, counts, strict=True)
        if count == most
    ]


def _count(times_ms: Sequence[int], start_ms: int, end_ms: int) -> int:
    """How many of the sorted times lie in ``[start_ms, end_ms)``."""
    return bisect_left(times_ms, end_ms) - bisect_left(times_ms, start_ms)


def _preference(window: Window) -> tuple[int, float, int]:
    return (-window.samples, window.best_distance, window.start_ms)
