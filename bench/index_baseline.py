"""Finding and embedding faces the way it is usually written with dlib; the detector and the models are dlib's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import dlib
import numpy as np
import numpy.typing as npt

from streams.vision.models.sources import PREDICTOR, RESNET

Image = npt.NDArray[np.uint8]
_FAIR_LINES = 720


class DlibFaces:
    """dlib's HOG detector, five-point predictor and network. Processor time of a face's embedding: about 0.1 s."""

    def __init__(self) -> None:
        self.detector = dlib.get_frontal_face_detector()
        self._predictor = dlib.shape_predictor(str(PREDICTOR.locate()))
        self._network = dlib.face_recognition_model_v1(str(RESNET.locate()))

    def embed(self, rgb: Image, rectangles: Sequence[object]) -> list[npt.NDArray[np.float64]]:
        """A vector float64 [128] for each rectangle, without jitter."""
        return [
            np.array(self._network.compute_face_descriptor(rgb, self._predictor(rgb, rectangle), 0))
            for rectangle in rectangles
        ]


@dataclass(frozen=True)
class Baseline:
    """`lines` is the height that the detector works at, in grey; None for the picture as it is, in colour."""

    lines: int | None
    upsample: int

    def look(self, rgb: Image, faces: DlibFaces) -> list[npt.NDArray[np.float64]]:
        """The vectors of the faces in a picture uint8 [H, W, 3], red first."""
        if self.lines is None:
            return faces.embed(rgb, list(faces.detector(rgb, self.upsample)))
        scale = rgb.shape[0] / self.lines
        size = (round(rgb.shape[1] / scale), self.lines)
        grey = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
        found = faces.detector(grey, self.upsample)
        return faces.embed(rgb, [_scaled(rectangle, scale) for rectangle in found])


def _scaled(rectangle: "dlib.rectangle", scale: float) -> "dlib.rectangle":
    return dlib.rectangle(
        *(round(side * scale) for side in (rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom()))
    )


def baselines() -> Mapping[str, Baseline]:
    """By name: as people write it, and as somebody writes it who has measured."""
    return {"naive": Baseline(lines=None, upsample=1), "fair": Baseline(lines=_FAIR_LINES, upsample=0)}
