"""Footage for the cost of indexing: 1080p at 25 pictures a second and 8 Mb/s, with faces in about every sample."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import cycle
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from infra.demo_media import find_media

WIDTH, HEIGHT, FPS = 1920, 1080, 25
BIT_RATE = 8_000_000
_TILE_WIDTH, _TILE_HEIGHT = 640, 360
_SHOT_S = 4
# Films with a face in nearly every picture: the man's, 2.4 s, and a stranger's, 19 s.
_FILMS = ("single_face.mp4", "WolfgangLanger_Pexels.mp4")

Planes = npt.NDArray[np.uint8]


def build(path: Path, *, seconds: int, b_frames: int) -> None:
    """A film walks through a picture that pans over a rough surface with grain: neither trivial to code nor noise.

    The film changes every few seconds, so that there is one face at a time.

    Args:
        path: where to write the MP4.
        seconds: its length.
        b_frames: pictures between two that are predicted forwards; 3 is x264's default, 0 what most phones write.
    """
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        options = {"preset": "medium", "bf": str(b_frames), "maxrate": str(BIT_RATE), "bufsize": str(2 * BIT_RATE)}
        video: VideoStream = out.add_stream("libx264", rate=FPS, options=options)
        video.width, video.height, video.pix_fmt, video.gop_size = WIDTH, HEIGHT, "yuv420p", 2 * FPS
        video.bit_rate = BIT_RATE
        video.codec_context.time_base = Fraction(1, FPS)
        for number, planes in enumerate(_pictures(seconds * FPS)):
            frame = VideoFrame.from_ndarray(planes, "yuv420p")
            frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, FPS), PictureType.NONE
            out.mux(video.encode(frame))
        out.mux(video.encode())


def _pictures(count: int) -> Iterator[Planes]:
    random = np.random.default_rng(1)
    coarse = random.integers(60, 196, (HEIGHT // 8, (WIDTH + 4 * count) // 8 + 1), dtype=np.uint8)
    surface = np.kron(coarse, np.ones((8, 8), np.uint8))
    grain = random.integers(0, 9, (8, HEIGHT, WIDTH), dtype=np.uint8)
    films = [_tiles(name) for name in _FILMS]
    for number in range(count):
        planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        planes[:HEIGHT] = surface[:, 4 * number : 4 * number + WIDTH] + grain[number % len(grain)]
        shot, moment = divmod(number, _SHOT_S * FPS)
        left = 2 * ((100 + 700 * (shot % 2) + 3 * moment) // 2)
        _put(planes, next(films[shot % len(films)]), left=left, top=160 + 300 * (shot % 2))
        yield planes


def _tiles(name: str) -> Iterator[Planes]:
    """The film's pictures, scaled, over and over, forwards and backwards."""
    with av.open(str(find_media(name))) as film:
        tiles = [
            frame.reformat(_TILE_WIDTH, _TILE_HEIGHT, "yuv420p", interpolation="BICUBIC")
            .to_ndarray()
            .astype(np.uint8, copy=False)
            for frame in film.decode(video=0)
        ]
    return cycle([*tiles, *reversed(tiles)])


def _put(planes: Planes, tile: Planes, *, left: int, top: int) -> None:
    planes[top : top + _TILE_HEIGHT, left : left + _TILE_WIDTH] = tile[:_TILE_HEIGHT]
    half_height, half_width = _TILE_HEIGHT // 2, _TILE_WIDTH // 2
    colours = planes[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    tiles = tile[_TILE_HEIGHT:].reshape(2, half_height, half_width)
    colours[:, top // 2 : top // 2 + half_height, left // 2 : left // 2 + half_width] = tiles
