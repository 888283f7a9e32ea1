"""Which detector and embedder to work with, as the settings say it. No vision library is imported here."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class DetectorKind(StrEnum):
    """The detectors, the best first; `OWN` is an operator's file."""

    YUNET = "yunet"
    BLAZEFACE = "blazeface"
    HOG = "hog"
    OWN = "own"


@dataclass(frozen=True)
class ModelChoice:
    """What to work with.

    Attributes:
        detector: A kind; or the path of an ONNX file; or None, for the best one whose package is installed.
        embedder: The path of an ONNX file, or None for dlib's network.
    """

    detector: DetectorKind | Path | None = None
    embedder: Path | None = None
