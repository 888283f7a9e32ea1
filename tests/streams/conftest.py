"""Models and footage for the tests of the engine."""

from pathlib import Path

import pytest

from infra.demo_media import SELFIE, Race, find_media
from streams.vision.face_models import FaceModels, load_face_models
from streams.vision.models.model_set import ModelSet
from streams.vision.models.store import build_models
from streams.vision.selfie import read_selfie
from streams.vision.selfie_outcome import Selfie
from tests.media import shared_folder, shared_race


@pytest.fixture(scope="session")
def model_set(tmp_path_factory: pytest.TempPathFactory) -> ModelSet:
    return build_models(shared_folder(tmp_path_factory) / "models")


@pytest.fixture(scope="session")
def face_models(model_set: ModelSet) -> FaceModels:
    return load_face_models(model_set)


@pytest.fixture(scope="session")
def race(tmp_path_factory: pytest.TempPathFactory) -> Race:
    return shared_race(shared_folder(tmp_path_factory))


@pytest.fixture(scope="session")
def race_moov_behind(tmp_path_factory: pytest.TempPathFactory) -> Race:
    return shared_race(shared_folder(tmp_path_factory), moov_first=False)


@pytest.fixture(scope="session")
def man_selfie() -> Path:
    return find_media(SELFIE)


@pytest.fixture(scope="session")
def man(man_selfie: Path, face_models: FaceModels) -> Selfie:
    face = read_selfie(man_selfie.read_bytes(), face_models)
    assert isinstance(face, Selfie)
    return face
