from tests.streams.conftest import face_models, model_set

__all__ = ["face_models", "model_set"]
