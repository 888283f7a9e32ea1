import dataclasses
from itertools import pairwise
from pathlib import Path

import av
import pytest

from infra.demo_media import LOCATIONS, SHOTS, MediaMissingError, Shot, build_race, find_media, move_moov, race_truth

SHORT = (Shot("nobody", "bikes.mp4", 0, 1_000), Shot("man", "single_face.mp4", 0, 1_400))


@pytest.mark.parametrize("name", sorted(LOCATIONS))
def test_every_known_file_is_there(name: str) -> None:
    assert find_media(name).stat().st_size > 0


@pytest.mark.parametrize("distribution", ["no-such-distribution", "numpy"])
def test_a_missing_package_or_file_is_named_with_what_to_install(distribution: str) -> None:
    with pytest.raises(MediaMissingError, match=f"of the package {distribution} is missing: install the media group"):
        find_media("bikes.mp4", {"bikes.mp4": (distribution, "folder")})


def test_the_truth_has_no_hole() -> None:
    truth = race_truth()
    assert truth[0].start_ms == 0
    assert all(before.end_ms == after.start_ms for before, after in pairwise(truth))
    assert [span.shows for span in truth] == [shot.shows for shot in SHOTS]
    assert 60_000 <= truth[-1].end_ms <= 90_000
    assert sum(span.shows == "man" for span in truth) == 3


def top_boxes(path: Path) -> list[bytes]:
    data, at, kinds = path.read_bytes(), 0, []
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kinds.append(data[at + 4 : at + 8])
        at += size
    return kinds


def packets(path: Path) -> list[tuple[int, int | None, bytes]]:
    with av.open(str(path)) as container:
        return [(p.stream.index, p.pts, bytes(p)) for p in container.demux() if p.dts is not None]


def test_the_header_stands_where_it_is_wanted_and_the_rest_is_equal(tmp_path: Path) -> None:
    race = build_race(tmp_path / "race.mp4", shots=SHORT)
    behind = tmp_path / "behind.mp4"
    move_moov(race.path, behind, moov_first=False)
    first, last = top_boxes(race.path), top_boxes(behind)
    assert first.index(b"moov") < first.index(b"mdat")
    assert last.index(b"mdat") < last.index(b"moov")
    assert packets(race.path) == packets(behind)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["behind.mp4", "race.mp4"]


def test_the_race_is_720p_with_reordered_pictures_and_sound(tmp_path: Path) -> None:
    race = build_race(tmp_path / "race.mp4", shots=SHORT, moov_first=False)
    assert race.duration_ms == 2_400
    with av.open(str(race.path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert video.average_rate == 25
        assert (video.width, video.height, video.frames) == (1280, 720, 60)
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        order = [p.pts for p in container.demux(video) if p.pts is not None]
    assert order != sorted(order)


def test_a_race_that_cannot_be_built_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "race.mp4"
    before = build_race(path, shots=SHORT[:1]).path.read_bytes()
    with pytest.raises(KeyError):
        build_race(path, shots=(*SHORT, dataclasses.replace(SHORT[0], film="unknown.mp4")))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["race.mp4"]
