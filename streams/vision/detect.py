"""Finds faces in a picture with YuNet."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from streams.vision.box import Box
from streams.vision.session import open_session

Image = npt.NDArray[np.uint8]

_STRIDES = (8, 16, 32)
_MULTIPLE_PX = 32
# dlib's predictor was trained on the boxes of dlib's own detector. Fitted on faces that both found: dlib's box is a
# square around YuNet's centre moved by this part of YuNet's width (geometric mean of the sides), of this relative side.
_DLIB_DX, _DLIB_DY, _DLIB_SIDE = -0.0164, 0.0663, 0.9313


@dataclass(frozen=True, eq=False)
class Detection:
    """One face: score 0..1, box like dlib's detector draws it, float32 [5, 2] points x, y.

    The points are both eyes, the tip of the nose and both corners of the mouth, left in the picture first.
    """

    score: float
    box: Box
    points: npt.NDArray[np.float32]


class FaceDetector:
    """YuNet over ONNX Runtime; safe to share between threads."""

    def __init__(self, model: Path) -> None:
        self._session = open_session(model)

    def detect(self, bgr: Image, *, min_score: float, max_overlap: float, scale: float = 1.0) -> list[Detection]:
        """Returns the faces of at least `min_score`, best first, each once.

        Args:
            bgr: uint8 [H, W, 3], blue first, in the size the detector shall work at.
            min_score: the least score that counts.
            max_overlap: two boxes are one face where their overlap is at least this part of the smaller one.
            scale: factor from `bgr` to the picture that boxes and points are wanted in.
        """
        height, width = bgr.shape[:2]
        bottom, right = -height % _MULTIPLE_PX, -width % _MULTIPLE_PX
        if bottom or right:
            bgr = cv2.copyMakeBorder(bgr, 0, bottom, 0, right, cv2.BORDER_CONSTANT).astype(np.uint8, copy=False)
        rows = self._session.run(None, {"bgr": bgr[None]})[0][0]
        cells = _cells(bgr.shape[0], bgr.shape[1])
        kept = rows[:, 0] >= min_score
        return _distinct(_decode(rows[kept], cells[kept], scale), max_overlap)


def _cells(height: int, width: int) -> npt.NDArray[np.float32]:
    """Returns float32 [n, 3]: column, row and stride of each cell, in the order of the model's rows."""
    parts = []
    for stride in _STRIDES:
        rows, columns = np.mgrid[0 : height // stride, 0 : width // stride]
        parts.append(np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, stride)], axis=1))
    return np.concatenate(parts).astype(np.float32)


def _decode(rows: npt.NDArray[np.float32], cells: npt.NDArray[np.float32], scale: float) -> list[Detection]:
    origins, strides = cells[:, :2], cells[:, 2:]
    centers = (origins + rows[:, 1:3]) * strides * scale
    sides = np.exp(rows[:, 3:5]) * strides * scale
    points = (rows[:, 5:].reshape(-1, 5, 2) + origins[:, None]) * strides[:, None] * scale
    return [
        Detection(float(score), _dlib_square(center, side), face)
        for score, center, side, face in zip(rows[:, 0], centers, sides, points, strict=True)
    ]


def _dlib_square(center: npt.NDArray[np.float32], sides: npt.NDArray[np.float32]) -> Box:
    mean_side = float(np.sqrt(sides[0] * sides[1]))
    x, y = float(center[0]) + _DLIB_DX * mean_side, float(center[1]) + _DLIB_DY * mean_side
    half = _DLIB_SIDE * mean_side / 2
    return Box(x - half, y - half, x + half, y + half)


def _distinct(faces: list[Detection], max_overlap: float) -> list[Detection]:
    """Non-maximum suppression by overlap over the smaller box."""
    kept: list[Detection] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(_overlap(face.box, other.box) < max_overlap for other in kept):
            kept.append(face)
    return kept


def _overlap(a: Box, b: Box) -> float:
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(a.width, b.width) ** 2
