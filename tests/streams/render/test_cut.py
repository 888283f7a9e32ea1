"""Clips of videos whose every picture carries its number: what plays is what was asked for, to the picture."""

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import pytest

from streams.media.mp4_boxes import read_movie
from streams.render.cut import CutLimits, cut
from streams.render.cut_outcome import Clip, CutFailed
from streams.render.cut_plan import CopyPolicy
from tests.numbered_video import BEEP_MS, Recipe, beep_starts_ms, build, read_number, regular_times, shown_numbers
from tests.range_server import range_server

NTSC = Fraction(30_000, 1001)
HEVC = {"x265-params": "log-level=error"}
VARIABLE_MS = [Fraction(n * 40 + (n * 7919) % 31) for n in range(300)]

RECIPES = {
    "gop 2 s": Recipe(times_ms=regular_times(12)),
    "gop 10 s": Recipe(times_ms=regular_times(24), gop=250),
    "29.97": Recipe(times_ms=regular_times(12, NTSC), gop=60),
    "variable": Recipe(times_ms=VARIABLE_MS),
    "turned": Recipe(times_ms=regular_times(6), rotation=90),
    "turned the other way": Recipe(times_ms=regular_times(6), rotation=-90, gop=250),
    "hevc": Recipe(times_ms=regular_times(6), codec="libx265", options=HEVC),
    "hevc turned": Recipe(times_ms=regular_times(6), codec="libx265", options=HEVC, rotation=90),
    "hevc variable": Recipe(times_ms=VARIABLE_MS, codec="libx265", options=HEVC),
    "10 bit": Recipe(times_ms=regular_times(6), pix_fmt="yuv420p10le"),
    "silent": Recipe(times_ms=regular_times(6), audio=None),
    "silent hevc": Recipe(times_ms=regular_times(6), audio=None, codec="libx265", options=HEVC),
    "mp3": Recipe(times_ms=regular_times(6), audio="libmp3lame"),
    "moov behind": Recipe(times_ms=regular_times(12), moov_first=False),
    "before zero": Recipe(times_ms=regular_times(6, lead_frames=12)),
    "hevc before zero": Recipe(times_ms=regular_times(6, lead_frames=12), codec="libx265", options=HEVC),
    "open gop": Recipe(times_ms=regular_times(6), options={"x264-params": "open-gop=1:b-pyramid=normal:scenecut=0"}),
    "one keyframe": Recipe(times_ms=regular_times(6), gop=10_000, options={"x264-params": "scenecut=0"}),
}


@dataclass(frozen=True)
class Made:
    """A source, and where its picture n stands."""

    path: Path
    recipe: Recipe

    def expected(self, start_ms: int, end_ms: int) -> list[int]:
        """The numbers shown in the window: the one on screen at its start, and those that begin before its end."""
        times = [round(time) for time in self.recipe.times_ms]
        on_screen = max(n for n, time in enumerate(times) if time <= start_ms)
        return [n for n in range(on_screen, len(times)) if times[n] < end_ms]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    folder = tmp_path_factory.mktemp("sources")

    def made(name: str) -> Made:
        path = folder / f"{name.replace(' ', '-')}.mp4"
        if not path.exists():
            build(path, RECIPES[name])
        return Made(path, RECIPES[name])

    return made


def check_pictures(made: Made, path: Path, clip: Clip, start_ms: int, end_ms: int) -> None:
    """Every picture of the clip is the right one at the right time, to 2 ms."""
    wanted = made.expected(start_ms, end_ms)
    shown = shown_numbers(path)
    assert [number for _, number in shown] == wanted
    assert shown[0][0] == 0
    for time_ms, number in shown[1:]:
        assert abs(time_ms - (made.recipe.times_ms[number] - clip.start_ms)) <= 2


def check_file(path: Path, clip: Clip) -> None:
    """The header stands first, the length is what the clip says, and so are size and hash."""
    movie = read_movie(path)
    assert movie.moov_first
    assert abs(movie.duration * 1000 / movie.timescale - (clip.end_ms - clip.start_ms)) <= 1
    assert clip.size_bytes == path.stat().st_size
    assert clip.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


CASES = [
    ("gop 2 s", 3_360, 8_360, "copy"),
    ("gop 2 s", 3_377, 8_365, "copy"),
    ("gop 2 s", 4_000, 6_000, "copy"),
    ("gop 2 s", 0, 1_000, "copy"),
    ("gop 2 s", 9_500, 12_000, "copy"),
    ("gop 2 s", 9_500, 99_000, "copy"),
    ("gop 10 s", 1_360, 5_360, "copy"),
    ("gop 10 s", 9_360, 15_360, "encode"),
    ("29.97", 2_002, 6_000, "copy"),
    ("29.97", 3_333, 7_001, "copy"),
    ("variable", 3_377, 8_365, "copy"),
    ("turned", 2_500, 4_500, "copy"),
    ("turned the other way", 3_500, 4_500, "encode"),
    ("hevc", 1_377, 4_360, "encode"),
    ("hevc", 4_000, 99_000, "encode"),
    ("hevc turned", 1_360, 2_360, "encode"),
    ("hevc variable", 3_377, 8_365, "encode"),
    ("10 bit", 1_000, 2_000, "encode"),
    ("silent", 2_360, 5_000, "copy"),
    ("silent hevc", 2_360, 5_000, "encode"),
    ("mp3", 2_360, 5_000, "copy"),
    ("moov behind", 9_360, 11_000, "copy"),
    ("before zero", 0, 1_500, "copy"),
    ("before zero", 2_000, 3_500, "copy"),
    ("hevc before zero", 0, 1_500, "encode"),
    ("open gop", 2_500, 4_500, "encode"),
    ("one keyframe", 4_360, 5_360, "encode"),
]


@pytest.mark.parametrize(("name", "start_ms", "end_ms", "method"), CASES)
def test_the_clip_is_the_window(
    source: Callable[[str], Made], tmp_path: Path, name: str, start_ms: int, end_ms: int, method: str
) -> None:
    made = source(name)
    path = tmp_path / "clip.mp4"
    clip = cut(str(made.path), path, start_ms, end_ms, 23)
    assert clip.method == method
    assert (clip.encoded_because is None) == (method == "copy")
    video_end_ms = round(made.recipe.times_ms[-1]) + 40
    assert start_ms - 45 < clip.start_ms <= start_ms
    assert min(end_ms, video_end_ms) - 45 < clip.end_ms <= end_ms
    check_pictures(made, path, clip, start_ms, end_ms)
    check_file(path, clip)
    with av.open(str(path)) as container:
        assert [stream.codec_context.name for stream in container.streams] == (
            ["h264"] if made.recipe.audio is None else ["h264", "aac"]
        )
        if method == "encode":
            frame = next(container.decode(video=0))
            assert (frame.rotation, frame.format.name) == (0, "yuv420p")
            assert (frame.width, frame.height) == made.recipe.size
    if made.recipe.audio is not None:
        seconds = range(-(-clip.start_ms // 1000), -(-clip.end_ms // 1000))
        wanted = [second * 1000 - clip.start_ms for second in seconds]
        if 0 < clip.start_ms % 1000 < BEEP_MS:
            wanted.insert(0, 0)
        heard = beep_starts_ms(path, until_ms=clip.end_ms - clip.start_ms)
        assert len(heard) == len(wanted)
        assert all(abs(a - b) <= 5 for a, b in zip(heard, wanted, strict=True))


@pytest.mark.parametrize("name", ["gop 2 s", "hevc", "mp3"])
def test_a_repeat_gives_the_same_bytes(source: Callable[[str], Made], tmp_path: Path, name: str) -> None:
    path = str(source(name).path)
    assert cut(path, tmp_path / "a.mp4", 1_360, 3_000, 23) == cut(path, tmp_path / "b.mp4", 1_360, 3_000, 23)


def test_nothing_of_the_sources_metadata_is_carried_over(source: Callable[[str], Made], tmp_path: Path) -> None:
    """Cameras write names and places into a file; the clip has none of it."""
    tagged = tmp_path / "tagged.mp4"
    with av.open(str(source("gop 2 s").path)) as given, av.open(str(tagged), "w") as output:
        output.metadata.update({"title": "Jane Doe", "location": "+48.1+011.5/"})
        streams = {stream: output.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                output.mux(packet)
    assert b"Jane Doe" in tagged.read_bytes()
    for window, method in (((1_000, 2_000), "copy"), ((9_990, 10_500), "encode")):
        limits = CutLimits() if method == "copy" else CutLimits(copy=CopyPolicy(max_hidden_ms=0))
        clip = cut(str(tagged), tmp_path / "clip.mp4", *window, 23, limits)
        data = (tmp_path / "clip.mp4").read_bytes()
        assert clip.method == method
        assert b"Jane Doe" not in data
        assert b"+48.1" not in data
        assert b"Lavf" not in data


@pytest.mark.parametrize("moov_first", [True, False])
def test_over_http_only_the_bytes_near_the_window_are_read(tmp_path: Path, moov_first: bool) -> None:
    """From a large file, a short window costs its own bytes and some read-ahead, not the file's."""
    noisy = tmp_path / "noisy.mp4"
    recipe = Recipe(
        times_ms=regular_times(40),
        options={"preset": "ultrafast", "x264-params": "nal-hrd=cbr:bitrate=6000:vbv-maxrate=6000:vbv-bufsize=6000"},
        moov_first=moov_first,
    )
    build(noisy, recipe)
    size = noisy.stat().st_size
    assert size > 20_000_000
    with range_server(tmp_path) as server:
        clip = cut(server.url("noisy.mp4"), tmp_path / "clip.mp4", 30_360, 32_360, 23)
        sent = server.bytes_sent
    assert clip.method == "copy"
    check_pictures(Made(noisy, recipe), tmp_path / "clip.mp4", clip, 30_360, 32_360)
    assert sent < clip.size_bytes + 4_000_000


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CutFailed, match=r"^The source video .*\.$"):
        cut(str(tmp_path / "none.mp4"), tmp_path / "clip.mp4", 0, 1_000, 23)


def test_a_file_that_is_no_video_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n")
    with pytest.raises(CutFailed, match=r"^The source .*\.$"):
        cut(str(tmp_path / "text.mp4"), tmp_path / "clip.mp4", 0, 1_000, 23)


@pytest.mark.parametrize("name", ["gop 2 s", "hevc"])
def test_a_window_behind_the_end_is_one_sentence(source: Callable[[str], Made], tmp_path: Path, name: str) -> None:
    with pytest.raises(CutFailed, match=r"^The clip could not be cut: .*\.$"):
        cut(str(source(name).path), tmp_path / "clip.mp4", 50_000, 51_000, 23)


@pytest.mark.parametrize(("start_ms", "end_ms"), [(2_000, 2_000), (3_000, 2_000), (-1, 2_000)])
def test_an_impossible_window_is_refused(
    source: Callable[[str], Made], tmp_path: Path, start_ms: int, end_ms: int
) -> None:
    with pytest.raises(CutFailed, match="window is empty"):
        cut(str(source("gop 2 s").path), tmp_path / "clip.mp4", start_ms, end_ms, 23)


def test_a_window_too_large_to_hold_is_encoded(source: Callable[[str], Made], tmp_path: Path) -> None:
    made = source("gop 2 s")
    limits = CutLimits(max_window_bytes=1_000)
    clip = cut(str(made.path), tmp_path / "clip.mp4", 3_360, 5_360, 23, limits)
    assert (clip.method, clip.encoded_because) == ("encode", "the window is too large to be held")
    check_pictures(made, tmp_path / "clip.mp4", clip, 3_360, 5_360)


def test_a_source_that_breaks_off_still_gives_what_it_has(source: Callable[[str], Made], tmp_path: Path) -> None:
    """A truncated upload: the header is whole, the data ends early."""
    made = source("gop 2 s")
    whole = made.path.read_bytes()
    (tmp_path / "broken.mp4").write_bytes(whole[: int(len(whole) * 0.6)])
    clip = cut(str(tmp_path / "broken.mp4"), tmp_path / "clip.mp4", 5_000, 11_000, 23)
    check_file(tmp_path / "clip.mp4", clip)
    numbers = [number for _, number in shown_numbers(tmp_path / "clip.mp4")]
    assert numbers[:20] == list(range(125, 145))
    assert numbers == sorted(set(numbers))
    assert 5_000 < clip.end_ms < 11_000


def test_a_damaged_picture_is_not_copied_on(source: Callable[[str], Made], tmp_path: Path) -> None:
    """Units that do not add up are seen before the copy; the encode goes around them."""
    made = source("silent")
    data = bytearray(made.path.read_bytes())
    with av.open(str(made.path)) as container:
        hit = [packet for packet in container.demux(video=0) if packet.pts is not None][60]
        position = hit.pos
    assert position is not None
    data[position : position + 4] = b"\x7f\xff\xff\xff"
    (tmp_path / "damaged.mp4").write_bytes(data)
    clip = cut(str(tmp_path / "damaged.mp4"), tmp_path / "clip.mp4", 2_000, 4_000, 23)
    assert clip.method == "encode"
    check_file(tmp_path / "clip.mp4", clip)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert read_number(next(container.decode(video=0))) == 50


def test_arguments_and_results_travel_between_processes() -> None:
    clip = Clip(start_ms=1, end_ms=2, method="copy", size_bytes=3, sha256="4")
    for value in (CutLimits(), clip, cut):
        assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 - our own bytes
    assert str(pickle.loads(pickle.dumps(CutFailed("A sentence.")))) == "A sentence."  # noqa: S301 - our own bytes
