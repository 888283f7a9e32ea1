"""BlazeFace, full range, on square tiles: where YuNet's package is not to be had."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from streams.vision.detect import ChipView, Detection, DlibSquare, distinct
from streams.vision.session import open_session

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

TILE_PX = 192
_STRIDE_PX = 4
_SQUARE = DlibSquare(dx=-0.0023, dy=0.0162, side=0.9573)
# A tile is the picture's shorter side, as in 640x360, up to this; of a larger picture, such as the 960x540 for far
# faces, it is smaller than that: else shrinking to 192 px would take the detail away again.
_LARGEST_TILE_PX = 480
_SMALL_TILE_PX = 360
# Neighbouring tiles begin at most this part of a tile apart: a face as wide as the rest is whole in one of them.
_MAX_STEP = 0.75
# It is at its best from 0.5 on: its odds are raised so that this reads 0.6, as with the other detectors. Over 39 faces
# in packaged media 0.5 finds 39 and 0.6 35, with one more box either way (measured).
_ODDS = np.float32((0.6 / 0.4) / (0.5 / 0.5))
# Made for small faces: with 5 px around a chip a third of true faces passes the second look, with 150 px all of them
# (scores .73 to .95) and none of 280 pieces of background (at most .54; measured). The points are fitted on labelled
# faces.
_CHIP_VIEW = ChipView(
    border_px=150, points=np.array([[47.35, 46.55], [101.61, 46.45], [72.44, 79.27], [73.76, 104.23]], np.float32)
)


class BlazefaceDetector:
    """BlazeFace over ONNX Runtime, on overlapping squares of the picture.

    Points: both eyes, the tip of the nose and the middle of the mouth, left in the picture first. It gives the ears
    too, but on a face seen from the front they are guesses.
    """

    # 640 px where YuNet looks at 960: tiles of it show faces of 60 px as well; more of them would cost three times as
    # much and cut the largest faces.
    detail = 2 / 3
    chip_view = _CHIP_VIEW

    def __init__(self, model: Path) -> None:
        self._session = open_session(model)

    def detect(self, bgr: Image, *, min_score: float, max_overlap: float, scale: float = 1.0) -> list[Detection]:
        """See `FaceDetector.detect`."""
        origins, side = _tiles(bgr.shape[0], bgr.shape[1])
        tiles = np.stack([_tile(bgr, x, y, side) for x, y in origins])
        rows = self._session.run(None, {"bgr": tiles})[0]
        odds = _ODDS * rows[:, :, 0]
        scores = odds / (odds + 1 - rows[:, :, 0])
        kept = scores >= min_score
        number, cell = np.nonzero(kept)
        found = rows[kept]
        unit = np.float32(side / TILE_PX * scale)
        corner = np.array(origins, np.float32)[number] * np.float32(scale)
        centers = (_cells()[cell] + found[:, 1:3]) * unit + corner
        points = (_cells()[cell][:, None] + found[:, 5:].reshape(-1, 6, 2)) * unit + corner[:, None]
        squares = _SQUARE.around(centers, found[:, 3:5] * unit)
        return distinct(scores[kept], squares, points[:, : len(_CHIP_VIEW.points)], max_overlap)


def _tiles(height: int, width: int) -> tuple[list[tuple[int, int]], int]:
    """Returns the corners x, y of the tiles that cover the picture evenly, and their side in px."""
    short_side = min(height, width)
    side = short_side if short_side <= _LARGEST_TILE_PX else _SMALL_TILE_PX
    return [(x, y) for y in _starts(height, side) for x in _starts(width, side)], side


def _starts(length: int, side: int) -> list[int]:
    steps = int(np.ceil((length - side) / (side * _MAX_STEP)))
    return [round((length - side) * step / steps) for step in range(steps + 1)] if steps else [0]


def _tile(bgr: Image, x: int, y: int, side: int) -> Image:
    interpolation = cv2.INTER_AREA if side > TILE_PX else cv2.INTER_LINEAR
    tile = cv2.resize(bgr[y : y + side, x : x + side], (TILE_PX, TILE_PX), interpolation=interpolation)
    return tile.astype(np.uint8, copy=False)


@lru_cache(maxsize=1)
def _cells() -> Floats:
    """float32 [2304, 2]: the centre x, y of each cell in px of the tile, in the order of the model's rows."""
    rows, columns = np.mgrid[0:TILE_PX:_STRIDE_PX, 0:TILE_PX:_STRIDE_PX]
    return (np.stack([columns.ravel(), rows.ravel()], axis=1) + _STRIDE_PX / 2).astype(np.float32)
