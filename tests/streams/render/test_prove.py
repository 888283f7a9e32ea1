"""Every defect that can be made in a clip is found by the proof that is run before it is announced."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest

from streams.media.mp4_boxes import read_movie, set_played_duration
from streams.media.remux import WrittenClip, WrittenPacket, WrittenTrack, remux
from streams.media.source import open_source
from streams.media.window import PacketWindow, Source, packet_facts, read_source, read_window, stream_facts
from streams.render.cut_plan import CopyPlan, CopyPolicy, plan_cut
from streams.render.prove import ProofFailed, prove_copy, prove_encode
from tests.numbered_video import Recipe, beep_starts_ms, build, regular_times, shown_numbers

START_MS, END_MS = 3_360, 6_360


@dataclass(frozen=True)
class Copied:
    path: Path
    written: WrittenClip


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("prove") / "video.mp4", Recipe(times_ms=regular_times(8)))


@pytest.fixture
def source(video: Path) -> Iterator[Source]:
    with open_source(str(video), 10) as container:
        yield read_source(container)


def window_of(source: Source) -> tuple[PacketWindow, CopyPlan]:
    window = read_window(source, START_MS, END_MS, max_hidden_ms=2_500, max_bytes=10**8)
    plan = plan_cut(
        stream_facts(source),
        packet_facts(source, window),
        source.timeline,
        start_ms=START_MS,
        end_ms=END_MS,
        policy=CopyPolicy(),
    )
    assert isinstance(plan, CopyPlan)
    return window, plan


def written_by(source: Source, window: PacketWindow, plan: CopyPlan, path: Path) -> WrittenClip:
    return remux(
        source,
        window,
        path,
        start=plan.start,
        packets=plan.packets,
        played_ms=plan.end_ms - plan.start_ms,
        encode_audio=False,
    )


@pytest.fixture
def copied(source: Source, tmp_path: Path) -> Copied:
    window, plan = window_of(source)
    path = tmp_path / "clip.mp4"
    return Copied(path, written_by(source, window, plan, path))


def test_a_right_copy_passes(copied: Copied) -> None:
    prove_copy(copied.path, copied.written)


def test_damaged_bytes_are_found(copied: Copied) -> None:
    data = bytearray(copied.path.read_bytes())
    middle = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2
    data[middle] ^= 0xFF
    copied.path.write_bytes(data)
    with pytest.raises(ProofFailed, match="bytes differ"):
        prove_copy(copied.path, copied.written)


def test_a_file_cut_short_is_found(copied: Copied) -> None:
    copied.path.write_bytes(copied.path.read_bytes()[:-2_000])
    with pytest.raises(ProofFailed):
        prove_copy(copied.path, copied.written)


def test_a_length_that_was_not_cut_is_found(copied: Copied) -> None:
    movie = read_movie(copied.path)
    set_played_duration(copied.path, movie, {"vide": 2_960, "soun": 2_960})
    with pytest.raises(ProofFailed, match="last as long"):
        prove_copy(copied.path, copied.written)


@pytest.mark.parametrize(("handler", "ticks"), [("vide", 3_600), ("vide", -3_600), ("soun", 1_024), ("soun", -9_600)])
def test_a_moved_edit_list_is_found(copied: Copied, handler: str, ticks: int) -> None:
    track = read_movie(copied.path).track(handler)
    assert track is not None
    edit = track.edits[-1]
    at = edit.duration_field.offset + edit.duration_field.width
    data = bytearray(copied.path.read_bytes())
    data[at : at + 4] = (edit.media_time + ticks).to_bytes(4, "big")
    copied.path.write_bytes(data)
    with pytest.raises(ProofFailed, match="edit list begins at the wrong time"):
        prove_copy(copied.path, copied.written)


def changed(track: WrittenTrack, **change: object) -> WrittenTrack:
    return replace(track, **change)  # type: ignore[arg-type] - the callers' values fit


def test_lost_and_moved_packets_are_found(copied: Copied) -> None:
    video = copied.written.video
    longer = changed(video, packets=(*video.packets, WrittenPacket(Fraction(9), 1)))
    moved_last = WrittenPacket(video.packets[-1].time_s + Fraction(1, 90_000), video.packets[-1].crc32)
    moved = changed(video, packets=(*video.packets[:-1], moved_last))
    with pytest.raises(ProofFailed, match="packets are missing"):
        prove_copy(copied.path, replace(copied.written, video=longer))
    with pytest.raises(ProofFailed, match="time differs"):
        prove_copy(copied.path, replace(copied.written, video=moved))


def test_other_parameter_sets_are_found(copied: Copied) -> None:
    other = changed(copied.written.video, extradata=b"\x01another")
    with pytest.raises(ProofFailed, match="parameter sets"):
        prove_copy(copied.path, replace(copied.written, video=other))


def test_a_missing_sound_track_is_found(copied: Copied) -> None:
    with pytest.raises(ProofFailed, match="other tracks"):
        prove_copy(copied.path, replace(copied.written, audio=None))


def test_a_copy_that_starts_without_an_idr_is_found(source: Source, tmp_path: Path) -> None:
    window, plan = window_of(source)
    del window.video[0]
    path = tmp_path / "clip.mp4"
    written = written_by(source, window, replace(plan, packets=plan.packets - 1), path)
    with pytest.raises(ProofFailed, match="no IDR"):
        prove_copy(path, written)


def test_sound_that_begins_late_stays_in_step(source: Source, tmp_path: Path) -> None:
    """A source whose sound sets in after the start: an empty edit holds its place."""
    window, plan = window_of(source)
    late = [p for p in window.audio if p.pts is not None and p.pts * p.time_base >= Fraction(4_900, 1_000)]
    path = tmp_path / "clip.mp4"
    written = written_by(source, PacketWindow(video=window.video, audio=late), plan, path)
    prove_copy(path, written)
    assert beep_starts_ms(path) == pytest.approx([1_640, 2_640], abs=5)
    assert [number for _, number in shown_numbers(path)] == list(range(84, 159))


def test_an_encode_is_judged_by_order_length_and_ends(video: Path, tmp_path: Path) -> None:
    prove_encode(video, 8_000, 40)
    with pytest.raises(ProofFailed, match="length"):
        prove_encode(video, 7_900, 40)
    behind = build(tmp_path / "behind.mp4", Recipe(times_ms=regular_times(1), moov_first=False))
    with pytest.raises(ProofFailed, match="header"):
        prove_encode(behind, 1_000, 40)


def test_an_encode_that_does_not_decode_is_found(video: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    shutil.copy(video, path)
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    path.write_bytes(data)
    with pytest.raises(ProofFailed):
        prove_encode(path, 8_000, 40)


def test_a_file_that_is_no_clip_is_found(copied: Copied, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no clip")
    with pytest.raises(ProofFailed, match="read back"):
        prove_copy(tmp_path / "text.mp4", copied.written)
