from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.packet import Packet
from hypothesis import given
from hypothesis import strategies as st

from streams.media.disposable import disposable_test
from streams.media.facts import Timeline
from streams.media.samples import samples
from streams.media.slots import NeededPackets, Slots
from tests.numbered_video import Recipe, build, regular_times

# One picture a tick, five ticks a slot.
SLOTS = Slots(Timeline(Fraction(1, 25), 0), Fraction(5))
DISPOSABLE, NEEDED = b"d", b"n"


def packets(pictures: Sequence[tuple[int, bool]]) -> Iterator[Packet]:
    """Pictures in decoding order: when each is shown, and whether others refer to it."""
    first = -len(pictures)
    for number, (pts, needed) in enumerate(pictures):
        packet = Packet(NEEDED if needed else DISPOSABLE)
        # A picture is never decoded after it is shown.
        packet.pts, packet.dts = pts, min(pts, first + number)
        yield packet


def kept(pictures: Sequence[tuple[int, bool]], slots: Slots = SLOTS) -> list[int]:
    needed = NeededPackets(slots, lambda data: bytes(data) == DISPOSABLE)
    return [packet.pts for packet in needed.of(packets(pictures))]


def test_a_picture_that_nobody_needs_is_left_out() -> None:
    # I b B b P: the B of the middle is referred to, the others are not.
    assert kept([(0, True), (4, True), (2, True), (1, False), (3, False)]) == [0, 4, 2]


def test_the_first_of_a_slot_gives_way_to_one_of_its_first_half() -> None:
    group = [(5, False), (6, False), (7, True), (8, False), (9, False)]
    assert kept([(0, True), *group]) == [0, 7]


def test_but_not_to_one_of_its_second_half() -> None:
    group = [(5, False), (6, False), (7, False), (8, True), (9, False)]
    assert kept([(0, True), *group]) == [0, 5, 8]


def test_a_slot_without_any_other_keeps_its_first() -> None:
    assert kept([(0, True), (13, True), (5, False), (6, False), (11, False), (10, False)]) == [0, 13, 5, 10]


def test_packets_without_times_go_through() -> None:
    packet = Packet(DISPOSABLE)
    needed = NeededPackets(SLOTS, lambda _data: True)
    assert list(needed.of([packet])) == [packet]


@st.composite
def groups(draw: st.DrawFn) -> list[tuple[int, bool]]:
    """Any pictures between anchors: each run of disposable or needed ones is decoded after the anchor behind it."""
    pictures = [(0, True)]
    at = 1
    for _ in range(draw(st.integers(1, 8))):
        inner = [(at + n, draw(st.booleans())) for n in range(draw(st.integers(0, 7)))]
        at += len(inner) + draw(st.integers(0, 6))
        pictures += [(at, True), *draw(st.permutations(inner))]
        at += 1
    return pictures


@given(groups(), st.integers(1, 9))
def test_every_slot_has_one_sample_and_every_reference_is_decoded(pictures: list[tuple[int, bool]], ticks: int) -> None:
    slots = Slots(Timeline(Fraction(1, 25), 0), Fraction(25, ticks))
    left = kept(pictures, slots)
    order = [pts for pts, _ in pictures]
    assert left == [pts for pts in order if pts in set(left)]
    assert {pts for pts, needed in pictures if needed} <= set(left)
    for slot in {slots.of(pts) for pts in order}:
        first = min(pts for pts in order if slots.of(pts) == slot)
        sample = min(pts for pts in left if slots.of(pts) == slot)
        assert sample == first or sample < slots.middle(slot)
        extra = [pts for pts, needed in pictures if slots.of(pts) == slot and pts in left and not needed]
        assert extra in ([], [first])


KINDS = {
    "h264": Recipe(times_ms=regular_times(4), b_frames=3, options={"x264-params": "b-adapt=0:scenecut=0"}),
    "h264 without pyramid": Recipe(
        times_ms=regular_times(4), b_frames=2, options={"x264-params": "b-adapt=0:b-pyramid=0:scenecut=0"}
    ),
    "hevc": Recipe(
        times_ms=regular_times(4), codec="libx265", b_frames=3, options={"x265-params": "b-adapt=0:log-level=none"}
    ),
}


@pytest.mark.parametrize("container", ["mp4", "ts"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_out_changes_no_sample(tmp_path: Path, kind: str, container: str) -> None:
    path = build(tmp_path / f"source.{container}", KINDS[kind])
    with av.open(str(path)) as whole:
        shown = {frame.pts: frame.to_ndarray().tobytes() for frame in whole.decode(video=0)}
    found = list(samples(path, 0, 10**6, 5))
    assert len(found) == 20
    assert all(shown[sample.frame.pts] == sample.frame.to_ndarray().tobytes() for sample in found)
    assert packets_left(path) < len(shown) * 3 // 4


def packets_left(path: Path) -> int:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        slots = Slots(Timeline(stream.time_base, stream.start_time), Fraction(5))
        needed = NeededPackets(slots, disposable_test(context.name, context.extradata))
        return sum(packet.pts is not None for packet in needed.of(container.demux(stream)))


def test_only_known_codecs_have_such_pictures() -> None:
    assert not disposable_test("vp9", None)(b"\x00\x00\x01\x01")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"\x01", True),
        (b"\x41", False),
        (b"\x06\x00\x00\x01\x01", True),
        (b"\x67\x00\x00\x01\x01", False),
        (b"\x06", False),
    ],
)
def test_h264_units_by_start_codes(header: bytes, expected: bool) -> None:
    """A slice that is not referred to; one that is; a note before it; a parameter set before it; only a note."""
    assert disposable_test("h264", None)(b"\x00\x00\x00\x01" + header + b"\x80") is expected


def test_units_that_do_not_add_up_have_to_be_decoded() -> None:
    config = bytes([1, 100, 0, 31, 0xFF, 0xE1])
    test = disposable_test("h264", config)
    unit = b"\x01\x80\x80"
    assert test((3).to_bytes(4, "big") + unit)
    assert not test((4).to_bytes(4, "big") + unit)
    assert not test((3).to_bytes(4, "big") + unit + b"\x00")


@pytest.mark.parametrize(("kind", "layer", "expected"), [(0, 1, True), (1, 1, False), (8, 1, True), (0, 2, False)])
def test_hevc_units(kind: int, layer: int, expected: bool) -> None:
    config = bytes(21) + bytes([1 << 3 | 3]) + bytes(2)
    unit = bytes([kind << 1, layer, 0x80])
    assert disposable_test("hevc", b"\x01" + config[1:])((3).to_bytes(4, "big") + unit) is expected
