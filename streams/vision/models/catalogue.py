"""Every model that is built or read from a package: what it does and under which licence (`docs/models.md`)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from streams.vision.models import sources
from streams.vision.models.blazeface import blazeface_onnx
from streams.vision.models.resnet import resnet_onnx
from streams.vision.models.sources import ModelSource
from streams.vision.models.yunet import yunet_onnx


class ModelRole(StrEnum):
    """What a model does for the recipe."""

    DETECTOR = "detector"
    ALIGNER = "aligner"
    EMBEDDER = "embedder"


@dataclass(frozen=True)
class Model:
    """One model.

    Attributes:
        name: As settings, files and tables name it.
        role: What it does.
        licence: Of its weights, as an SPDX expression.
        source: The packaged file with its weights.
        convert: Makes the ONNX file of the source's bytes; None where the source is used as it is.
    """

    name: str
    role: ModelRole
    licence: str
    source: ModelSource
    convert: Callable[[bytes], bytes] | None = None


YUNET = Model("yunet", ModelRole.DETECTOR, "BSD-3-Clause", sources.YUNET, yunet_onnx)
BLAZEFACE = Model("blazeface", ModelRole.DETECTOR, "Apache-2.0", sources.BLAZEFACE, blazeface_onnx)
PREDICTOR = Model("dlib-five-points", ModelRole.ALIGNER, "CC0-1.0", sources.PREDICTOR)
RESNET = Model("dlib-resnet", ModelRole.EMBEDDER, "CC0-1.0", sources.RESNET, resnet_onnx)
MODELS = (YUNET, BLAZEFACE, PREDICTOR, RESNET)
