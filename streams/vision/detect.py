"""What a face detector is, and what all of them share. The detectors themselves are in `streams.vision.detectors`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from streams.vision.box import Box

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Detection:
    """One face: score 0..1, box like dlib's detector draws it, float32 [k, 2] points x, y.

    Which points these are is the detector's own; `FaceDetector.chip_view` says where they belong.
    """

    score: float
    box: Box
    points: Floats

    def moved(self, dx: float, dy: float) -> "Detection":
        """This face in a picture whose corner lies `dx` and `dy` pixels to the left and above."""
        box = Box(self.box.x0 + dx, self.box.y0 + dy, self.box.x1 + dx, self.box.y1 + dy)
        return Detection(self.score, box, self.points + np.array([dx, dy], np.float32))


@dataclass(frozen=True, eq=False)
class ChipView:
    """How a detector sees dlib's upright chips of 150 px.

    Attributes:
        border_px: What is put around a chip before it looks: some miss a face that fills the picture.
        points: float32 [k, 2], where its points lie in a chip on the mean.
    """

    border_px: int
    points: Floats


class FaceDetector(Protocol):
    """Finds faces in a picture; safe to share between threads."""

    @property
    def detail(self) -> float:
        """How many times as large as the recipe's its picture must be: the factor on `detect_side_px`."""

    @property
    def chip_view(self) -> ChipView:
        """How it sees an upright chip."""

    def detect(self, bgr: Image, *, min_score: float, max_overlap: float, scale: float = 1.0) -> list[Detection]:
        """Returns the faces of at least `min_score`, best first, each once.

        Args:
            bgr: uint8 [H, W, 3], blue first, in the size the detector shall work at.
            min_score: the least score that counts; 0.6 is where each detector works best.
            max_overlap: two boxes are one face where their overlap is at least this part of the smaller one.
            scale: factor from `bgr` to the picture that boxes and points are wanted in.
        """


@dataclass(frozen=True)
class DlibSquare:
    """How dlib's detector draws the face of a detector's box; dlib's predictor was trained on its squares.

    Fitted on faces that both found. `dx`, `dy`: from the box's centre to the square's, `side`: the square's side, all
    in the geometric mean of the box's sides.
    """

    dx: float
    dy: float
    side: float

    def around(self, centers: Floats, sides: Floats) -> Floats:
        """Returns float32 [n, 4] squares x0, y0, x1, y1 for float32 [n, 2] centres and sides of boxes."""
        unit = np.sqrt(sides.prod(axis=1, keepdims=True))
        middle = centers + unit * np.array([self.dx, self.dy], np.float32)
        half = unit * np.float32(self.side / 2)
        return np.concatenate([middle - half, middle + half], axis=1)


def distinct(scores: Floats, squares: Floats, points: Floats, max_overlap: float) -> list[Detection]:
    """Returns each face once, best first: non-maximum suppression by overlap over the smaller square.

    Args:
        scores: float32 [n], 0..1.
        squares: float32 [n, 4], x0, y0, x1, y1 of squares as dlib draws them.
        points: float32 [n, k, 2].
        max_overlap: two squares are one face where their overlap is at least this part of the smaller one.
    """
    order = np.argsort(-scores, kind="stable")
    found = []
    while order.size:
        best, order = order[0], order[1:]
        found.append(Detection(float(scores[best]), Box(*map(float, squares[best])), points[best]))
        order = order[_overlap(squares[best], squares[order]) < max_overlap]
    return found


def once(faces: Sequence[Detection], max_overlap: float) -> list[Detection]:
    """Returns each face once, best first, of those that were found in several parts of a picture."""
    scores = np.array([face.score for face in faces], np.float32)
    squares = np.array([[face.box.x0, face.box.y0, face.box.x1, face.box.y1] for face in faces], np.float32)
    return distinct(scores, squares, np.stack([face.points for face in faces]), max_overlap)


def _overlap(one: Floats, others: Floats) -> Floats:
    """float32 [n]: the part of the smaller of two squares that both cover."""
    shared = np.minimum(one[2:], others[:, 2:]) - np.maximum(one[:2], others[:, :2])
    smaller = np.minimum(one[2] - one[0], others[:, 2] - others[:, 0])
    overlap: Floats = shared.clip(min=0).prod(axis=1) / smaller**2
    return overlap
