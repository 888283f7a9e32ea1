"""YuNet: the built model, or an operator's file of one of two signatures."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from streams.vision.detect import ChipView, Detection, DlibSquare, distinct
from streams.vision.session import open_session

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

STRIDES = (8, 16, 32)
_MULTIPLE_PX = 32
_SQUARE = DlibSquare(dx=-0.0164, dy=0.0663, side=0.9313)
# The points are fitted on labelled faces.
_CHIP_VIEW = ChipView(
    border_px=5,
    points=np.array([[45.62, 45.40], [100.10, 44.45], [74.31, 76.13], [52.78, 100.90], [98.23, 99.15]], np.float32),
)


class YunetDetector:
    """YuNet over ONNX Runtime.

    Points: both eyes, the tip of the nose and both corners of the mouth, left in the picture first.
    """

    detail = 1.0
    chip_view = _CHIP_VIEW

    def __init__(self, model: Path) -> None:
        """Opens the model: rows in one tensor (`models.yunet`), or as OpenCV's model zoo publishes it."""
        self._session = open_session(model)
        given = self._session.get_inputs()[0]
        self._input = given.name
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._in_one = len(self._outputs) == 1
        self._fixed = None if self._in_one or not isinstance(given.shape[2], int) else (given.shape[2], given.shape[3])

    def detect(self, bgr: Image, *, min_score: float, max_overlap: float, scale: float = 1.0) -> list[Detection]:
        """See `FaceDetector.detect`."""
        if self._fixed is not None:
            bgr, shrunk = _fitted(bgr, self._fixed)
            scale *= shrunk
        height, width = bgr.shape[:2]
        bottom, right = -height % _MULTIPLE_PX, -width % _MULTIPLE_PX
        if self._fixed is not None:
            bottom, right = self._fixed[0] - height, self._fixed[1] - width
        if bottom or right:
            bgr = cv2.copyMakeBorder(bgr, 0, bottom, 0, right, cv2.BORDER_CONSTANT).astype(np.uint8, copy=False)
        rows = self._rows(bgr)
        kept = rows[:, 0] >= min_score
        return _decode(rows[kept], _cells(bgr.shape[0], bgr.shape[1])[kept], scale, max_overlap)

    def _rows(self, bgr: Image) -> Floats:
        """float32 [n, 15] for each cell: score, dx, dy, log w, log h, 5 points x, y, all in strides."""
        if self._in_one:
            rows: Floats = self._session.run(None, {self._input: bgr[None]})[0][0]
            return rows
        pixels = bgr.transpose(2, 0, 1)[None].astype(np.float32)
        out = dict(zip(self._outputs, self._session.run(None, {self._input: pixels}), strict=True))
        levels = []
        for stride in STRIDES:
            kinds = (out[f"{kind}_{stride}"][0] for kind in ("cls", "obj", "bbox", "kps"))
            face, thing, boxes, points = kinds
            score = np.sqrt(face.reshape(-1, 1).clip(0, 1) * thing.reshape(-1, 1).clip(0, 1))
            levels.append(np.concatenate([score, boxes.reshape(-1, 4), points.reshape(-1, 10)], axis=1))
        return np.concatenate(levels)


def _fitted(bgr: Image, size: tuple[int, int]) -> tuple[Image, float]:
    """The picture shrunk into [height, width] where it is larger, and the factor back."""
    height, width = bgr.shape[:2]
    shrunk = max(1.0, height / size[0], width / size[1])
    if shrunk == 1.0:
        return bgr, shrunk
    wanted = (max(1, int(width / shrunk)), max(1, int(height / shrunk)))
    return cv2.resize(bgr, wanted, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False), shrunk


@lru_cache(maxsize=8)
def _cells(height: int, width: int) -> Floats:
    """Returns float32 [n, 3]: column, row and stride of each cell, in the order of the model's rows."""
    parts = []
    for stride in STRIDES:
        rows, columns = np.mgrid[0 : height // stride, 0 : width // stride]
        parts.append(np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, stride)], axis=1))
    return np.concatenate(parts).astype(np.float32)


def _decode(rows: Floats, cells: Floats, scale: float, max_overlap: float) -> list[Detection]:
    origins, units = cells[:, :2], cells[:, 2:] * np.float32(scale)
    centers = (origins + rows[:, 1:3]) * units
    sides = np.exp(rows[:, 3:5]) * units
    points = (rows[:, 5:].reshape(-1, 5, 2) + origins[:, None]) * units[:, None]
    return distinct(rows[:, 0], _SQUARE.around(centers, sides), points, max_overlap)
