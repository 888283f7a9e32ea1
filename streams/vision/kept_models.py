"""The models that a child process keeps loaded from one job to the next."""

from functools import lru_cache

from streams.vision.face_models import FaceModels, load_face_models
from streams.vision.models.model_set import ModelSet


@lru_cache(maxsize=1)
def kept_face_models(models: ModelSet) -> FaceModels:
    """The loaded models; loaded at the first call of this process, about 0.3 s."""
    return load_face_models(models)
