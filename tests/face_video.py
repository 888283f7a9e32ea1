"""Videos with faces at known places and times, put together from packaged photos and films."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from infra.demo_media import find_media

Image = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Cutout:
    """A part of a picture around one face: uint8 [H, W, 3], red first, and the face's middle and width in it, in px."""

    image: Image
    x: float
    y: float
    width: float

    def scaled_to(self, width: float) -> "Cutout":
        """The face at another width."""
        factor = width / self.width
        interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        image = cv2.resize(self.image, None, fx=factor, fy=factor, interpolation=interpolation)
        return Cutout(image.astype(np.uint8), self.x * factor, self.y * factor, width)


@dataclass(frozen=True, eq=False)
class Placed:
    """A face whose middle stands at x, y of the upright picture and is `width` px wide."""

    cutout: Cutout
    x: float
    y: float
    width: float


# Middle and width of each face as the detector sees it in the first picture of its file.
_FACES = {
    "man": ("single_face.mp4", 295, 203, 166),
    "runner": ("WolfgangLanger_Pexels.mp4", 432, 227, 223),
    "group 1": ("multi_face.jpg", 733, 362, 108),
    "group 2": ("multi_face.jpg", 475, 271, 82),
    "group 3": ("multi_face.jpg", 360, 304, 101),
    "group 4": ("multi_face.jpg", 578, 378, 102),
}
PEOPLE = tuple(_FACES)
_ROOM = 0.95  # on every side of a face's middle, in widths of the face
_GREY = 110
_TICKS_PER_S = 90_000


@lru_cache
def cutout(person: str) -> Cutout:
    """One of `PEOPLE`, whose face was found in a packaged file."""
    file, x, y, width = _FACES[person]
    with av.open(str(find_media(file))) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    left, top = max(0, round(x - _ROOM * width)), max(0, round(y - _ROOM * width))
    part = picture[top : round(y + _ROOM * width), left : round(x + _ROOM * width)]
    return Cutout(np.ascontiguousarray(part, np.uint8), x - left, y - top, width)


def compose(size: tuple[int, int], faces: Iterable[Placed]) -> Image:
    """Puts faces on grey: uint8 [H, W, 3], red first; what reaches over the edge is cut off."""
    picture: Image = np.full((size[1], size[0], 3), _GREY, np.uint8)
    for face in faces:
        scaled = face.cutout.scaled_to(face.width)
        left, top = round(face.x - scaled.x), round(face.y - scaled.y)
        height, width = scaled.image.shape[:2]
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(size[0], left + width), min(size[1], top + height)
        if x0 < x1 and y0 < y1:
            picture[y0:y1, x0:x1] = scaled.image[y0 - top : y1 - top, x0 - left : x1 - left]
    return picture


def walk(pictures: int, *, size: tuple[int, int] = (640, 360), width: float = 100) -> list[Placed]:
    """The man, who walks to the right by a third of his face's width a picture: his place in each."""
    return [Placed(cutout("man"), size[0] / 4 + n * width / 3, size[1] * 0.55, width) for n in range(pictures)]


def woven(first: Image, second: Image) -> Image:
    """Two moments as the two fields of one picture."""
    picture = first.copy()
    picture[1::2] = second[1::2]
    return picture


def write_video(path: Path, pictures: Sequence[Image], **changes: Any) -> Path:
    """Writes upright pictures, uint8 [H, W, 3], red first.

    Args:
        path: its end says in which container.
        pictures: all of one size.
        changes: fields of `Coding` to set.
    """
    coding = Coding(**changes)
    if coding.fps is not None:
        pictures = [picture for picture in pictures for _ in range(coding.fps // 5)]
    ticks_per_s = coding.fps or _TICKS_PER_S
    times_ms = coding.times_ms or [Fraction(1000 * n, coding.fps or 5) for n in range(len(pictures))]
    stored = [np.ascontiguousarray(np.rot90(picture, k=-coding.rotation // 90), np.uint8) for picture in pictures]
    with av.open(str(path), "w") as out:
        stream = out.add_stream(coding.codec, rate=coding.fps or 25, options=dict(coding.options))
        stream.width, stream.height, stream.pix_fmt = stored[0].shape[1], stored[0].shape[0], coding.pix_fmt
        stream.time_base = stream.codec_context.time_base = Fraction(1, ticks_per_s)
        stream.gop_size, stream.max_b_frames = coding.gop, coding.b_frames
        if coding.sample_aspect is not None:
            stream.codec_context.sample_aspect_ratio = coding.sample_aspect
        if coding.rotation:
            stream.set_display_rotation(coding.rotation)
        for picture, time_ms in zip(stored, times_ms, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format=coding.pix_fmt)
            frame.pts, frame.time_base = round(time_ms * ticks_per_s / 1000), Fraction(1, ticks_per_s)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@dataclass(frozen=True, kw_only=True)
class Coding:
    """How to code a video; five pictures a second if no times are given."""

    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    options: Mapping[str, str] = field(default_factory=lambda: {"preset": "ultrafast"})
    gop: int = 10
    b_frames: int = 0
    rotation: int = 0  # degrees counter-clockwise that a player must turn the stored picture
    times_ms: Sequence[Fraction] | None = None
    sample_aspect: Fraction | None = None
    fps: int | None = None  # each picture is repeated to make so many a second, for codecs that want a regular rate
