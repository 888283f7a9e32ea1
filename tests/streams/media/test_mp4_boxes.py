from contextlib import suppress
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.media.mp4_boxes import Mp4Error, read_movie, set_played_duration
from tests.numbered_video import Recipe, build, regular_times, shown_numbers


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("boxes") / "video.mp4", Recipe(times_ms=regular_times(2, lead_frames=5)))


def test_the_times_of_a_file_are_read(video: Path) -> None:
    movie = read_movie(video)
    assert (movie.moov_first, movie.timescale, movie.duration) == (True, 1000, 2_000)
    picture, sound = movie.track("vide"), movie.track("soun")
    assert picture is not None
    assert sound is not None
    assert (picture.timescale, picture.duration, len(picture.edits)) == (90_000, 2_000, 1)
    # Five pictures hidden, and two by which decoding runs ahead.
    assert picture.edits[0].media_time == 7 * 3600
    assert sound.timescale == 48_000
    assert movie.track("text") is None


def test_a_header_behind_the_data_is_seen(tmp_path: Path) -> None:
    path = build(tmp_path / "behind.mp4", Recipe(times_ms=regular_times(1), moov_first=False))
    assert not read_movie(path).moov_first


def test_a_new_duration_is_what_players_see(video: Path, tmp_path: Path) -> None:
    """Each track ends at the wanted time, and a shorter one where it did; no other byte changes."""
    path = tmp_path / "cut.mp4"
    path.write_bytes(video.read_bytes())
    set_played_duration(path, read_movie(path), {"vide": 1_200, "soun": 5_000})
    movie = read_movie(path)
    assert [(track.handler, track.duration) for track in movie.tracks] == [("vide", 1_200), ("soun", 2_000)]
    assert movie.duration == 2_000
    assert [number for _, number in shown_numbers(path)] == list(range(5, 35))
    changed = sum(a != b for a, b in zip(video.read_bytes(), path.read_bytes(), strict=True))
    assert 0 < changed <= 8
    with av.open(str(path)) as container:
        assert container.duration == 2_000_000


def test_a_track_cannot_end_before_it_begins(video: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(video.read_bytes())
    with pytest.raises(Mp4Error, match="before its first shown sample"):
        set_played_duration(path, read_movie(path), {"vide": 0, "soun": 100})


def test_a_64_bit_box_size_is_understood(video: Path, tmp_path: Path) -> None:
    data = video.read_bytes()
    at = data.index(b"mdat") - 4
    size = int.from_bytes(data[at : at + 4], "big")
    wide = b"\x00\x00\x00\x01mdat" + (size + 8).to_bytes(8, "big") + data[at + 8 : at + size]
    (tmp_path / "wide.mp4").write_bytes(data[:at] + wide)
    assert read_movie(tmp_path / "wide.mp4") == read_movie(video)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), value=st.binary(min_size=1, max_size=8), keep=st.floats(0, 1))
def test_a_damaged_file_is_a_named_error_or_read(
    video: Path, tmp_path: Path, place: float, value: bytes, keep: float
) -> None:
    data = bytearray(video.read_bytes()[:3_000])
    at = int(place * len(data))
    data[at : at + len(value)] = value
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data[: int(keep * len(data))] if keep < 0.5 else data + video.read_bytes()[3_000:])
    with suppress(Mp4Error):
        movie = read_movie(path)
        assert movie.timescale > 0
        assert all(track.timescale > 0 for track in movie.tracks)
