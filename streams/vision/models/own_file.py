"""An operator's own ONNX files: known by their bytes, and refused in one sentence where they do not fit."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.vision.models.cached import made_once
from streams.vision.models.model_set import CHIP_PX, VECTOR_SIZE
from streams.vision.models.sources import ModelSourceError
from streams.vision.session import open_session

_CHIP = [CHIP_PX, CHIP_PX, 3]
_ROW = 15
_UINT8, _FLOAT = "tensor(uint8)", "tensor(float)"
ZOO_OUTPUTS = frozenset(f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in (8, 16, 32))
_DETECTOR_WANTED = (
    "a detector takes uint8 [1, height, width, 3] and gives float32 [1, n, 15], "
    "or is YuNet as OpenCV's model zoo publishes it"
)
_EMBEDDER_WANTED = f"an embedder takes uint8 [n, {CHIP_PX}, {CHIP_PX}, 3] and gives float32 [n, {VECTOR_SIZE}]"


@dataclass(frozen=True)
class OwnFile:
    """A copy of the operator's file, named after the sha256 of its bytes: what is put in its place later is another."""

    path: Path
    sha256: str


def own_detector(cache_dir: Path, given: Path) -> OwnFile:
    """Takes a detector's file into the cache.

    Raises:
        ModelSourceError: it cannot be read, or is no ONNX file of one of the two signatures.
        OSError: the cache cannot be written.
    """
    return _taken(cache_dir, given, _is_detector, _DETECTOR_WANTED)


def own_embedder(cache_dir: Path, given: Path) -> OwnFile:
    """Takes an embedder's file into the cache.

    Raises:
        ModelSourceError: it cannot be read, or is no ONNX file of the signature.
        OSError: the cache cannot be written.
    """
    return _taken(cache_dir, given, _is_embedder, _EMBEDDER_WANTED)


def _taken(cache_dir: Path, given: Path, fits: Callable[[Sequence[Any], Sequence[Any]], bool], wanted: str) -> OwnFile:
    try:
        data = given.read_bytes()
    except OSError as error:
        raise ModelSourceError(f"The model file {given} cannot be read: check its name and its permissions.") from error
    try:
        session = open_session(data)
    except Exception as error:
        # The runtime raises classes of its own for what is no ONNX file, or keeps its weights in another.
        raise ModelSourceError(f"The model file {given} is not one whole ONNX model that can be opened.") from error
    if not fits(session.get_inputs(), session.get_outputs()):
        raise ModelSourceError(f"The model file {given} has other inputs or outputs than wanted: {wanted}.")
    digest = hashlib.sha256(data).hexdigest()
    path = made_once(cache_dir / f"own-{digest[:16]}.onnx", lambda: data, {"source": str(given)})
    return OwnFile(path, digest)


def _is_detector(inputs: Sequence[Any], outputs: Sequence[Any]) -> bool:
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        return False
    if len(outputs) == 1:
        row = outputs[0].shape
        fits = inputs[0].type == _UINT8 and inputs[0].shape[3] == 3 and _are_free(inputs[0].shape[1:3])
        return fits and outputs[0].type == _FLOAT and len(row) == 3 and row[2] == _ROW
    return inputs[0].type == _FLOAT and inputs[0].shape[1] == 3 and {output.name for output in outputs} == ZOO_OUTPUTS


def _is_embedder(inputs: Sequence[Any], outputs: Sequence[Any]) -> bool:
    if len(inputs) != 1 or len(outputs) != 1:
        return False
    given, vector = inputs[0], outputs[0]
    takes_chips = given.type == _UINT8 and list(given.shape[1:]) == _CHIP and _are_free(given.shape[:1])
    return takes_chips and vector.type == _FLOAT and list(vector.shape[1:]) == [VECTOR_SIZE]


def _are_free(sizes: Sequence[Any]) -> bool:
    """Whether the model leaves these sizes of a shape to its caller: they have a name or nothing, not a number."""
    return not any(isinstance(size, int) for size in sizes)
