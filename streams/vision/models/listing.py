"""What models there are, where each comes from, and which are built and in use."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from streams.vision.models.cached import is_whole
from streams.vision.models.catalogue import MODELS, Model, ModelRole
from streams.vision.models.choice import DetectorKind, ModelChoice
from streams.vision.models.sources import ModelSourceError
from streams.vision.models.store import HOG_DISTRIBUTION, built_path, detector_kind


class ModelState(StrEnum):
    """Whether a model can be used as it stands."""

    WHOLE = "whole"
    MISSING = "not built"
    DAMAGED = "damaged"
    NOT_INSTALLED = "not installed"


@dataclass(frozen=True)
class ListedModel:
    """One model; `sha256` and `size_bytes` are those of the file that is used, None where there is none."""

    name: str
    role: ModelRole
    state: ModelState
    in_use: bool
    package: str
    version: str
    licence: str
    source_sha256: str | None
    sha256: str | None
    size_bytes: int | None


def list_models(cache_dir: Path, choice: ModelChoice | None = None) -> list[ListedModel]:
    """Returns every model, the detectors first, the best of them first, and an operator's own files last.

    Nothing is built. An own file is listed as it lies there, unchecked.
    """
    choice = choice or ModelChoice()
    kind = detector_kind(choice)
    used = {str(kind), *(() if choice.embedder else ("dlib-resnet",)), "dlib-five-points"}
    listed = [_packaged(cache_dir, model, model.name in used) for model in MODELS]
    hog = ListedModel(
        name=str(DetectorKind.HOG),
        role=ModelRole.DETECTOR,
        state=ModelState.WHOLE,
        in_use=kind is DetectorKind.HOG,
        package=HOG_DISTRIBUTION,
        version=metadata.version(HOG_DISTRIBUTION),
        licence="BSL-1.0",
        source_sha256=None,
        sha256=None,
        size_bytes=None,
    )
    detectors = sum(model.role is ModelRole.DETECTOR for model in MODELS)
    own = [
        _own(path, role)
        for path, role in ((choice.detector, ModelRole.DETECTOR), (choice.embedder, ModelRole.EMBEDDER))
        if isinstance(path, Path)
    ]
    return [*listed[:detectors], hog, *listed[detectors:], *own]


def _packaged(cache_dir: Path, model: Model, in_use: bool) -> ListedModel:  # noqa: FBT001 - private, and named
    path, state = _file_of(cache_dir, model)
    return ListedModel(
        name=model.name,
        role=model.role,
        state=state,
        in_use=in_use,
        package=model.source.distribution,
        version=model.source.version,
        licence=model.licence,
        source_sha256=model.source.sha256,
        sha256=_sha256(path),
        size_bytes=path.stat().st_size if path else None,
    )


def _file_of(cache_dir: Path, model: Model) -> tuple[Path | None, ModelState]:
    """The file that is used, where there is one, and its state."""
    path = built_path(cache_dir, model)
    if model.convert is not None and path.exists():
        return path, ModelState.WHOLE if is_whole(path) else ModelState.DAMAGED
    if not model.source.is_installed():
        return None, ModelState.NOT_INSTALLED
    if model.convert is not None:
        return None, ModelState.MISSING
    try:
        model.source.read()
    except ModelSourceError:
        return None, ModelState.DAMAGED
    return model.source.locate(), ModelState.WHOLE


def _own(path: Path, role: ModelRole) -> ListedModel:
    there = path.is_file()
    return ListedModel(
        name=str(DetectorKind.OWN),
        role=role,
        state=ModelState.WHOLE if there else ModelState.MISSING,
        in_use=True,
        package=str(path),
        version="",
        licence="yours",
        source_sha256=None,
        sha256=_sha256(path if there else None),
        size_bytes=path.stat().st_size if there else None,
    )


def _sha256(path: Path | None) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path else None
