"""Videos made at test time whose right answer is known at every instant.

Each picture carries its number as twelve black or white blocks along its upper edge (of the upright picture), and the
sound is a beep of 50 ms at each whole second of the shown timeline.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

BITS = 12
WIDTH = 320  # multiples of 16 both: the blocks keep clear of the codec's padding
HEIGHT = 192
BLOCK_WIDTH = WIDTH // BITS
CODE_HEIGHT = 32
SAMPLE_RATE = 48_000
TICKS_PER_S = 90_000
BEEP_MS = 50
# Shown times of 8 s at a rate that varies: 16 to 64 ms from one picture to the next.
VARIABLE = [Fraction(n * 40 + (17 * n * n) % 29) for n in range(200)]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to build. ``times_ms`` gives the shown time of each picture; those below zero lie before the edit list."""

    times_ms: Sequence[Fraction]
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    gop: int = 50
    b_frames: int = 2
    rotation: int = 0  # degrees counter-clockwise that a player must turn the stored picture
    audio: str | None = "aac"
    moov_first: bool = True
    size: tuple[int, int] = (WIDTH, HEIGHT)  # of the upright picture


def regular_times(seconds: float, fps: Fraction = Fraction(25), lead_frames: int = 0) -> list[Fraction]:
    """Shown times in ms of ``seconds`` at a fixed rate, after ``lead_frames`` that lie before zero."""
    return [Fraction(n * 1000) / fps for n in range(-lead_frames, round(seconds * fps))]


def build(path: Path, recipe: Recipe) -> Path:
    """Writes the video; picture n of the file (from 0) carries the number n and is shown at ``times_ms[n]``."""
    turned = recipe.rotation % 180 != 0
    width, height = recipe.size[::-1] if turned else recipe.size
    container_options = {"movflags": "+faststart"} if recipe.moov_first else {}
    with av.open(str(path), "w", options=container_options) as output:
        rate = _average_rate(recipe.times_ms)
        video: VideoStream = output.add_stream(recipe.codec, rate=rate, options=dict(recipe.options))
        video.width, video.height, video.pix_fmt = width, height, recipe.pix_fmt
        video.time_base = video.codec_context.time_base = Fraction(1, TICKS_PER_S)
        video.gop_size, video.max_b_frames = recipe.gop, recipe.b_frames
        if recipe.rotation:
            video.set_display_rotation(recipe.rotation)
        audio: AudioStream | None = None
        if recipe.audio is not None:
            audio = output.add_stream(recipe.audio, rate=SAMPLE_RATE, layout="mono")
        output.start_encoding()
        sound = _beeps(recipe.times_ms) if audio is not None else iter(())
        next_sound = next(sound, None)
        for number, time_ms in enumerate(recipe.times_ms):
            while audio is not None and next_sound is not None and next_sound.time * 1000 <= time_ms:
                output.mux(audio.encode(next_sound))
                next_sound = next(sound, None)
            output.mux(video.encode(_picture(number, time_ms, recipe)))
        while audio is not None and next_sound is not None:
            output.mux(audio.encode(next_sound))
            next_sound = next(sound, None)
        output.mux(video.encode(None))
        if audio is not None:
            output.mux(audio.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """A moment of silence and no picture."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        frame = AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def shown_numbers(path: Path | str) -> list[tuple[int, int]]:
    """(time in ms, number) of every picture that a player which honours the edit list shows, in order."""
    with av.open(str(path)) as container:
        return [(round(frame.time * 1000), read_number(frame)) for frame in container.decode(video=0)]


def read_number(frame: VideoFrame) -> int:
    """The number in a decoded picture, which is turned upright first."""
    gray = np.rot90(frame.to_ndarray(format="gray"), k=round(frame.rotation / 90))
    block = gray.shape[1] // BITS
    middle = gray[8 : CODE_HEIGHT - 8]
    bits = [int(middle[:, n * block + block // 4 : (n + 1) * block - block // 4].mean() > 127) for n in range(BITS)]
    return sum(bit << n for n, bit in enumerate(bits))


def beep_starts_ms(path: Path | str, until_ms: int = 1_000_000) -> list[int]:
    """The times before ``until_ms`` at which a beep begins, as a player that honours the edit list plays them.

    A decoder gives the last packet whole, also what lies behind the edit list's end: that is what the limit is for.
    """
    found: list[int] = []
    last_loud_ms = -1_000_000.0
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(np.float32).reshape(-1))
            if frame.format.name.startswith("s16"):
                samples = samples / 32768
            for index in np.flatnonzero(samples > 0.1):
                at_ms = (frame.time + index / frame.sample_rate) * 1000
                if at_ms - last_loud_ms > 500 and at_ms < until_ms:
                    found.append(round(at_ms))
                last_loud_ms = at_ms
    return found


def _average_rate(times_ms: Sequence[Fraction]) -> Fraction:
    span = times_ms[-1] - times_ms[0]
    return (Fraction(len(times_ms) - 1) * 1000 / span).limit_denominator(1001)


def _picture(number: int, time_ms: Fraction, recipe: Recipe) -> VideoFrame:
    width, height = recipe.size
    rows, columns = np.mgrid[0:height, 0:width]
    gray = ((rows + columns + 3 * number) % 128 + 64).astype(np.uint8)
    block = width // BITS
    for bit in range(BITS):
        gray[:CODE_HEIGHT, bit * block : (bit + 1) * block] = 235 if number >> bit & 1 else 16
    stored = np.ascontiguousarray(np.rot90(gray, k=-round(recipe.rotation / 90)))
    frame = VideoFrame.from_ndarray(stored, format="gray").reformat(format=recipe.pix_fmt)
    frame.pts = round(time_ms * TICKS_PER_S / 1000)
    frame.time_base = Fraction(1, TICKS_PER_S)
    return frame


def _beeps(times_ms: Sequence[Fraction]) -> Iterator[AudioFrame]:
    first = round(times_ms[0] * SAMPLE_RATE / 1000)
    last = round((times_ms[-1] + (times_ms[-1] - times_ms[0]) / (len(times_ms) - 1)) * SAMPLE_RATE / 1000)
    for start in range(first, last, 1024):
        index = np.arange(start, min(start + 1024, last))
        wave: NDArray[np.float32] = np.sin(2 * np.pi * 1000 * index / SAMPLE_RATE).astype(np.float32) * 0.5
        wave[index % SAMPLE_RATE >= SAMPLE_RATE * BEEP_MS // 1000] = 0
        frame = AudioFrame.from_ndarray(wave.reshape(1, -1), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        yield frame
