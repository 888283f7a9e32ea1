"""The recipe with each of the detectors."""

import pytest

from streams.vision.face_models import FaceModels, load_face_models
from streams.vision.models.choice import DetectorKind, ModelChoice
from streams.vision.models.store import build_models
from tests.media import shared_folder

PACKAGED = (DetectorKind.YUNET, DetectorKind.BLAZEFACE, DetectorKind.HOG)


@pytest.fixture(scope="session", params=PACKAGED)
def any_models(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FaceModels:
    """The face models with one detector after the other."""
    folder = shared_folder(tmp_path_factory) / "models"
    return load_face_models(build_models(folder, ModelChoice(detector=request.param)))
