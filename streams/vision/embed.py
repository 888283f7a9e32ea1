"""Turns aligned faces into vectors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streams.vision.models.model_set import VECTOR_SIZE
from streams.vision.session import open_session

Image = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]

# Each of three chips at once takes 17 % less time than one alone, each of sixteen 24 % (measured).
_BATCH = 16


class Embedder:
    """dlib's face recognition network, or an operator's own, over ONNX Runtime; safe to share between threads."""

    def __init__(self, model: Path) -> None:
        self._session = open_session(model)
        self._input = self._session.get_inputs()[0].name

    def embed(self, chips: Sequence[Image]) -> Vectors:
        """Returns float32 [n, 128], one vector for each chip (uint8 [150, 150, 3], red first).

        Vectors are not of unit length: they are compared by Euclidean distance.
        """
        if not chips:
            return np.zeros((0, VECTOR_SIZE), np.float32)
        parts = [
            self._session.run(None, {self._input: np.ascontiguousarray(np.stack(chips[i : i + _BATCH]))})[0]
            for i in range(0, len(chips), _BATCH)
        ]
        vectors: Vectors = np.concatenate(parts)
        return vectors

    def with_mirror(self, vectors: Vectors, chips: Sequence[Image]) -> Vectors:
        """Returns float32 [n, 128]: the mean of each chip's vector, as `embed` gives it, and that of its mirror image.

        Measured: the worst true track came from .445 to .419 of its selfie, the nearest stranger from .492 to .523.
        """
        return (vectors + self.embed([chip[:, ::-1] for chip in chips])) / np.float32(2)
