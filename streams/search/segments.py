"""From sightings to one clip window per source: a pure decision (docs/segments.md has the rules in words)."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

from schemas.searches import Sighting, Stopped, StopRule
from schemas.settings import ClipSettings


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


def policy_of(settings: ClipSettings) -> SegmentPolicy:
    """The part of an event's settings that decides windows, in whole ms."""
    return SegmentPolicy(
        max_clip_ms=round(settings.max_clip_s * 1000),
        min_segment_ms=round(settings.min_segment_s * 1000),
        max_gap_ms=round(settings.max_gap_s * 1000),
        padding_start_ms=round(settings.padding_start_s * 1000),
        padding_end_ms=round(settings.padding_end_s * 1000),
    )


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Sightings of one source merged by the gap rule, before padding.

    ``sample_times_ms`` are distinct and ascending; ``distances`` has, for each, the smallest distance of the sightings
    that were sampled then.
    """

    source_video_key: str
    start_ms: int
    end_ms: int
    sample_times_ms: tuple[int, ...]
    distances: tuple[float, ...]

    @property
    def length_ms(self) -> int:
        """From the first to the last moment, before padding."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, kw_only=True)
class PlannedWindow:
    """What becomes a clip: ``[start_ms, end_ms)`` of the source, with the measure by which it was chosen."""

    source_video_key: str
    start_ms: int
    end_ms: int
    samples: int
    distance: float


class SegmentOutcome(StrEnum):
    """How the planning ended; the first two are statuses of the public API."""

    NO_MATCHES = "no_matches"
    NO_SEGMENTS = "no_segments"
    WINDOWS = "windows"


@dataclass(frozen=True, kw_only=True)
class SegmentPlan:
    """At most one window per source, ordered by source key; empty unless the outcome is ``WINDOWS``.

    ``stopped_by`` is there after ``NO_SEGMENTS``: the rule that the best segment did not pass.
    """

    outcome: SegmentOutcome
    windows: tuple[PlannedWindow, ...] = ()
    stopped_by: Stopped | None = None


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
    ordered = sorted(sightings, key=attrgetter("source_video_key", "start_ms"))
    if not ordered:
        return SegmentPlan(outcome=SegmentOutcome.NO_MATCHES)
    windows: list[PlannedWindow] = []
    seen: list[Segment] = []
    for source, group in groupby(ordered, key=attrgetter("source_video_key")):
        if source not in durations_ms:
            raise ValueError("a sighting's source has no duration")
        segments = merge(tuple(group), policy.max_gap_ms)
        seen += segments
        candidates = [
            window
            for segment in segments
            if is_usable(segment, policy)
            for window in candidate_windows(segment, policy, durations_ms[source])
        ]
        if candidates:
            windows.append(min(candidates, key=_preference))
    if not windows:
        return SegmentPlan(outcome=SegmentOutcome.NO_SEGMENTS, stopped_by=rule_not_passed(seen, policy))
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
    return [_segment(run) for run in runs]


def _segment(run: Sequence[Sighting]) -> Segment:
    nearest: dict[int, float] = {}
    for sighting in run:
        for time_ms in sighting.sample_times_ms:
            nearest[time_ms] = min(sighting.distance, nearest.get(time_ms, sighting.distance))
    times_ms = tuple(sorted(nearest))
    return Segment(
        source_video_key=run[0].source_video_key,
        start_ms=run[0].start_ms,
        end_ms=max(sighting.end_ms for sighting in run),
        sample_times_ms=times_ms,
        distances=tuple(nearest[time_ms] for time_ms in times_ms),
    )


def is_usable(segment: Segment, policy: SegmentPolicy) -> bool:
    """A segment must be seen often enough and, before padding, for long enough."""
    return len(segment.sample_times_ms) >= policy.min_samples and segment.length_ms >= policy.min_segment_ms


def rule_not_passed(segments: Sequence[Segment], policy: SegmentPolicy) -> Stopped:
    """The first rule that none of ``segments`` passes, with the best of those that passed the rules before.

    Args:
        segments: At least one, of which none gave a window.
        policy: The event's settings.
    """
    most = max(len(segment.sample_times_ms) for segment in segments)
    if most < policy.min_samples:
        return Stopped(rule=StopRule.TOO_FEW_SAMPLES, seen=most, needed=policy.min_samples)
    longest_ms = max(segment.length_ms for segment in segments if len(segment.sample_times_ms) >= policy.min_samples)
    if longest_ms < policy.min_segment_ms:
        return Stopped(rule=StopRule.TOO_SHORT, seen=longest_ms, needed=policy.min_segment_ms)
    # Nothing of it lies before the video's end: a container that claims to be shorter than it is.
    return Stopped(rule=StopRule.OUTSIDE_VIDEO)


def candidate_windows(segment: Segment, policy: SegmentPolicy, duration_ms: int) -> list[PlannedWindow]:
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
    times_ms = segment.sample_times_ms
    seen = [
        (start_ms, bisect_left(times_ms, start_ms), bisect_left(times_ms, start_ms + length_ms)) for start_ms in starts
    ]
    most = max(last - first for _, first, last in seen)
    if most == 0:
        return []
    return [
        PlannedWindow(
            source_video_key=segment.source_video_key,
            start_ms=start_ms,
            end_ms=start_ms + length_ms,
            samples=most,
            distance=min(segment.distances[first:last]),
        )
        for start_ms, first, last in seen
        if last - first == most
    ]


def _preference(window: PlannedWindow) -> tuple[int, float, int]:
    return (-window.samples, window.distance, window.start_ms)
