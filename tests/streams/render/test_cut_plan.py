import re
from dataclasses import replace
from fractions import Fraction

import pytest

from streams.media.facts import PacketFacts, StreamFacts, Timeline
from streams.render.cut_plan import AudioPlan, CopyPlan, CopyPolicy, EncodePlan, plan_audio, plan_cut, why_not_copied
from tests.streams.render.copyable import PLAIN

FRAME = 3600  # ticks of 1/90000 s: 25 pictures a second
TIMELINE = Timeline(time_base=Fraction(1, 90_000), origin=900)
# Three groups I P B P B of the second from 2 s on, in decoding order.
ORDER = [0, 2, 1, 4, 3]


def picture(number: int, place: int, *, group: int = 5) -> PacketFacts:
    first = number % group == 0
    return PacketFacts(
        pts=TIMELINE.origin + number * FRAME,
        dts=TIMELINE.origin + (place - 1) * FRAME,
        duration=FRAME,
        sync=first,
        idr=first,
        hidden=False,
        whole=True,
        own_parameter_sets=False,
    )


def pictures(first: int, groups: int = 3) -> list[PacketFacts]:
    return [
        picture(first + group * 5 + number, first + group * 5 + place)
        for group in range(groups)
        for place, number in enumerate(ORDER)
    ]


def plan(
    packets: list[PacketFacts], start_ms: int, end_ms: int, facts: StreamFacts = PLAIN, policy: CopyPolicy | None = None
) -> CopyPlan | EncodePlan:
    return plan_cut(facts, packets, TIMELINE, start_ms=start_ms, end_ms=end_ms, policy=policy or CopyPolicy())


def test_the_start_moves_back_to_the_picture_on_screen() -> None:
    found = plan(pictures(50), 2_105, 2_300)
    assert isinstance(found, CopyPlan)
    assert (found.start, found.start_ms) == (TIMELINE.origin + 52 * FRAME, 2_080)
    assert (found.keyframe, found.hidden_ms) == (TIMELINE.origin + 50 * FRAME, 80)
    assert found.end_ms == 2_300


def test_reading_ends_with_the_last_picture_that_is_needed() -> None:
    """Decoded as 50 52 51 54 53: when 53 (2.12 s) is the last shown one, 54 comes along, else both stay away."""
    with_53, without_53 = plan(pictures(50), 2_000, 2_140), plan(pictures(50), 2_000, 2_120)
    assert isinstance(with_53, CopyPlan)
    assert isinstance(without_53, CopyPlan)
    assert (with_53.packets, without_53.packets) == (5, 3)


def test_the_end_of_the_video_ends_the_clip() -> None:
    found = plan(pictures(50), 2_000, 9_000)
    assert isinstance(found, CopyPlan)
    assert (found.packets, found.end_ms) == (15, 2_600)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"container": "matroska,webm"}, "container"),
        ({"video_codec": "hevc"}, r"codec is not H\.264"),
        ({"video_tag": "avc3"}, "header"),
        ({"h264_profile": None}, "configuration"),
        ({"h264_profile": 110}, "profile"),
        ({"pix_fmt": "yuv420p10le"}, "8-bit"),
        ({"pix_fmt": None}, "8-bit"),
        ({"interlaced": True}, "interlaced"),
    ],
)
def test_a_stream_that_some_browser_refuses_is_encoded(change: dict[str, object], reason: str) -> None:
    facts = replace(PLAIN, **change)  # type: ignore[arg-type] - the table's values fit
    refused = why_not_copied(facts)
    assert refused is not None
    assert plan(pictures(50), 2_000, 2_200, facts) == EncodePlan(refused)
    assert re.search(reason, refused)


def test_a_plain_stream_may_be_copied() -> None:
    assert why_not_copied(PLAIN) is None


@pytest.mark.parametrize(
    ("index", "change", "reason"),
    [
        (0, {"sync": False}, "the first keyframe needs earlier pictures"),
        (0, {"idr": False}, "the first keyframe needs earlier pictures"),
        (5, {"idr": False}, "the groups of pictures are open"),
        (3, {"whole": False}, "a picture is damaged"),
        (3, {"own_parameter_sets": True}, "the parameter sets change"),
        (3, {"pts": None}, "a picture has no time"),
        (3, {"dts": None}, "a picture has no time"),
        (3, {"dts": 0}, "decoding times do not rise"),
        (3, {"pts": TIMELINE.origin + 52 * FRAME}, "picture times are out of order"),
        (3, {"pts": TIMELINE.origin + 40 * FRAME}, "picture times are out of order"),
        (3, {"hidden": True}, "the source's own edit list cuts into the window"),
    ],
)
def test_pictures_that_cannot_be_trusted_are_encoded(index: int, change: dict[str, object], reason: str) -> None:
    packets = pictures(50)
    packets[index] = replace(packets[index], **change)  # type: ignore[arg-type] - the table's values fit
    assert plan(packets, 2_000, 2_500) == EncodePlan(reason)


def test_a_window_before_its_keyframe_or_behind_the_video_is_no_copy() -> None:
    assert plan(pictures(50), 1_900, 2_500) == EncodePlan("the window does not start with a keyframe")
    assert plan(pictures(50), 2_640, 2_700) == EncodePlan("the window shows no picture")
    assert plan([], 0, 100) == EncodePlan("the first keyframe needs earlier pictures")


def test_hidden_footage_is_bounded_up_to_and_including_the_limit() -> None:
    at_limit = CopyPolicy(max_hidden_ms=200)
    assert isinstance(plan(pictures(50), 2_200, 2_500, policy=at_limit), CopyPlan)
    assert plan(pictures(50), 2_201, 2_500, policy=at_limit) == EncodePlan("too much would be hidden before the start")


def test_a_picture_that_stands_long_is_not_started_in() -> None:
    packets = pictures(50)[:1] + pictures(60)
    assert plan(packets, 2_300, 2_700) == EncodePlan("the picture at the start stands too long")
    assert isinstance(plan(packets, 2_100, 2_700), CopyPlan)


def test_hidden_pictures_before_the_start_do_no_harm() -> None:
    """A source whose own edit list begins after the keyframe: the clip's list hides the same pictures."""
    packets = [replace(packet, hidden=packet.pts is not None and packet.pts < 52 * FRAME) for packet in pictures(50)]
    assert isinstance(plan(packets, 2_080, 2_300), CopyPlan)


@pytest.mark.parametrize(
    ("codec", "expected"),
    [("aac", AudioPlan.COPY), ("mp3float", AudioPlan.ENCODE), ("pcm_s16le", AudioPlan.ENCODE), (None, AudioPlan.NONE)],
)
def test_only_aac_sound_is_copied(codec: str | None, expected: AudioPlan) -> None:
    assert plan_audio(codec) is expected


@pytest.mark.parametrize("time_base", [Fraction(1, 90_000), Fraction(1, 1000), Fraction(1001, 30_000)])
def test_a_tick_is_at_the_ms_it_rounds_to(time_base: Fraction) -> None:
    timeline = Timeline(time_base=time_base, origin=77)
    for ms in (0, 1, 33, 34, 999, 1_001):
        tick = timeline.last_tick_at(ms)
        assert timeline.to_ms(tick) <= ms < timeline.to_ms(tick + 1)
