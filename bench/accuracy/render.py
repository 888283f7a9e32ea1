"""Turns a film's plan into a video file, and says where each face was."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from bench.accuracy.effects import bright_sky, dim, in_shade, motion_blur, soft_mask, to_pixels
from bench.accuracy.plan import FPS, FRAME_MS, HEIGHT, WIDTH, Film, Kind, Pass
from infra.demo_media import find_media
from streams.vision.box import Box

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_BACKGROUNDS = {"street": "bikes.mp4", "sky": "no_face.mp4"}
# x264's constant rate factor: as good cameras write it; what their bit rate leaves of noise; a poor connection.
_CRF, _CRF_OF = 20, {Kind.DIM: 28, Kind.COMPRESSED: 40}
# Turning in the plane while running, in degrees; up and down, in widths of the face; coming nearer, in all.
_SWAY_DEG, _BOB, _NEARER = 3.0, 0.06, 0.06
_STEPS_PER_S = 2.5


def write_film(film: Film, path: Path) -> None:
    """Renders the film as H.264 in an MP4 file. Equal plans give equal pictures."""
    random = np.random.default_rng(len(film.passes))
    crf = _CRF_OF.get(film.kind, _CRF)
    with av.open(str(path), "w", format="mp4") as out:
        video = out.add_stream("libx264", rate=FPS, options={"preset": "superfast", "crf": str(crf), "g": str(2 * FPS)})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.time_base = Fraction(1, FPS)
        for number, picture in enumerate(_pictures(film, random)):
            frame = VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            out.mux(video.encode(frame))
        out.mux(video.encode())


def face_box(each: Pass, time_ms: int) -> Box:
    """Where the face of somebody who passes is at that time, px."""
    (x, y), width, _turn = _motion(each, time_ms)
    return Box(x - width / 2, y - width / 2, x + width / 2, y + width / 2)


def _pictures(film: Film, random: np.random.Generator) -> Iterator[Image]:
    for number in range(film.duration_ms // FRAME_MS):
        time_ms = number * FRAME_MS
        frame = _background(film, time_ms)
        if film.kind is Kind.BACKLIT:
            frame = bright_sky(frame)
        for each in film.passes:
            if each.start_ms <= time_ms < each.end_ms:
                _paste(frame, each, time_ms, shade=film.kind is Kind.BACKLIT)
        yield dim(frame, random) if film.kind is Kind.DIM else frame


def _motion(each: Pass, time_ms: int) -> tuple[tuple[float, float], float, float]:
    """Centre of the face, its width, and its turn in degrees."""
    part = (time_ms - each.start_ms) / (each.end_ms - each.start_ms) - 0.5
    step = 2 * np.pi * _STEPS_PER_S * (time_ms - each.start_ms) / 1000
    width = each.face_px * (1 + _NEARER * part)
    x = each.center[0] + each.way_px * part
    y = each.center[1] + _BOB * width * float(np.sin(step))
    return (x, y), width, each.tilt_deg + _SWAY_DEG * float(np.sin(step / 2))


def _paste(frame: Image, each: Pass, time_ms: int, *, shade: bool) -> None:
    (x, y), width, turn = _motion(each, time_ms)
    part = (time_ms - each.start_ms) / (each.end_ms - each.start_ms)
    picture = each.person.pictures[each.pictures[int(part * len(each.pictures))]]
    scale = each.face_px / picture.face.width
    size = (round(picture.rgb.shape[1] * scale), round(picture.rgb.shape[0] * scale))
    # Scaled at once by the area filter where it shrinks, so that turning it below makes no false detail.
    head = cv2.resize(picture.rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    layers = np.concatenate([head.astype(np.float32), 255 * soft_mask(*head.shape[:2])], axis=2)
    half = int(0.75 * max(size)) + round(each.blur * width) + 4
    left, top = round(x) - half, round(y) - half
    center_x, center_y = (side * scale for side in picture.face.center)
    matrix = np.asarray(cv2.getRotationMatrix2D((center_x, center_y), turn, width / each.face_px), np.float64)
    matrix[:, 2] += (x - left - center_x, y - top - center_y)
    moved = cv2.warpAffine(layers, matrix, (2 * half, 2 * half), flags=cv2.INTER_LINEAR).astype(np.float32)
    # Weighted by the mask before smearing, so that the edge takes no black in.
    alpha = moved[..., 3:] / 255
    weighted = np.concatenate([moved[..., :3] * alpha, alpha], axis=2)
    if each.blur:
        weighted = motion_blur(weighted, each.blur * width)
    if shade:
        weighted[..., :3] = in_shade(weighted[..., :3], weighted[..., 3:])
    _blend(frame, weighted, left, top)


def _blend(frame: Image, weighted: Floats, left: int, top: int) -> None:
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(WIDTH, left + weighted.shape[1]), min(HEIGHT, top + weighted.shape[0])
    layer = weighted[y0 - top : y1 - top, x0 - left : x1 - left]
    under = frame[y0:y1, x0:x1]
    frame[y0:y1, x0:x1] = to_pixels(layer[..., :3] + under * (1 - layer[..., 3:]))


def _background(film: Film, time_ms: int) -> Image:
    half = film.duration_ms // 2
    name = "sky" if not film.passes and time_ms >= half else "street"
    frames = _film_frames(_BACKGROUNDS[name])
    number = round((film.background_s + time_ms / 1000) * 25) % len(frames)
    small = frames[number]
    scale = max(WIDTH / small.shape[1], HEIGHT / small.shape[0])
    large = cv2.resize(small, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    left, top = (large.shape[1] - WIDTH) // 2, (large.shape[0] - HEIGHT) // 2
    return np.ascontiguousarray(large[top : top + HEIGHT, left : left + WIDTH]).astype(np.uint8)


@cache
def _film_frames(name: str) -> tuple[Image, ...]:
    with av.open(str(find_media(name))) as container:
        return tuple(
            frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
            for frame in container.decode(container.streams.video[0])
        )
