"""What people write with the package face_recognition 1.3.0 and its defaults, by dlib's own calls.

`face_locations`: dlib's HOG detector on the whole RGB picture, upsampled once, boxes trimmed to the picture.
`face_encodings`: the five-point predictor ("small", its default), one crop (`num_jitters=1`), dlib's network.
`compare_faces`: Euclidean distance of at most 0.6. The package itself needs a compiler to install.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import dlib
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.floating]
Embed = Callable[[Sequence[Image]], Vectors]

MAX_DISTANCE = 0.6
# dlib's own, for its network.
_CHIP_PX, _CHIP_PADDING = 150, 0.25


def dlib_network(weights: Path) -> Embed:
    """dlib's network in dlib itself, a face at a time: float64 [n, 128], about 0.1 s of processor time each."""
    network = dlib.face_recognition_model_v1(str(weights))
    return lambda chips: np.array([network.compute_face_descriptor(chip) for chip in chips]).reshape(-1, 128)


class PlainFaces:
    """The recipe; what runs its network is the caller's choice.

    Args:
        predictor: The file of dlib's five-point predictor.
        embed: dlib's network: a vector for each chip, uint8 [150, 150, 3], red first.
    """

    def __init__(self, predictor: Path, embed: Embed) -> None:
        self._detector = dlib.get_frontal_face_detector()
        self._predictor = dlib.shape_predictor(str(predictor))
        self._embed = embed

    def locate(self, picture: Image, *, upsample: int = 1) -> list[dlib.rectangle]:
        """The faces of a picture, uint8 [H, W, 3], red first, or [H, W], in dlib's order; within the picture."""
        height, width = picture.shape[:2]
        return [
            dlib.rectangle(max(r.left(), 0), max(r.top(), 0), min(r.right(), width), min(r.bottom(), height))
            for r in self._detector(picture, upsample)
        ]

    def encode(self, rgb: Image, places: Sequence[dlib.rectangle]) -> Vectors:
        """The vectors of these faces of a picture, uint8 [H, W, 3], red first: [n, 128]."""
        return self._embed(
            [dlib.get_face_chip(rgb, self._predictor(rgb, place), _CHIP_PX, _CHIP_PADDING) for place in places]
        )
