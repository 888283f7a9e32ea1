"""What holds for every plan, whatever the pictures and the window."""

from collections import Counter
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.media.facts import PacketFacts, Timeline
from streams.render.cut_plan import CopyPlan, CopyPolicy, EncodePlan, plan_cut
from tests.streams.render.copyable import PLAIN

TIME_BASES = [Fraction(1, 90_000), Fraction(1, 12_800), Fraction(1, 30_000)]


@st.composite
def footage(draw: st.DrawFn) -> tuple[Timeline, list[PacketFacts]]:
    """Closed groups of pictures of any rate, fixed or not; the order of decoding is any that a group allows."""
    timeline = Timeline(time_base=draw(st.sampled_from(TIME_BASES)), origin=draw(st.integers(-5_000, 5_000)))
    ticks_per_s = timeline.time_base.denominator
    lengths = st.integers(ticks_per_s // 120, ticks_per_s // 5)
    tick = timeline.origin + draw(st.integers(-ticks_per_s // 5, 0))
    packets: list[PacketFacts] = []
    for _ in range(draw(st.integers(1, 4))):
        spans = draw(st.lists(lengths, min_size=1, max_size=8))
        starts = [tick + sum(spans[:n]) for n in range(len(spans))]
        tick += sum(spans)
        order = [0, *draw(st.permutations(range(1, len(spans))))]
        packets += [
            PacketFacts(
                pts=starts[n],
                dts=starts[place] - ticks_per_s,
                duration=spans[n],
                sync=n == 0,
                idr=n == 0,
                hidden=False,
                whole=True,
                own_parameter_sets=False,
            )
            for place, n in enumerate(order)
        ]
    return timeline, packets


windows = st.tuples(st.integers(0, 1_500), st.integers(1, 3_000)).map(lambda pair: (pair[0], pair[0] + pair[1]))
policies = st.builds(CopyPolicy, max_hidden_ms=st.integers(500, 4_000), max_snap_ms=st.integers(50, 400))


def planned(
    made: tuple[Timeline, list[PacketFacts]], window: tuple[int, int], policy: CopyPolicy
) -> CopyPlan | EncodePlan:
    timeline, packets = made
    return plan_cut(PLAIN, packets, timeline, start_ms=window[0], end_ms=window[1], policy=policy)


@given(made=footage(), window=windows, policy=policies)
def test_a_copy_keeps_within_its_bounds(
    made: tuple[Timeline, list[PacketFacts]], window: tuple[int, int], policy: CopyPolicy
) -> None:
    plan = planned(made, window, policy)
    if isinstance(plan, CopyPlan):
        assert window[0] - policy.max_snap_ms <= plan.start_ms <= window[0]
        assert window[0] < plan.end_ms <= window[1]
        assert 0 <= plan.hidden_ms <= policy.max_hidden_ms
        assert plan.hidden_ms == plan.start_ms - made[0].to_ms(plan.keyframe)


@given(made=footage(), window=windows, policy=policies)
def test_a_copy_carries_every_picture_of_the_window(
    made: tuple[Timeline, list[PacketFacts]], window: tuple[int, int], policy: CopyPolicy
) -> None:
    """All that begin in the window or are on screen at its start are copied, and none before that is shown."""
    timeline, packets = made
    plan = planned(made, window, policy)
    if isinstance(plan, CopyPlan):
        times = [packet.pts for packet in packets if packet.pts is not None]
        wanted = [pts for pts in times if pts >= plan.start and timeline.to_ms(pts) < window[1]]
        assert set(wanted) <= set(times[: plan.packets])
        assert times[plan.packets - 1] in wanted
        assert not any(plan.start < pts and timeline.to_ms(pts) <= window[0] for pts in times)


@given(made=footage(), window=windows, policy=policies)
def test_more_tolerance_never_turns_a_copy_into_an_encode(
    made: tuple[Timeline, list[PacketFacts]], window: tuple[int, int], policy: CopyPolicy
) -> None:
    if isinstance(planned(made, window, policy), CopyPlan):
        looser = CopyPolicy(max_hidden_ms=policy.max_hidden_ms + 100, max_snap_ms=policy.max_snap_ms + 100)
        assert isinstance(planned(made, window, looser), CopyPlan)


@given(made=footage(), moved=st.integers(-(10**7), 10**7), window=windows)
def test_where_the_sources_clock_begins_changes_nothing(
    made: tuple[Timeline, list[PacketFacts]], moved: int, window: tuple[int, int]
) -> None:
    timeline, packets = made
    later = [
        PacketFacts(
            pts=(packet.pts or 0) + moved,
            dts=(packet.dts or 0) + moved,
            duration=packet.duration,
            sync=packet.sync,
            idr=packet.idr,
            hidden=packet.hidden,
            whole=packet.whole,
            own_parameter_sets=packet.own_parameter_sets,
        )
        for packet in packets
    ]
    here = planned(made, window, CopyPolicy())
    there = planned((Timeline(timeline.time_base, timeline.origin + moved), later), window, CopyPolicy())
    assert type(here) is type(there)
    if isinstance(here, CopyPlan) and isinstance(there, CopyPlan):
        assert (there.start - moved, there.packets, there.start_ms) == (here.start, here.packets, here.start_ms)
        assert (there.end_ms, there.hidden_ms) == (here.end_ms, here.hidden_ms)


def test_the_footage_made_here_is_often_copied() -> None:
    """Else the rules above would say little."""
    kinds: Counter[type] = Counter()

    @settings(max_examples=100, database=None, derandomize=True)
    @given(made=footage(), window=windows, policy=policies)
    def count(made: tuple[Timeline, list[PacketFacts]], window: tuple[int, int], policy: CopyPolicy) -> None:
        kinds[type(planned(made, window, policy))] += 1

    count()
    assert kinds[CopyPlan] > 20
    assert kinds[EncodePlan] > 5
