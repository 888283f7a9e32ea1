"""Builds the model files that are chosen into a cache directory, once, and finds them again."""

import hashlib
from dataclasses import astuple, dataclass
from importlib import metadata
from pathlib import Path

from streams.vision.models.cached import made_once
from streams.vision.models.catalogue import BLAZEFACE, PREDICTOR, RESNET, YUNET, Model
from streams.vision.models.choice import DetectorKind, ModelChoice
from streams.vision.models.model_set import ModelSet
from streams.vision.models.own_file import own_detector, own_embedder
from streams.vision.policy import FacePolicy

# Raised by hand when code (a conversion, alignment, averaging) changes what vectors come out; numbers of the policy
# change the version by themselves.
RECIPE = 2
HOG_DISTRIBUTION = "dlib-bin"

_DETECTORS = {DetectorKind.YUNET: YUNET, DetectorKind.BLAZEFACE: BLAZEFACE}


def build_models(cache_dir: Path, choice: ModelChoice | None = None) -> ModelSet:
    """Returns the chosen model set, building what is missing or damaged under `cache_dir`.

    Safe to call from several processes at once, and to end anywhere: files appear whole.

    Raises:
        ModelSourceError: a package with weights is not installed or holds other bytes than pinned, or an operator's
            file does not fit.
        OSError: the directory cannot be written.
    """
    choice = choice or ModelChoice()
    detector = _detector(cache_dir, choice)
    embedder = _embedder(cache_dir, choice)
    PREDICTOR.source.read()
    return ModelSet(
        detector_kind=detector.kind,
        detector=detector.path,
        embedder=embedder.path,
        predictor=PREDICTOR.source.locate(),
        version=_version(detector.identity, embedder.identity, PREDICTOR.source.sha256),
    )


def built_path(cache_dir: Path, model: Model) -> Path:
    """Where the model's ONNX file is, or will be: named after the weights and the recipe that make its bytes."""
    key = hashlib.sha256(f"{RECIPE}\n{model.source.sha256}".encode()).hexdigest()[:16]
    return cache_dir / f"{model.name}-{key}.onnx"


def detector_kind(choice: ModelChoice) -> DetectorKind:
    """The detector that is chosen: the best one whose package is installed, where the choice leaves it open."""
    if isinstance(choice.detector, Path):
        return DetectorKind.OWN
    if choice.detector is not None:
        return choice.detector
    installed = (kind for kind, model in _DETECTORS.items() if model.source.is_installed())
    return next(installed, DetectorKind.HOG)


@dataclass(frozen=True)
class _Detector:
    kind: DetectorKind
    path: Path | None
    identity: str


@dataclass(frozen=True)
class _Embedder:
    path: Path
    identity: str


def _detector(cache_dir: Path, choice: ModelChoice) -> _Detector:
    if isinstance(choice.detector, Path):
        own = own_detector(cache_dir, choice.detector)
        return _Detector(DetectorKind.OWN, own.path, own.sha256)
    kind = detector_kind(choice)
    if kind is DetectorKind.HOG:
        return _Detector(kind, None, f"{HOG_DISTRIBUTION} {metadata.version(HOG_DISTRIBUTION)}")
    model = _DETECTORS[kind]
    return _Detector(kind, _built(cache_dir, model), model.source.sha256)


def _embedder(cache_dir: Path, choice: ModelChoice) -> _Embedder:
    if choice.embedder is not None:
        own = own_embedder(cache_dir, choice.embedder)
        return _Embedder(own.path, own.sha256)
    return _Embedder(_built(cache_dir, RESNET), RESNET.source.sha256)


def _built(cache_dir: Path, model: Model) -> Path:
    source, convert = model.source, model.convert
    if convert is None:
        return source.locate()
    about = {"source": f"{source.distribution}=={source.version}", "source_sha256": source.sha256}
    return made_once(built_path(cache_dir, model), lambda: convert(source.read()), about)


def _version(detector: str, embedder: str, predictor: str) -> str:
    """16 hex digits over everything that decides a vector."""
    parts = [str(RECIPE), repr(astuple(FacePolicy())), detector, embedder, predictor]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
