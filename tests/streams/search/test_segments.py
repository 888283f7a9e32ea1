import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.searches import Sighting, Stopped, StopRule
from schemas.settings import ClipSettings
from streams.search.segments import SegmentOutcome, SegmentPlan, SegmentPolicy, plan_windows, policy_of

DURATION_MS = 60_000
POLICY = SegmentPolicy(
    max_clip_ms=10_000, min_segment_ms=500, max_gap_ms=2_000, padding_start_ms=1_000, padding_end_ms=1_500
)


def seen(
    start_ms: int, end_ms: int, *, step_ms: int = 500, source: str = "a", track: str = "t", distance: float = 0.4
) -> Sighting:
    return Sighting(
        source_video_key=source,
        track=track,
        start_ms=start_ms,
        end_ms=end_ms,
        sample_times_ms=tuple(range(start_ms, end_ms + 1, step_ms)),
        distance=distance,
    )


def plan(sightings: Sequence[Sighting], policy: SegmentPolicy = POLICY, duration_ms: int = DURATION_MS) -> SegmentPlan:
    return plan_windows(sightings, policy, {sighting.source_video_key: duration_ms for sighting in sightings})


def spans(result: SegmentPlan) -> list[tuple[str, int, int]]:
    return [(window.source_video_key, window.start_ms, window.end_ms) for window in result.windows]


@st.composite
def sighting_lists(draw: st.DrawFn) -> list[Sighting]:
    count = draw(st.integers(1, 8))
    found = []
    for _ in range(count):
        start_ms = draw(st.integers(0, DURATION_MS - 1))
        end_ms = draw(st.integers(start_ms, min(DURATION_MS, start_ms + 15_000)))
        step_ms = draw(st.sampled_from([100, 500, 700]))
        source = draw(st.sampled_from("abc"))
        distance = draw(st.sampled_from([0.2, 0.3, 0.4]))
        found.append(seen(start_ms, end_ms, step_ms=step_ms, source=source, distance=distance))
    return found


policies = st.builds(
    SegmentPolicy,
    max_clip_ms=st.integers(1, 20_000),
    min_segment_ms=st.integers(0, 3_000),
    max_gap_ms=st.integers(0, 5_000),
    padding_start_ms=st.integers(0, 5_000),
    padding_end_ms=st.integers(0, 5_000),
)


@given(sighting_lists(), policies, st.randoms(use_true_random=False))
def test_order_and_repeats_of_sightings_change_nothing(
    sightings: list[Sighting], policy: SegmentPolicy, order: random.Random
) -> None:
    shuffled = sightings + sightings[:2]
    order.shuffle(shuffled)
    assert plan(shuffled, policy) == plan(sightings, policy)


@given(sighting_lists(), policies)
def test_windows_stay_in_the_video_and_under_the_longest_clip(sightings: list[Sighting], policy: SegmentPolicy) -> None:
    for window in plan(sightings, policy).windows:
        assert 0 <= window.start_ms < window.end_ms <= DURATION_MS
        assert window.end_ms - window.start_ms <= policy.max_clip_ms
        assert window.samples >= 1


@given(sighting_lists(), policies)
def test_a_source_has_one_window_that_claims_no_more_samples_than_it_holds(
    sightings: list[Sighting], policy: SegmentPolicy
) -> None:
    windows = plan(sightings, policy).windows
    assert len({window.source_video_key for window in windows}) == len(windows)
    for window in windows:
        times = {time for s in sightings if s.source_video_key == window.source_video_key for time in s.sample_times_ms}
        assert window.samples <= sum(window.start_ms <= time < window.end_ms for time in times)


@given(sighting_lists(), policies)
def test_no_window_of_the_same_length_sees_more_of_a_lone_segment(
    sightings: list[Sighting], policy: SegmentPolicy
) -> None:
    """The candidates hold the best start: a search over every sample's neighbourhood finds none better."""
    one = [sightings[0]]
    for window in plan(one, policy).windows:
        times = one[0].sample_times_ms
        length_ms = window.end_ms - window.start_ms
        first_ms = max(0, one[0].start_ms - policy.padding_start_ms)
        last_ms = min(DURATION_MS, one[0].end_ms + policy.padding_end_ms) - length_ms
        for start_ms in range(first_ms, last_ms + 1, 97):
            assert sum(start_ms <= time < start_ms + length_ms for time in times) <= window.samples


@given(st.integers(0, 5_000), st.integers(0, 6_000))
def test_a_gap_up_to_and_including_the_limit_joins(max_gap_ms: int, gap_ms: int) -> None:
    policy = replace(POLICY, max_gap_ms=max_gap_ms, max_clip_ms=60_000, padding_start_ms=0, padding_end_ms=0)
    result = plan([seen(10_000, 12_000), seen(12_000 + gap_ms, 13_000 + gap_ms, distance=0.5)], policy)
    joined = spans(result) == [("a", 10_000, 13_000 + gap_ms)]
    assert joined == (gap_ms <= max_gap_ms)


@given(st.integers(0, DURATION_MS), policies)
def test_a_lone_hit_is_no_segment(time_ms: int, policy: SegmentPolicy) -> None:
    hit = seen(time_ms, time_ms)
    other_track = seen(time_ms, time_ms, track="u", distance=0.1)
    result = plan([hit, other_track], policy)
    assert (result.outcome, result.windows) == (SegmentOutcome.NO_SEGMENTS, ())
    assert result.stopped_by == Stopped(rule=StopRule.TOO_FEW_SAMPLES, seen=1, needed=2)


def test_no_sighting_is_no_match() -> None:
    assert plan([]) == SegmentPlan(outcome=SegmentOutcome.NO_MATCHES)


def test_padding_is_added_and_cut_at_the_edges() -> None:
    assert spans(plan([seen(5_000, 8_000)])) == [("a", 4_000, 9_500)]
    assert spans(plan([seen(500, 3_000)])) == [("a", 0, 4_500)]
    assert spans(plan([seen(57_000, 59_000)])) == [("a", 56_000, DURATION_MS)]


def test_the_shortest_segment_is_measured_before_padding() -> None:
    policy = replace(POLICY, min_segment_ms=1_000)
    assert plan([seen(5_000, 5_900, step_ms=300)], policy).outcome is SegmentOutcome.NO_SEGMENTS
    assert plan([seen(5_000, 6_000)], policy).outcome is SegmentOutcome.WINDOWS


@given(sighting_lists(), policies)
def test_only_an_empty_plan_says_what_stopped_it(sightings: list[Sighting], policy: SegmentPolicy) -> None:
    result = plan(sightings, policy)
    assert (result.stopped_by is None) == bool(result.windows)


@given(sighting_lists(), policies)
def test_a_limit_at_what_was_seen_would_have_let_it_pass(sightings: list[Sighting], policy: SegmentPolicy) -> None:
    """And the smallest step above it would not: the number told is the one to set."""
    stopped = plan(sightings, policy).stopped_by
    if stopped is None or stopped.seen is None:
        return
    name = {StopRule.TOO_FEW_SAMPLES: "min_samples", StopRule.TOO_SHORT: "min_segment_ms"}[stopped.rule]
    assert stopped.needed == getattr(policy, name) > stopped.seen
    lowered = plan(sightings, replace(policy, **{name: int(stopped.seen)})).stopped_by
    assert lowered is None or lowered.rule is not stopped.rule
    above = plan(sightings, replace(policy, **{name: int(stopped.seen) + 1})).stopped_by
    assert above is not None
    assert (above.rule, above.seen) == (stopped.rule, stopped.seen)


def test_the_longest_of_those_seen_often_enough_is_told() -> None:
    """Not the longest of all: a span without samples passes no rule before."""
    policy = replace(POLICY, min_segment_ms=3_000)
    gappy = seen(10_000, 12_500, step_ms=9_000)
    result = plan([gappy, seen(20_000, 21_000, source="b"), seen(30_000, 32_000, source="c")], policy)
    assert result.stopped_by == Stopped(rule=StopRule.TOO_SHORT, seen=2_000, needed=3_000)


def test_what_is_seen_only_after_the_videos_end_is_told() -> None:
    result = plan([seen(DURATION_MS + 5_000, DURATION_MS + 9_000)])
    assert result.stopped_by == Stopped(rule=StopRule.OUTSIDE_VIDEO)


@given(sighting_lists(), policies, st.floats(0.1, 0.5))
def test_a_window_is_there_until_the_limit_falls_below_its_distance(
    sightings: list[Sighting], policy: SegmentPolicy, limit: float
) -> None:
    """What a clip's confidence is for. Below it no sighting of the window is left; at it the nearest one is.

    Without padding, in which another segment's samples may lie.
    """
    policy = replace(policy, padding_start_ms=0, padding_end_ms=0)
    for window in plan(sightings, policy).windows:
        left = [each for each in sightings if each.distance <= limit]
        times = {
            time for each in left if each.source_video_key == window.source_video_key for time in each.sample_times_ms
        }
        seen_in_it = any(window.start_ms <= time < window.end_ms for time in times)
        assert seen_in_it == (window.distance <= limit)


def test_two_single_hits_within_the_gap_make_a_segment() -> None:
    assert spans(plan([seen(5_000, 5_000), seen(6_000, 6_000)])) == [("a", 4_000, 7_500)]


def test_the_window_with_most_samples_wins_then_distance_then_time() -> None:
    few, many = seen(2_000, 3_000), seen(20_000, 24_000)
    assert spans(plan([few, many])) == [("a", 19_000, 25_500)]
    near = seen(40_000, 44_000, distance=0.2)
    assert spans(plan([near, many])) == [("a", 39_000, 45_500)]
    assert spans(plan([seen(40_000, 44_000), many])) == [("a", 19_000, 25_500)]


def test_a_long_segment_is_cut_to_the_longest_clip_where_most_is_seen() -> None:
    sparse = seen(10_000, 20_000, step_ms=1_000)
    dense = seen(20_000, 30_000, step_ms=250, track="u")
    (window,) = plan([sparse, dense]).windows
    assert (window.start_ms, window.end_ms, window.samples) == (20_000, 30_000, 40)


def test_every_source_gets_its_own_window() -> None:
    assert spans(plan([seen(5_000, 8_000, source="b"), seen(1_000, 3_000, source="a"), seen(9, 9, source="c")])) == [
        ("a", 0, 4_500),
        ("b", 4_000, 9_500),
    ]


def test_a_source_without_a_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="no duration"):
        plan_windows([seen(0, 1_000)], POLICY, {})


def test_impossible_policies_are_refused() -> None:
    with pytest.raises(ValueError, match="max_clip_ms"):
        replace(POLICY, max_clip_ms=0)
    with pytest.raises(ValueError, match="below 0"):
        replace(POLICY, padding_end_ms=-1)


def test_settings_in_seconds_become_a_policy_in_ms() -> None:
    settings = ClipSettings(max_clip_s=12.5, min_segment_s=0.2, max_gap_s=2, padding_start_s=1.25, padding_end_s=0.75)
    assert policy_of(settings) == SegmentPolicy(
        max_clip_ms=12_500, min_segment_ms=200, max_gap_ms=2_000, padding_start_ms=1_250, padding_end_ms=750
    )
