from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from infra.demo_media import SELFIE, find_media
from streams.vision.detectors.yunet import YunetDetector
from streams.vision.face_models import FaceModels, load_face_models
from streams.vision.models.choice import DetectorKind, ModelChoice
from streams.vision.models.model_set import ModelSet
from streams.vision.models.own_file import own_detector, own_embedder
from streams.vision.models.sources import ModelSourceError
from streams.vision.models.store import build_models
from streams.vision.selfie import read_selfie
from streams.vision.selfie_outcome import Selfie
from tests.streams.vision.detectors.zoo import write_zoo_model
from tests.streams.vision.pictures import faces_in, photo

Shape = list[int | str]


def network(path: Path, given: tuple[int, Shape], wanted: tuple[int, Shape]) -> Path:
    """A model of one input and one output of these types and shapes, which nobody runs."""
    zeros = helper.make_tensor("zeros", wanted[0], [0], [])
    graph = helper.make_graph(
        [helper.make_node("Identity", ["zeros"], ["out"])],
        "model",
        [helper.make_tensor_value_info("in", *given)],
        [helper.make_tensor_value_info("out", *wanted)],
        [zeros],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


U8, F32 = TensorProto.UINT8, TensorProto.FLOAT


def built(models: ModelSet) -> Path:
    assert models.detector is not None
    return models.detector


def test_a_detector_of_our_signature_sees_what_the_packaged_one_sees(
    model_set: ModelSet, face_models: FaceModels
) -> None:
    choice = ModelChoice(detector=built(model_set))
    own = build_models(built(model_set).parent, choice)
    assert own.detector_kind is DetectorKind.OWN
    rgb = photo("multi_face.jpg")
    faces = faces_in(rgb, load_face_models(own).detector)
    assert [face.box for face in faces] == [face.box for face in faces_in(rgb, face_models.detector)]


def test_a_detector_of_opencvs_model_zoo_is_taken(model_set: ModelSet, tmp_path: Path) -> None:
    zoo = write_zoo_model(built(model_set), tmp_path / "zoo.onnx", side=640)
    taken = own_detector(tmp_path / "cache", zoo)
    assert taken.path.read_bytes() == zoo.read_bytes()
    assert len(faces_in(photo("single_face.jpg"), YunetDetector(taken.path))) == 1


def test_a_selfie_is_read_with_an_own_embedder(model_set: ModelSet, man: Selfie, tmp_path: Path) -> None:
    """The network with its input under another name and its numbers in another order: equal distances."""
    model = onnx.load(model_set.embedder)
    model.graph.input[0].name = model.graph.node[0].input[0] = "chips"
    model.graph.node[-1].output[0] = "in_order"
    order = np.random.default_rng(1).permutation(128)
    model.graph.initializer.append(onnx.numpy_helper.from_array(order, "order"))
    model.graph.node.append(helper.make_node("Gather", ["in_order", "order"], ["vector"], axis=1))
    onnx.save(model, tmp_path / "own.onnx")
    own = load_face_models(build_models(built(model_set).parent, ModelChoice(embedder=tmp_path / "own.onnx")))
    selfie = read_selfie(find_media(SELFIE).read_bytes(), own)
    assert isinstance(selfie, Selfie)
    np.testing.assert_allclose(selfie.vector, man.vector[order], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ((F32, [1, "h", "w", 3]), (F32, [1, "n", 15])),
        ((U8, [1, "h", "w", 1]), (F32, [1, "n", 15])),
        ((U8, [1, 3, "h", "w"]), (F32, [1, "n", 15])),
        ((U8, [1, 384, 640, 3]), (F32, [1, "n", 15])),
        ((U8, [1, "h", "w", 3]), (F32, [1, "n", 17])),
        ((U8, [1, "h", "w", 3]), (U8, [1, "n", 15])),
    ],
)
def test_a_detector_of_another_signature_is_refused(
    tmp_path: Path, given: tuple[int, Shape], wanted: tuple[int, Shape]
) -> None:
    path = network(tmp_path / "model.onnx", given, wanted)
    with pytest.raises(
        ModelSourceError, match=r"model\.onnx has other inputs or outputs than wanted: a detector takes"
    ):
        own_detector(tmp_path / "cache", path)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ((F32, ["n", 150, 150, 3]), (F32, ["n", 128])),
        ((U8, ["n", 112, 112, 3]), (F32, ["n", 128])),
        ((U8, ["n", 3, 150, 150]), (F32, ["n", 128])),
        ((U8, [1, 150, 150, 3]), (F32, ["n", 128])),
        ((U8, ["n", 150, 150, 3]), (F32, ["n", 512])),
    ],
)
def test_an_embedder_of_another_signature_is_refused(
    tmp_path: Path, given: tuple[int, Shape], wanted: tuple[int, Shape]
) -> None:
    path = network(tmp_path / "model.onnx", given, wanted)
    with pytest.raises(ModelSourceError, match=r"than wanted: an embedder takes .* gives float32 \[n, 128\]\."):
        own_embedder(tmp_path / "cache", path)


@pytest.mark.parametrize("take", [own_detector, own_embedder])
def test_what_is_no_model_is_refused_in_one_sentence(tmp_path: Path, take: object) -> None:
    (tmp_path / "junk.onnx").write_bytes(b"no model")
    with pytest.raises(ModelSourceError, match=r"junk\.onnx is not one whole ONNX model that can be opened\."):
        take(tmp_path, tmp_path / "junk.onnx")  # type: ignore[operator]
    with pytest.raises(ModelSourceError, match=r"gone\.onnx cannot be read: check its name and its permissions\."):
        take(tmp_path, tmp_path / "gone.onnx")  # type: ignore[operator]
