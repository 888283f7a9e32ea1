"""Builds the model files into a cache directory, once, and finds them again."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

from streams.vision.models.model_set import ModelSet
from streams.vision.models.resnet import resnet_onnx
from streams.vision.models.sources import PREDICTOR, RESNET, YUNET, ModelSource
from streams.vision.models.yunet import yunet_onnx
from streams.vision.policy import FacePolicy

# Raised by hand when code (a conversion, alignment, averaging) changes what vectors come out; numbers of the policy
# change the version by themselves.
RECIPE = 1
MANIFEST = "manifest.json"

_CONVERSIONS: dict[str, tuple[ModelSource, Callable[[bytes], bytes]]] = {
    "yunet.onnx": (YUNET, yunet_onnx),
    "dlib_resnet.onnx": (RESNET, resnet_onnx),
}


def model_version() -> str:
    """Returns the version: 16 hex digits over the pinned sources, the recipe's number and the default face policy."""
    parts = [str(RECIPE), repr(astuple(FacePolicy())), *(source.sha256 for source in (YUNET, RESNET, PREDICTOR))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def build_models(cache_dir: Path) -> ModelSet:
    """Returns the model set under `cache_dir`, building what is missing or damaged there.

    Safe to call from several processes at once: files appear whole, and all build the same bytes.

    Raises:
        ModelSourceError: a package with weights is not installed or holds other bytes than pinned.
        OSError: the directory cannot be written.
    """
    version = model_version()
    folder = cache_dir / f"faces-{version}"
    if not _is_complete(folder):
        _build(folder)
    return ModelSet(
        detector=folder / "yunet.onnx",
        embedder=folder / "dlib_resnet.onnx",
        predictor=_checked_predictor(),
        version=version,
    )


def _checked_predictor() -> Path:
    PREDICTOR.read()
    return PREDICTOR.locate()


def _build(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    built: dict[str, dict[str, str]] = {}
    for name, (source, convert) in _CONVERSIONS.items():
        data = convert(source.read())
        _write_whole(folder / name, data)
        built[name] = {
            "sha256": hashlib.sha256(data).hexdigest(),
            "source": f"{source.distribution}=={source.version}",
            "source_sha256": source.sha256,
        }
    # Last: a manifest stands for a complete set.
    _write_whole(folder / MANIFEST, json.dumps(built, indent=1, sort_keys=True).encode())


def _is_complete(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        return all(
            hashlib.sha256((folder / name).read_bytes()).hexdigest() == manifest[name]["sha256"]
            for name in _CONVERSIONS
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False  # nothing there, or not ours: build it again


def _write_whole(path: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o644)  # a cache filled by one user serves others
    Path(file.name).replace(path)
