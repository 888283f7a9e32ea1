"""dlib's own detector: histograms of oriented gradients. The last resort, but it is always there."""

import cv2
import dlib
import numpy as np
import numpy.typing as npt

from streams.vision.detect import ChipView, Detection, distinct

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

# Where the margin of its support vector machine stands for 0.6, and how fast the score rises with it.
_MARGIN_AT_06 = 0.2
_STEEPNESS = 2.0
_LOGIT_06 = float(np.log(0.6 / 0.4))
# Its boxes have few sizes: in a chip most are this one, larger than the chip's own. With 30 px around a chip 37 of 39
# true faces pass the second look, and none of 280 pieces of background (at most .36; measured).
_CHIP_VIEW = ChipView(border_px=30, points=np.array([[7, 7], [133, 7], [133, 133], [7, 133]], np.float32))


class HogDetector:
    """dlib's frontal face detector on the grey picture; it has no model file.

    Points: the corners of its box, clockwise from the upper left, as it knows no others.
    """

    # Its smallest face is 80 px wide: it gets twice the picture that the others work on.
    # 1280 px where YuNet looks at 960: its least face is 80 px.
    detail = 4 / 3
    chip_view = _CHIP_VIEW

    def __init__(self) -> None:
        self._detector = dlib.get_frontal_face_detector()

    def detect(self, bgr: Image, *, min_score: float, max_overlap: float, scale: float = 1.0) -> list[Detection]:
        """See `FaceDetector.detect`."""
        grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
        boxes, margins, _ = self._detector.run(grey, 0, _margin(min_score))
        squares = np.array(
            [[box.left(), box.top(), box.right() + 1, box.bottom() + 1] for box in boxes], np.float32
        ).reshape(-1, 4) * np.float32(scale)
        scores = 1 / (1 + np.exp(-_STEEPNESS * (np.array(margins, np.float32) - _MARGIN_AT_06) - _LOGIT_06))
        corners = squares[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
        return distinct(scores.astype(np.float32), squares, corners, max_overlap)


def _margin(score: float) -> float:
    """The margin that stands for a score of 0..1."""
    bounded = min(max(score, 1e-6), 1 - 1e-6)
    return _MARGIN_AT_06 + (float(np.log(bounded / (1 - bounded))) - _LOGIT_06) / _STEEPNESS
