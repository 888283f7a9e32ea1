from pathlib import Path

import cv2
import numpy as np
import pytest

from streams.vision.detectors.blazeface import BlazefaceDetector, _starts, _tiles
from streams.vision.models.choice import DetectorKind, ModelChoice
from streams.vision.models.store import build_models
from tests.media import shared_folder
from tests.streams.vision.pictures import Image, photo


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> BlazefaceDetector:
    folder = shared_folder(tmp_path_factory) / "models"
    path = build_models(folder, ModelChoice(detector=DetectorKind.BLAZEFACE)).detector
    assert isinstance(path, Path)
    return BlazefaceDetector(path)


def on_grey(face_px: int, height: int, width: int, x: int) -> Image:
    """bgr: the man's photo, his face so many px wide, with the photo's left edge at `x`."""
    bgr = np.ascontiguousarray(photo("single_face.jpg")[..., ::-1])
    factor = face_px / 199  # its width in the photo
    small = cv2.resize(bgr, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    canvas = np.full((height, width, 3), 128, np.uint8)
    y = (height - small.shape[0]) // 2
    canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
    return canvas


@pytest.mark.parametrize("x", [0, 130, 260, 390, 490])
def test_a_face_is_seen_once_wherever_tiles_meet(detector: BlazefaceDetector, x: int) -> None:
    (face,) = detector.detect(on_grey(50, 360, 640, x), min_score=0.6, max_overlap=0.5)
    assert face.box.width == pytest.approx(50, rel=0.25)
    assert x < face.box.x0 < face.box.x1 < x + 144


@pytest.mark.parametrize("x", [0, 100, 200])
def test_tiles_go_down_an_upright_picture(detector: BlazefaceDetector, x: int) -> None:
    assert len(detector.detect(on_grey(50, 640, 360, x), min_score=0.6, max_overlap=0.5)) == 1


def test_the_larger_picture_for_far_faces_shows_smaller_ones(detector: BlazefaceDetector) -> None:
    """The same face at 36 px of a 1080p frame: unseen in 640x360, seen in 960x540."""
    near, far = on_grey(12, 360, 640, 300), on_grey(18, 540, 960, 450)
    assert detector.detect(near, min_score=0.6, max_overlap=0.5) == []
    assert len(detector.detect(far, min_score=0.6, max_overlap=0.5)) == 1


def test_points_are_eyes_nose_and_mouth(detector: BlazefaceDetector) -> None:
    (face,) = detector.detect(on_grey(100, 360, 640, 200), min_score=0.6, max_overlap=0.5)
    left, right, nose, mouth = face.points
    assert face.box.x0 < left[0] < nose[0] < right[0] < face.box.x1
    assert max(left[1], right[1]) < nose[1] < mouth[1] < face.box.y1


@pytest.mark.parametrize(
    ("height", "width", "count", "side"),
    [(360, 640, 3, 360), (640, 360, 3, 360), (480, 640, 2, 480), (540, 960, 8, 360), (192, 192, 1, 192), (1, 1, 1, 1)],
)
def test_tiles_cover_the_picture(height: int, width: int, count: int, side: int) -> None:
    corners, tile_px = _tiles(height, width)
    assert (len(corners), tile_px) == (count, side)
    assert min(corners) == (0, 0)
    assert max(corners) == (width - side, height - side)


@pytest.mark.parametrize("length", range(100, 1000, 37))
def test_tiles_overlap_by_a_quarter_at_least(length: int) -> None:
    starts = _starts(length, 100)
    steps = np.diff(starts)
    assert (steps <= 76).all()  # one for rounding
    assert starts[-1] == length - 100
