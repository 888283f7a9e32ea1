"""Turns a face upright and to a fixed size, the way dlib's embedding network was trained."""

from pathlib import Path

import dlib
import numpy as np
import numpy.typing as npt

from streams.vision.box import Box
from streams.vision.models.model_set import CHIP_PX

Image = npt.NDArray[np.uint8]

# Part of the face's box added on each side; the network was trained on chips of this margin.
CHIP_PADDING = 0.25


class Aligner:
    """dlib's five-point predictor; the detector's own points are worse under a tilted head.

    Measured at a tilt of 15 to 45 degrees: distance to the same person .40 with this, .54 to .58 with the detector's
    points.
    """

    def __init__(self, predictor: Path) -> None:
        self._predictor = dlib.shape_predictor(str(predictor))

    def chip(self, rgb: Image, box: Box, *, size_px: int = CHIP_PX, padding: float = CHIP_PADDING) -> Image:
        """Returns uint8 [size_px, size_px, 3], red first: the face upright, black where the picture ends.

        Args:
            rgb: uint8 [H, W, 3] contiguous, red first, in the source's full size.
            box: the face in pixels of `rgb`, as dlib's detector would draw it.
            size_px: side of the chip.
            padding: margin on each side, in sides of the face.
        """
        rectangle = dlib.rectangle(round(box.x0), round(box.y0), round(box.x1) - 1, round(box.y1) - 1)
        chip: Image = dlib.get_face_chip(rgb, self._predictor(rgb, rectangle), size_px, padding)
        return chip
