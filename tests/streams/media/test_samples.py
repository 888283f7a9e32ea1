from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from infra.demo_media import Race, find_media
from streams.media.errors import SourceUnreadable
from streams.media.sample import Sample
from streams.media.samples import samples
from tests.numbered_video import BITS, BLOCK_WIDTH, CODE_HEIGHT, VARIABLE, Recipe, build, regular_times

LONG = 10**8


def number_of(sample: Sample) -> int:
    """The number that the upright picture carries."""
    row = sample.rgb()[CODE_HEIGHT // 2, :, 1]
    lit = [row[bit * BLOCK_WIDTH + BLOCK_WIDTH // 2] > 127 for bit in range(BITS)]
    return sum(1 << bit for bit in range(BITS) if lit[bit])


def numbers(path: Path, start_ms: int, end_ms: int, fps: float) -> list[tuple[int, int]]:
    return [(sample.time_ms, number_of(sample)) for sample in samples(path, start_ms, end_ms, fps)]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = Recipe(times_ms=regular_times(8), gop=50, b_frames=0)
    return build(tmp_path_factory.mktemp("plain") / "plain.mp4", recipe)


def test_a_sample_is_the_first_frame_of_each_slot(plain: Path) -> None:
    assert numbers(plain, 0, LONG, 5) == [(200 * n, 5 * n) for n in range(40)]


def test_a_rate_that_does_not_divide_the_frame_rate(plain: Path) -> None:
    # Slots of 100/3 ms hold one frame each or, every fifth, none.
    assert numbers(plain, 0, 400, 30) == [(40 * n, n) for n in range(10)]
    assert [time for time, _ in numbers(plain, 0, 1000, 3)] == [0, 360, 680]


def test_start_and_end_are_half_open(plain: Path) -> None:
    assert [time for time, _ in numbers(plain, 200, 600, 5)] == [200, 400]
    assert [time for time, _ in numbers(plain, 201, 601, 5)] == [400, 600]


def test_a_frame_in_the_middle_of_a_slot_is_no_sample_because_a_chunk_begins_there(plain: Path) -> None:
    assert numbers(plain, 2_240, 2_400, 5) == []


def test_past_the_end_there_is_nothing(plain: Path) -> None:
    assert numbers(plain, 8_000, 9_000, 5) == []
    assert numbers(plain, 7_801, 9_000, 25)[-1] == (7_960, 199)


RECIPES = {
    "closed groups": Recipe(times_ms=regular_times(6), gop=50),
    "open groups": Recipe(
        times_ms=regular_times(6), gop=50, b_frames=3, options={"x264-params": "open-gop=1:b-pyramid=2"}
    ),
    "one keyframe": Recipe(times_ms=regular_times(6), gop=1000),
    "29.97": Recipe(times_ms=regular_times(6, Fraction(30_000, 1001)), gop=45),
    "variable rate": Recipe(times_ms=VARIABLE, gop=60),
    "edit list": Recipe(times_ms=regular_times(6, lead_frames=13), gop=40),
    "turned": Recipe(times_ms=regular_times(6), rotation=90),
    "hevc": Recipe(times_ms=regular_times(6), codec="libx265", options={"x265-params": "log-level=none"}, gop=50),
    "no sound": Recipe(times_ms=regular_times(6), audio=None),
    "header behind": Recipe(times_ms=regular_times(6), moov_first=False),
}


@pytest.mark.parametrize("kind", RECIPES)
@pytest.mark.parametrize("fps", [5, 7.5])
def test_chunks_see_the_same_frames_as_the_whole(tmp_path: Path, kind: str, fps: float) -> None:
    recipe = RECIPES[kind]
    path = build(tmp_path / "source.mp4", recipe)
    whole = numbers(path, 0, LONG, fps)
    shown = {number: time for number, time in enumerate(recipe.times_ms) if time >= 0}
    first_of_slot = {int(time * Fraction(fps) / 1000): number for number, time in reversed(shown.items())}
    for (slot, first), (_, number) in zip(reversed(first_of_slot.items()), whole, strict=True):
        assert first <= number
        assert number == first or shown[number] < (slot + Fraction(1, 2)) * 1000 / Fraction(fps)
    chunks = [numbers(path, start, start + 730, fps) for start in range(0, 8_030, 730)]
    assert [sample for chunk in chunks for sample in chunk] == whole


@pytest.mark.parametrize("container", ["mkv", "ts"])
def test_other_containers_give_the_same_samples(tmp_path: Path, plain: Path, container: str) -> None:
    path = tmp_path / f"other.{container}"
    with av.open(str(plain)) as source, av.open(str(path), "w") as out:
        video = source.streams.video[0]
        stream = out.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    whole = numbers(path, 0, LONG, 5)
    assert [number for _, number in whole] == [5 * n for n in range(40)]
    chunks = [numbers(path, start, start + 1_500, 5) for start in range(0, 9_000, 1_500)]
    assert [sample for chunk in chunks for sample in chunk] == whole


@pytest.mark.parametrize("name", ["face_noface.mov", "noface_face.mov", "no_face.mp4", "bikes.mp4"])
def test_known_footage_chunked_and_whole(name: str) -> None:
    path = find_media(name)
    whole = [sample.time_ms for sample in samples(path, 0, LONG, 5)]
    chunks = [[sample.time_ms for sample in samples(path, at, at + 1_300, 5)] for at in range(0, 10_400, 1_300)]
    assert [time for chunk in chunks for time in chunk] == whole
    assert all(after - before >= 1 for before, after in pairwise(whole))


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_pictures_come_upright(tmp_path: Path, rotation: int) -> None:
    path = build(tmp_path / "turned.mp4", Recipe(times_ms=regular_times(1), rotation=rotation, b_frames=0))
    found = list(samples(path, 0, LONG, 5))
    assert [number_of(sample) for sample in found] == [0, 5, 10, 15, 20]
    assert found[0].size == (320, 192)
    assert found[0].rgb().shape == (192, 320, 3)


def test_a_source_is_closed_when_the_reader_stops_early(race: Race) -> None:
    reader = samples(race.path, 0, LONG, 5)
    next(reader)
    open_files = {Path(f"/proc/self/fd/{fd.name}").resolve() for fd in Path("/proc/self/fd").iterdir()}
    assert race.path.resolve() in open_files
    reader.close()
    left = {Path(f"/proc/self/fd/{fd.name}").resolve() for fd in Path("/proc/self/fd").iterdir()}
    assert race.path.resolve() not in left


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.mp4"
    path.write_bytes(b"nothing" * 1000)
    with pytest.raises(SourceUnreadable):
        next(samples(path, 0, 1000, 5))
