import dataclasses
from pathlib import Path

import onnx
import pytest

from streams.vision.models import catalogue, store
from streams.vision.models.cached import is_whole
from streams.vision.models.choice import DetectorKind, ModelChoice
from streams.vision.models.model_set import ModelSet
from streams.vision.models.sources import PREDICTOR, ModelSource, ModelSourceError
from streams.vision.models.store import build_models, built_path
from streams.vision.policy import FacePolicy

NOT_INSTALLED = ModelSource("no-such-distribution", "1.0", "x", "0" * 64)


def on_disk(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.glob("*.*")}


def test_a_set_is_built_once_and_whole(tmp_path: Path) -> None:
    first = build_models(tmp_path)
    before = on_disk(tmp_path)
    assert sorted(name.split("-")[0] for name in before if name.endswith(".onnx")) == ["dlib", "yunet"]
    assert first.detector_kind is DetectorKind.YUNET
    assert first.detector is not None
    assert is_whole(first.detector)
    assert is_whole(first.embedder)
    assert build_models(tmp_path) == first
    assert on_disk(tmp_path) == before


def test_equal_weights_give_equal_files(model_set: ModelSet, tmp_path: Path) -> None:
    other = build_models(tmp_path, ModelChoice(detector=DetectorKind.YUNET))
    assert other.version == model_set.version
    for one, two in ((other.detector, model_set.detector), (other.embedder, model_set.embedder)):
        assert one is not None
        assert two is not None
        assert one.read_bytes() == two.read_bytes()


def test_only_the_five_point_predictor_is_used(model_set: ModelSet) -> None:
    assert model_set.predictor.name == "shape_predictor_5_face_landmarks.dat"
    assert model_set.predictor == PREDICTOR.locate()


def without(monkeypatch: pytest.MonkeyPatch, *kinds: DetectorKind) -> None:
    for kind in kinds:
        model = dataclasses.replace(store._DETECTORS[kind], source=NOT_INSTALLED)
        monkeypatch.setitem(store._DETECTORS, kind, model)


def test_the_best_detector_that_is_installed_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [build_models(tmp_path).detector_kind]
    without(monkeypatch, DetectorKind.YUNET)
    kinds.append(build_models(tmp_path).detector_kind)
    without(monkeypatch, DetectorKind.BLAZEFACE)
    kinds.append(build_models(tmp_path).detector_kind)
    assert kinds == [DetectorKind.YUNET, DetectorKind.BLAZEFACE, DetectorKind.HOG]
    assert build_models(tmp_path).detector is None


def test_a_detector_that_is_asked_for_and_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, DetectorKind.BLAZEFACE)
    with pytest.raises(ModelSourceError, match=r"no-such-distribution is not installed: install"):
        build_models(tmp_path, ModelChoice(detector=DetectorKind.BLAZEFACE))


def with_a_note(model: Path, path: Path) -> Path:
    """The same network with other bytes."""
    graph = onnx.load(model)
    graph.doc_string = "another"
    onnx.save(graph, path)
    return path


def test_another_model_is_another_version(model_set: ModelSet, tmp_path: Path) -> None:
    assert model_set.detector is not None
    detector = with_a_note(model_set.detector, tmp_path / "detector.onnx")
    embedder = with_a_note(model_set.embedder, tmp_path / "embedder.onnx")
    choices = [
        ModelChoice(detector=DetectorKind.YUNET),
        ModelChoice(detector=DetectorKind.BLAZEFACE),
        ModelChoice(detector=DetectorKind.HOG),
        ModelChoice(detector=detector),
        ModelChoice(embedder=embedder),
    ]
    cache = model_set.detector.parent
    versions = [build_models(cache, choice).version for choice in choices]
    assert len(set(versions)) == len(versions)
    assert versions[0] == model_set.version
    assert [build_models(cache, choice).version for choice in choices] == versions


def test_another_number_of_the_recipe_is_another_version(
    model_set: ModelSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FacePolicy", lambda: FacePolicy(detect_side_px=800))
    changed = build_models(model_set.embedder.parent).version
    monkeypatch.setattr(store, "RECIPE", store.RECIPE + 1)
    assert len({model_set.version, changed, build_models(tmp_path).version}) == 3
    assert built_path(tmp_path, catalogue.RESNET).name != model_set.embedder.name


def test_what_an_operator_puts_in_a_files_place_later_is_another_model(model_set: ModelSet, tmp_path: Path) -> None:
    given = tmp_path / "embedder.onnx"
    given.write_bytes(model_set.embedder.read_bytes())
    cache = model_set.embedder.parent
    before = build_models(cache, ModelChoice(embedder=given))
    good = before.embedder.read_bytes()
    with_a_note(model_set.embedder, given)
    after = build_models(cache, ModelChoice(embedder=given))
    assert after.version != before.version
    assert before.embedder.read_bytes() == good
