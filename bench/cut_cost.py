"""Prints what one clip costs in processor time: copied and proved, and encoded with x264 (veryfast) and proved.

    python -m bench.cut_cost [VIDEO] [--start-ms 3360] [--length-ms 10000] [--quality 23]

Without VIDEO it first makes 14 s of 1080p at 25 pictures a second and 8 Mb/s, with a keyframe every 2 s. Both ways are
measured in one run, over the same window; the cheaper one five times, of which the middle is printed.
"""

import argparse
import statistics
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streams.render.cut import CutLimits, cut
from streams.render.cut_outcome import Clip
from streams.render.cut_plan import CopyPolicy

WIDTH, HEIGHT, FPS, LENGTH_S = 1920, 1080, 25, 14
SAMPLE_RATE = 48_000
COPIES = 5


def build(path: Path) -> None:
    """A camera that pans over a rough surface, with some grain, and a hum: neither trivial to code nor pure noise."""
    random = np.random.default_rng(1)
    coarse = random.integers(16, 236, (HEIGHT // 8 + 8, (WIDTH + 8 * FPS * LENGTH_S) // 8), dtype=np.uint8)
    surface = np.kron(coarse, np.ones((8, 8), dtype=np.uint8))
    grain = random.integers(0, 12, (8, HEIGHT, WIDTH), dtype=np.uint8)
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as output:
        video: VideoStream = output.add_stream("libx264", rate=FPS, options={"preset": "veryfast"})
        video.width, video.height, video.pix_fmt, video.gop_size = WIDTH, HEIGHT, "yuv420p", 2 * FPS
        video.bit_rate = 8_000_000
        audio = output.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        output.start_encoding()
        hum = (np.sin(np.arange(SAMPLE_RATE) * 2 * np.pi * 200 / SAMPLE_RATE) * 0.3).astype(np.float32)
        for number in range(FPS * LENGTH_S):
            gray = surface[:HEIGHT, 8 * number : 8 * number + WIDTH] // 2 + 60 + grain[number % len(grain)]
            frame = VideoFrame.from_ndarray(np.ascontiguousarray(gray), format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            output.mux(video.encode(frame))
            if number % FPS == 0:
                sound = av.AudioFrame.from_ndarray(hum.reshape(1, -1), format="fltp", layout="mono")
                sound.sample_rate, sound.pts = SAMPLE_RATE, number // FPS * SAMPLE_RATE
                sound.time_base = Fraction(1, SAMPLE_RATE)
                output.mux(audio.encode(sound))
        output.mux(video.encode(None))
        output.mux(audio.encode(None))


def measured(video: Path, path: Path, window: tuple[int, int], quality: int, limits: CutLimits) -> tuple[float, Clip]:
    """Processor ms of all threads, and the clip."""
    began = time.process_time()
    clip = cut(str(video), path, *window, quality, limits)
    return (time.process_time() - began) * 1000, clip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--start-ms", type=int, default=3_360)
    parser.add_argument("--length-ms", type=int, default=10_000)
    parser.add_argument("--quality", type=int, default=23)
    arguments = parser.parse_args()
    window = (arguments.start_ms, arguments.start_ms + arguments.length_ms)
    # No footage may be hidden: then nothing is copied.
    always_encode = CutLimits(copy=CopyPolicy(max_hidden_ms=-1))
    with tempfile.TemporaryDirectory() as folder:
        video = arguments.video or Path(folder) / "source.mp4"
        if arguments.video is None:
            build(video)
        path = Path(folder) / "clip.mp4"
        copies = [measured(video, path, window, arguments.quality, CutLimits()) for _ in range(COPIES)]
        copy_ms, copy = statistics.median(ms for ms, _ in copies), copies[0][1]
        encode_ms, encode = measured(video, path, window, arguments.quality, always_encode)
    print(f"{copy.method}: {copy_ms:.0f} cpu-ms, {copy.size_bytes / 1e6:.1f} MB")
    print(f"{encode.method}: {encode_ms:.0f} cpu-ms, {encode.size_bytes / 1e6:.1f} MB")
    print(f"{encode_ms / copy_ms:.0f} times as much")


if __name__ == "__main__":
    main()
