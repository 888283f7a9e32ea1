from collections.abc import Sequence

import dlib
import numpy as np
import numpy.typing as npt
import pytest

from streams.vision.face_models import FaceModels
from streams.vision.models.axes import principal_axes
from streams.vision.models.dlib_file import read_layers
from streams.vision.models.model_set import VECTOR_SIZE
from streams.vision.models.sources import RESNET
from tests.streams.vision.pictures import Image, faces_in, photo, stored_vectors, turned


@pytest.fixture(scope="module")
def chips(face_models: FaceModels) -> Sequence[Image]:
    """Six faces of two photos."""
    photos = [photo("multi_face.jpg"), photo("single_face.jpg")]
    return [face_models.aligner.chip(rgb, face.box) for rgb in photos for face in faces_in(rgb, face_models.detector)]


def turned_back(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """In dlib's axes."""
    back: npt.NDArray[np.float64] = vectors @ principal_axes(read_layers(RESNET.read()).projection)
    return back


def test_vectors_equal_those_of_dlib(face_models: FaceModels, chips: Sequence[Image]) -> None:
    reference = dlib.face_recognition_model_v1(str(RESNET.locate()))
    expected = np.array([reference.compute_face_descriptor(chip) for chip in chips])
    np.testing.assert_allclose(turned_back(face_models.embedder.embed(chips)), expected, rtol=0, atol=1e-5)


def odd_chips() -> list[Image]:
    """Chips that no face ever gave: where padding or rounding of another kind would show most."""
    random = np.random.default_rng(5)
    ramp = np.linspace(0, 255, 150).astype(np.uint8)
    one_side = np.zeros((150, 150, 3), np.uint8)
    one_side[:, -1] = one_side[-1] = 255
    return [
        np.zeros((150, 150, 3), np.uint8),
        np.full((150, 150, 3), 255, np.uint8),
        *(np.full((150, 150, 3), np.eye(3, dtype=np.uint8)[channel] * 255, np.uint8) for channel in range(3)),
        *random.integers(0, 256, (3, 150, 150, 3), np.uint8),
        np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (150, 150, 3))),
        np.ascontiguousarray(np.broadcast_to(ramp[:, None, None], (150, 150, 3))),
        ((np.indices((150, 150)).sum(axis=0) % 2)[..., None] * np.array([255, 255, 255])).astype(np.uint8),
        one_side,
    ]


def test_vectors_of_odd_chips_equal_those_of_dlib(face_models: FaceModels) -> None:
    reference = dlib.face_recognition_model_v1(str(RESNET.locate()))
    expected = np.array([reference.compute_face_descriptor(chip) for chip in odd_chips()])
    np.testing.assert_allclose(turned_back(face_models.embedder.embed(odd_chips())), expected, rtol=0, atol=1e-5)


def test_a_vector_does_not_depend_on_its_batch(face_models: FaceModels, chips: Sequence[Image]) -> None:
    many = face_models.embedder.embed([*chips] * 4)
    for index, chip in enumerate(chips):
        alone = face_models.embedder.embed([chip])[0]
        np.testing.assert_allclose(many[index::6], np.tile(alone, (4, 1)), rtol=0, atol=1e-5)


def test_no_chips_give_no_vectors(face_models: FaceModels) -> None:
    assert face_models.embedder.embed([]).shape == (0, VECTOR_SIZE)
    assert stored_vectors([], face_models.embedder).shape == (0, VECTOR_SIZE)


def test_a_mirrored_face_has_the_same_averaged_vector(face_models: FaceModels, chips: Sequence[Image]) -> None:
    mirrored: list[npt.NDArray[np.uint8]] = [np.ascontiguousarray(chip[:, ::-1]) for chip in chips]
    np.testing.assert_allclose(
        stored_vectors(mirrored, face_models.embedder),
        stored_vectors(chips, face_models.embedder),
        rtol=0,
        atol=1e-5,
    )


@pytest.mark.parametrize("degrees", [-40, -20, 20, 40])
def test_a_turned_head_is_brought_upright(face_models: FaceModels, degrees: float) -> None:
    rgb = photo("single_face.jpg")
    vectors = []
    for picture in (rgb, turned(rgb, degrees)):
        (face,) = faces_in(picture, face_models.detector)
        vectors.append(stored_vectors([face_models.aligner.chip(picture, face.box)], face_models.embedder)[0])
    # The same photo: far below the distance of two photos of one person.
    assert np.linalg.norm(vectors[0] - vectors[1]) < 0.25
