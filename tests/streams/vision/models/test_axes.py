"""Vectors on their principal axes: as far apart as before, and told by their first components."""

import numpy as np
import pytest

from streams.vision.face_models import FaceModels
from streams.vision.models.axes import on_principal_axes, principal_axes
from streams.vision.models.dlib_file import Floats, read_layers
from streams.vision.models.sources import RESNET
from tests.streams.vision.pictures import faces_in, photo


@pytest.fixture(scope="module")
def projection() -> Floats:
    """dlib's, [256, 128]."""
    return read_layers(RESNET.read()).projection


def test_axes_are_orthonormal(projection: Floats) -> None:
    axes = principal_axes(projection)
    np.testing.assert_allclose(axes @ axes.T, np.eye(128), rtol=0, atol=1e-12)


def test_distances_stay(projection: Floats) -> None:
    features = np.random.default_rng(3).uniform(0, 1, (50, 256)).astype(np.float32)
    plain, turned = features @ projection, features @ on_principal_axes(projection)
    between = [np.linalg.norm(vectors[:, None] - vectors[None], axis=2) for vectors in (plain, turned)]
    np.testing.assert_allclose(between[1], between[0], rtol=0, atol=1e-5)


def test_of_two_equal_axes_up_to_sign_one_is_chosen() -> None:
    """Known answer: a projection that stretches y by 3 and x by 2, and knows no z."""
    projection = np.array([[2, 0, 0], [0, -3, 0]], np.float32)
    np.testing.assert_allclose(principal_axes(projection), [[0, 1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-12)


def test_first_components_tell_most_of_a_distance(face_models: FaceModels) -> None:
    """Between the faces of one photo: at least 88 % of the squared distance in 64 components, all of it in 88."""
    rgb = photo("multi_face.jpg")
    chips = [face_models.aligner.chip(rgb, face.box) for face in faces_in(rgb, face_models.detector)]
    vectors = face_models.embedder.embed(chips)
    pairs = np.triu_indices(len(vectors), 1)
    squares = ((vectors[:, None] - vectors[None]) ** 2)[pairs]
    shares = np.cumsum(squares, axis=1) / squares.sum(axis=1, keepdims=True)
    assert len(vectors) >= 5
    assert shares[:, 63].min() > 0.88
    assert shares[:, 87].min() > 0.9999
