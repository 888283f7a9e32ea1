"""The loaded models that the face recipe works with."""

from dataclasses import dataclass

import cv2

from streams.vision.align import Aligner
from streams.vision.detect import FaceDetector
from streams.vision.detectors.blazeface import BlazefaceDetector
from streams.vision.detectors.hog import HogDetector
from streams.vision.detectors.yunet import YunetDetector
from streams.vision.embed import Embedder
from streams.vision.models.choice import DetectorKind
from streams.vision.models.model_set import ModelSet


@dataclass(frozen=True, eq=False)
class FaceModels:
    """Detector, aligner and embedder of one model version."""

    detector: FaceDetector
    aligner: Aligner
    embedder: Embedder
    version: str


def load_face_models(models: ModelSet) -> FaceModels:
    """Loads the model files; keeps OpenCV of this process to one thread, and quiet. The process then holds 200 MB."""
    cv2.setNumThreads(1)
    # It prints each damaged image to standard error; outcomes say the same.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return FaceModels(
        detector=_load_detector(models),
        aligner=Aligner(models.predictor),
        embedder=Embedder(models.embedder),
        version=models.version,
    )


def _load_detector(models: ModelSet) -> FaceDetector:
    if models.detector is None:
        return HogDetector()
    if models.detector_kind is DetectorKind.BLAZEFACE:
        return BlazefaceDetector(models.detector)
    return YunetDetector(models.detector)
