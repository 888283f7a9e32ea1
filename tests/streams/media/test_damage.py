"""What a damaged video is found to be, against made damage at known places."""

import contextlib
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from infra.demo_media import Race, find_media
from streams.media.damage import Damage
from streams.media.errors import SourceUnreadable
from streams.media.probe import probe
from streams.media.samples import samples
from tests.damaged_video import (
    Spoil,
    all_foreign,
    foreign_rest,
    lose_bytes,
    one_bit,
    remuxed,
    spoil_packets,
    zero_block,
)
from tests.numbered_video import VARIABLE, Recipe, build, regular_times
from tests.range_server import range_server

GROUP_MS = 2_000
H264 = Recipe(
    times_ms=regular_times(8), gop=50, options={"x264-params": "scenecut=0:b-pyramid=none:b-adapt=0"}, audio=None
)
QUIET = "log-level=none:scenecut=0:keyint=50:min-keyint=50:open-gop=0"
HEVC = Recipe(
    times_ms=regular_times(8), codec="libx265", options={"preset": "ultrafast", "x265-params": QUIET}, audio=None
)


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("intact")
    return {"h264": build(folder / "h264.mp4", H264), "hevc": build(folder / "hevc.mp4", HEVC)}


def damage_of(path: Path | str, start_ms: int = 0, end_ms: int = 8_000, fps: float = 25) -> tuple[Damage, list[int]]:
    """What is said of a span, and the times of its samples."""
    damage = Damage()
    times = [sample.time_ms for sample in samples(path, start_ms, end_ms, fps, damage=damage)]
    return damage, times


def covers(damage: Damage, times_ms: list[int]) -> bool:
    return all(any(first <= time < last for first, last in damage.ranges_ms) for time in times_ms)


def luma(path: Path) -> dict[int, np.ndarray]:
    return {sample.time_ms: sample.rgb()[::4, ::4, 1].astype(int) for sample in samples(path, 0, 8_000, 25)}


@pytest.mark.parametrize(
    ("codec", "spoil"),
    [
        ("h264", foreign_rest),
        ("h264", zero_block),
        ("h264", all_foreign),
        ("hevc", zero_block),
        ("hevc", all_foreign),
    ],
)
def test_every_picture_that_came_out_wrong_or_not_at_all_lies_in_a_range_of_its_group(
    codec: str, spoil: Spoil, intact: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "damaged.mp4"
    hit = spoil_packets(intact[codec], path, 2_600, 3_000, spoil)
    assert hit
    damage, _ = damage_of(path)
    whole, left = luma(intact[codec]), luma(path)
    wrong = [time for time, picture in whole.items() if time not in left or np.abs(picture - left[time]).mean() > 1]
    assert wrong
    assert covers(damage, hit)
    assert covers(damage, wrong)
    [(first, last)] = damage.ranges_ms
    assert 2_000 <= first <= hit[0]
    assert last <= 4_000


def test_one_wrong_bit_in_hevc_is_found_where_checksums_travel(tmp_path: Path) -> None:
    options = {"preset": "ultrafast", "x265-params": f"{QUIET}:hash=1"}
    path = build(tmp_path / "hash.mp4", Recipe(times_ms=regular_times(8), codec="libx265", options=options))
    assert damage_of(path) == (Damage(), [40 * n for n in range(200)])
    spoilt = tmp_path / "spoilt.mp4"
    hit = spoil_packets(path, spoilt, 2_000, 2_000, one_bit)
    damage, _ = damage_of(spoilt)
    assert covers(damage, hit)
    assert damage.ranges_ms[-1][1] <= 4_000


def test_a_picture_that_nothing_refers_to_spoils_itself_alone(intact: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "damaged.mp4"
    ranges = []
    for time_ms in (2_040, 2_080, 2_120):  # two B-pictures and a P-picture, in some order
        spoil_packets(intact["h264"], path, time_ms, time_ms, zero_block)
        damage, _ = damage_of(path)
        assert covers(damage, [time_ms])
        ranges.append(damage.ranges_ms == ((time_ms, time_ms + 40),))
    assert ranges == [True, True, False]


def test_damaged_pictures_are_samples_too(intact: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "damaged.mp4"
    spoil_packets(intact["h264"], path, 2_000, 2_000, one_bit)
    damage, times = damage_of(path)
    assert damage == Damage(0, ((2_000, 4_000),))
    assert times == [40 * n for n in range(200)]


def test_damage_before_a_chunk_counts_where_it_reaches_into_it(intact: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "damaged.mp4"
    hit = spoil_packets(intact["hevc"], path, 2_000, 2_200, all_foreign)
    assert damage_of(path, 0, 2_000)[0] == Damage()
    assert damage_of(path, 3_000, 3_500)[0].ranges_ms == ((3_000, 3_500),)
    assert damage_of(path, 3_600, 6_000)[0].ranges_ms == ((3_600, 4_000),)
    assert damage_of(path, 4_000, 8_000)[0] == Damage()
    whole = damage_of(path)[0]
    assert whole.ranges_ms == ((hit[0], 4_000),)
    assert whole.frames >= len(hit)


@pytest.mark.parametrize("container", ["mkv", "ts", "flv"])
def test_bytes_missing_in_the_middle_are_a_hole(container: str, intact: dict[str, Path], tmp_path: Path) -> None:
    """So much is missing that the next keyframe is too: 8 s at about equal bytes, 37 to 67 % are 3.0 to 5.4 s."""
    path = remuxed(intact["h264"], tmp_path / f"whole.{container}")
    damage, times = damage_of(lose_bytes(path, tmp_path / f"hole.{container}", 0.37, 0.67))
    missing = sorted(set(range(0, 8_000, 40)) - set(times))
    assert len(missing) > 25
    assert covers(damage, missing)
    assert damage.ranges_ms[0][0] > 2_000
    assert damage.ranges_ms[-1][1] <= 6_000


@pytest.mark.parametrize("container", ["mp4", "mkv", "flv"])
def test_a_cut_off_file_says_from_where_on_pictures_are_missing(
    container: str, intact: dict[str, Path], tmp_path: Path
) -> None:
    path = remuxed(intact["h264"], tmp_path / f"whole.{container}") if container != "mp4" else intact["h264"]
    cut = lose_bytes(path, tmp_path / f"cut.{container}", 0.6, 1)
    assert probe(cut).duration_ms == pytest.approx(8_000, abs=100)
    damage, times = damage_of(cut, fps=5)
    assert 3_500 < times[-1] < 5_500
    [(first, last)] = damage.ranges_ms
    assert times[-1] < first <= times[-1] + 240
    assert last == pytest.approx(8_000, abs=100)
    behind, nothing = damage_of(cut, 6_000, 7_000)
    assert (nothing, behind.ranges_ms) == ([], ((6_000, 7_000),))


def test_a_cut_off_file_says_the_same_over_http(intact: dict[str, Path], tmp_path: Path) -> None:
    cut = lose_bytes(intact["h264"], tmp_path / "cut.mp4", 0.6, 1)
    with range_server(tmp_path) as server:
        for start_ms, end_ms in pairwise((0, 4_000, 6_000, 8_000)):
            assert damage_of(server.url("cut.mp4"), start_ms, end_ms) == damage_of(cut, start_ms, end_ms)


CLEAN = {
    "open groups": Recipe(
        times_ms=regular_times(8), gop=50, b_frames=3, options={"x264-params": "open-gop=1:b-pyramid=2"}
    ),
    "hevc open groups": Recipe(
        times_ms=regular_times(8), codec="libx265", gop=50, options={"x265-params": "log-level=none:open-gop=1"}
    ),
    "one keyframe": Recipe(times_ms=regular_times(8), gop=1000),
    "intra refresh": Recipe(times_ms=regular_times(8), gop=50, options={"x264-params": "intra-refresh=1"}),
    "variable rate": Recipe(times_ms=VARIABLE, gop=60),
    "a picture for seconds": Recipe(times_ms=[*VARIABLE[:50], *(time + 5_000 for time in VARIABLE[50:100])], gop=60),
    "edit list": Recipe(times_ms=regular_times(8, lead_frames=13), gop=40),
    "10 bit": Recipe(times_ms=regular_times(4), pix_fmt="yuv420p10le"),
    "hevc 10 bit": Recipe(
        times_ms=regular_times(4), codec="libx265", pix_fmt="yuv420p10le", options={"x265-params": "log-level=none"}
    ),
    "interlaced": Recipe(times_ms=regular_times(4), options={"x264-params": "tff=1"}),
    "vp9": Recipe(times_ms=regular_times(4), codec="libvpx-vp9", b_frames=0, options={"cpu-used": "8"}),
}


@pytest.mark.parametrize("kind", CLEAN)
def test_what_is_intact_is_not_called_damaged_wherever_one_begins(kind: str, tmp_path: Path) -> None:
    path = build(tmp_path / "clean.mp4", CLEAN[kind])
    end_ms = probe(path).duration_ms
    for start_ms in range(0, end_ms, 1_330):
        assert damage_of(path, start_ms, start_ms + 1_330)[0] == Damage()


@pytest.mark.parametrize("container", ["mkv", "ts", "flv", "mov"])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_other_containers_give_no_false_alarm(
    codec: str, container: str, intact: dict[str, Path], tmp_path: Path
) -> None:
    path = remuxed(intact[codec], tmp_path / f"clean.{container}")
    for start_ms in range(0, 8_000, 1_330):
        assert damage_of(path, start_ms, start_ms + 1_330)[0] == Damage()


@pytest.mark.parametrize(
    "name", ["single_face.mp4", "face_noface.mov", "no_face.mp4", "bikes.mp4", "carphone_pristine.mp4"]
)
def test_known_footage_has_no_damage(name: str) -> None:
    path = find_media(name)
    assert damage_of(path, 0, probe(path).duration_ms, fps=5)[0] == Damage()


def test_the_race_has_no_damage(race: Race) -> None:
    assert damage_of(race.path, 30_000, 34_000, fps=5)[0] == Damage()


@pytest.mark.full
@pytest.mark.parametrize("container", ["mp4", "mkv", "ts", "flv", "mov"])
def test_no_damage_ends_in_anything_but_samples_or_a_sentence(
    container: str, intact: dict[str, Path], tmp_path: Path
) -> None:
    """Random bytes in random places, the header too."""
    whole = remuxed(intact["h264"], tmp_path / f"whole.{container}").read_bytes()
    path = tmp_path / f"spoilt.{container}"
    readable = 0
    for seed in range(150):
        chance = random.Random(seed)  # noqa: S311 - the same damage on every run
        data = bytearray(whole)
        for _ in range(chance.choice((1, 3, 30))):
            at, size = chance.randrange(len(data)), chance.choice((1, 16, 500))
            data[at : at + size] = chance.randbytes(len(data[at : at + size]))
        path.write_bytes(data)
        with contextlib.suppress(SourceUnreadable):
            probe(path)
            readable += bool(damage_of(path, fps=5)[1])
    assert readable > 75
