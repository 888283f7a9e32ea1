"""Sources as people upload them: other containers and codecs, fields, oblong pixels, odd sizes, damage."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import pytest

from streams.media.mp4_boxes import read_movie
from streams.render.cut import cut
from streams.render.cut_outcome import Clip
from tests.numbered_video import Recipe, beep_starts_ms, build, regular_times, shown_numbers

MS_PER_PICTURE = 40
VP9 = {"deadline": "realtime", "cpu-used": "8"}
OBLONG = {"x264-params": "sar=4/3:scenecut=0"}
FIELDS = {"x264-params": "tff=1:scenecut=0"}


@dataclass(frozen=True)
class Case:
    """A source, and the size of the upright picture with square pixels that its clip must have."""

    name: str
    recipe: Recipe
    size: tuple[int, int] = (320, 192)


CASES = [
    Case("h264.mkv", Recipe(times_ms=regular_times(5))),
    Case("h264.ts", Recipe(times_ms=regular_times(5))),
    Case("h264-long.ts", Recipe(times_ms=regular_times(5), gop=250)),
    Case("mjpeg.avi", Recipe(times_ms=regular_times(5), codec="mjpeg", pix_fmt="yuvj420p", b_frames=0)),
    Case("vp9.webm", Recipe(times_ms=regular_times(5), codec="libvpx-vp9", audio="libopus", options=VP9)),
    Case(
        "odd.webm",
        Recipe(times_ms=regular_times(5), codec="libvpx-vp9", audio="libopus", options=VP9, size=(325, 195)),
        (324, 196),
    ),
    Case("oblong.mp4", Recipe(times_ms=regular_times(5), gop=250, options=OBLONG), (426, 192)),
    Case("oblong-turned.mp4", Recipe(times_ms=regular_times(5), gop=250, options=OBLONG, rotation=90), (320, 256)),
    Case("upside-down.mp4", Recipe(times_ms=regular_times(5), gop=250, rotation=180)),
    Case("fields.mp4", Recipe(times_ms=regular_times(5), options=FIELDS)),
    Case("full-range.mp4", Recipe(times_ms=regular_times(5), gop=250, pix_fmt="yuvj420p")),
    Case("444.mp4", Recipe(times_ms=regular_times(5), pix_fmt="yuv444p")),
    Case("hevc.mov", Recipe(times_ms=regular_times(5), codec="libx265", options={"x265-params": "log-level=error"})),
]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Case], Path]:
    folder = tmp_path_factory.mktemp("sources")

    def made(case: Case) -> Path:
        path = folder / case.name
        if path.suffix == ".avi" and not path.exists():
            to_avi(build(path.with_suffix(".mkv"), case.recipe), path)
        return path if path.exists() else build(path, case.recipe)

    return made


def to_avi(source: Path, path: Path) -> None:
    """AVI has no times but a picture's number, so its clock must be the rate of the pictures."""
    with av.open(str(source)) as given, av.open(str(path), "w") as output:
        streams = {stream: output.add_stream_from_template(stream) for stream in given.streams}
        streams[given.streams.video[0]].time_base = Fraction(MS_PER_PICTURE, 1000)
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream]
                output.mux(packet)


MIDDLE, START = (3_360, 4_390), (0, 400)
# Where a seek to the very start is the container's business, and one source that a copy can begin with.
AT_START = {"h264.mkv", "h264.ts", "mjpeg.avi", "vp9.webm", "oblong.mp4"}
WINDOWS = [(case, *MIDDLE) for case in CASES] + [(case, *START) for case in CASES if case.name in AT_START]


@pytest.mark.parametrize(
    ("case", "start_ms", "end_ms"), WINDOWS, ids=[f"{case.name}-{start_ms}" for case, start_ms, _ in WINDOWS]
)
def test_what_a_copy_cannot_carry_is_encoded_to_the_picture(
    source: Callable[[Case], Path], tmp_path: Path, case: Case, start_ms: int, end_ms: int
) -> None:
    path = tmp_path / "clip.mp4"
    clip = cut(str(source(case)), path, start_ms, end_ms, 23)
    assert clip.method == ("copy" if (case.name, start_ms) == ("oblong.mp4", 0) else "encode")
    assert (clip.start_ms, clip.end_ms) == (start_ms, end_ms)
    wanted_pictures = pictures_of_window(source(case), start_ms, end_ms)
    shown = shown_numbers(path)
    assert [number for _, number in shown] == [number for _, number in wanted_pictures]
    assert [time for time, _ in shown] == pytest.approx([time for time, _ in wanted_pictures], abs=1)
    if clip.method == "encode":
        check_square_and_plain(path, case.size)
    heard = [time for time in beep_starts_ms(path) if time < end_ms - start_ms]
    wanted = [second - start_ms for second in range(-(-start_ms // 1000) * 1000, end_ms, 1000)]
    # A seek to the start of a WebM file leaves out its first packet of Opus sound; AVI does not carry AAC's delay.
    assert heard == pytest.approx(wanted, abs=25 if case.name.endswith((".webm", ".avi")) else 8)


def pictures_of_window(path: Path, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """(clip's time in ms, number) that a window of a source must show; its first picture is already on screen."""
    numbers = shown_numbers(path)
    origin_ms = numbers[0][0]
    times = [(time - origin_ms, number) for time, number in numbers]
    first = max(index for index, (time, _) in enumerate(times) if time <= start_ms)
    return [(max(0, time - start_ms), number) for time, number in times[first:] if time < end_ms]


def check_square_and_plain(path: Path, size: tuple[int, int]) -> None:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        stream = container.streams.video[0]
        assert (frame.width, frame.height) == size
        assert (frame.format.name, frame.rotation, frame.interlaced_frame) == ("yuv420p", 0, False)
        assert stream.sample_aspect_ratio in {None, 1}
        assert container.streams.audio[0].codec_context.name == "aac"


def test_full_range_pictures_keep_their_brightness(source: Callable[[Case], Path], tmp_path: Path) -> None:
    """Black and white of the source are black and white of the clip, whichever range their numbers stand in."""
    case = next(case for case in CASES if case.name == "full-range.mp4")
    cut(str(source(case)), tmp_path / "clip.mp4", 3_360, 4_000, 18)
    assert mean_rgb(tmp_path / "clip.mp4", 0) == pytest.approx(mean_rgb(source(case), 84), abs=2)


def test_colour_tags_are_kept(tmp_path: Path) -> None:
    """Ten-bit footage for bright screens: its numbers mean nothing without its tags (ITU-T H.273: 9, 16, 9)."""
    params = "log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
    recipe = Recipe(
        times_ms=regular_times(2), codec="libx265", pix_fmt="yuv420p10le", audio=None, options={"x265-params": params}
    )
    cut(str(build(tmp_path / "source.mp4", recipe)), tmp_path / "clip.mp4", 400, 1_200, 23)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        frame = next(container.decode(video=0))
        assert frame.format.name == "yuv420p"
        assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (9, 16, 9)


def mean_rgb(path: Path, number: int) -> float:
    with av.open(str(path)) as container:
        frame = next(frame for n, frame in enumerate(container.decode(video=0)) if n == number)
        return float(frame.to_ndarray(format="rgb24").mean())


def test_a_source_that_cannot_be_decoded_in_the_middle_is_cut_around_it(tmp_path: Path) -> None:
    """Zeros over two seconds of the data: what is outside plays at its own time, what is damaged is left out."""
    path = build(tmp_path / "source.mp4", Recipe(times_ms=regular_times(8), gop=25))
    damage(path, 75, 125)
    clip = cut(str(path), tmp_path / "clip.mp4", 2_000, 7_000, 23)
    assert (clip.method, clip.start_ms, clip.end_ms) == ("encode", 2_000, 7_000)
    shown = shown_numbers(tmp_path / "clip.mp4")
    assert [(time, number) for time, number in shown if time < 1_000] == [(n * 40, 50 + n) for n in range(25)]
    assert [(time, number) for time, number in shown if time >= 3_000] == [(n * 40, 50 + n) for n in range(75, 125)]
    check_length(tmp_path / "clip.mp4", clip)


def test_a_damaged_group_of_pictures_does_not_change_a_window_elsewhere(tmp_path: Path) -> None:
    path = build(tmp_path / "source.mp4", Recipe(times_ms=regular_times(8), audio=None))
    damage(path, 60, 90)
    clip = cut(str(path), tmp_path / "clip.mp4", 4_400, 6_000, 23)
    assert clip.method == "copy"
    assert [number for _, number in shown_numbers(tmp_path / "clip.mp4")] == list(range(110, 150))


def damage(path: Path, first: int, last: int) -> None:
    """Overwrites the packets of pictures [first, last) with zeros."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None][first:last]
        places = [(packet.pos, packet.size) for packet in packets]
    with path.open("r+b") as file:
        for position, size in places:
            assert position is not None
            file.seek(position)
            file.write(bytes(size))


def check_length(path: Path, clip: Clip) -> None:
    movie = read_movie(path)
    assert abs(movie.duration * 1000 / movie.timescale - (clip.end_ms - clip.start_ms)) <= 1
