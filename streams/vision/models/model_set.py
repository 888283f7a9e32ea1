"""The model files that a search or an index works with. No vision library is imported here."""

from dataclasses import dataclass
from pathlib import Path

from streams.vision.models.choice import DetectorKind

# What every embedder takes and gives: squares of this side, and so many numbers for each.
CHIP_PX = 150
VECTOR_SIZE = 128


@dataclass(frozen=True)
class ModelSet:
    """Paths of one complete set of model files; plain and picklable, so that a child process can load it.

    Attributes:
        detector_kind: Which detector it is.
        detector: Its file; None for HOG, which is part of dlib.
        embedder: ONNX file: uint8 [n, 150, 150, 3], red first, to float32 [n, 128].
        predictor: dlib's five-point predictor.
        version: Names everything that decides a vector; vectors of different versions must not be compared.
    """

    detector_kind: DetectorKind
    detector: Path | None
    embedder: Path
    predictor: Path
    version: str
