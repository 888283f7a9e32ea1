import numpy as np
import pytest

from streams.vision.box import Box
from streams.vision.detect import Detection, _distinct
from streams.vision.face_models import FaceModels
from tests.streams.vision.pictures import faces_in, photo


def test_every_face_of_a_group_is_found_once(face_models: FaceModels) -> None:
    faces = faces_in(photo("multi_face.jpg"), face_models.detector)
    assert len(faces) == 5
    assert [face.score for face in faces] == sorted((face.score for face in faces), reverse=True)


def test_points_lie_inside_their_box_eyes_above_mouth(face_models: FaceModels) -> None:
    (face,) = faces_in(photo("single_face.jpg"), face_models.detector)
    assert (face.points[:, 0] > face.box.x0).all()
    assert (face.points[:, 0] < face.box.x1).all()
    assert face.points[:2, 1].max() < face.points[2, 1] < face.points[3:, 1].min()
    assert face.points[0, 0] < face.points[1, 0]


def test_boxes_come_in_the_scale_that_is_asked_for(face_models: FaceModels) -> None:
    rgb = photo("single_face.jpg")
    (plain,) = faces_in(rgb, face_models.detector)
    (double,) = face_models.detector.detect(
        np.ascontiguousarray(rgb[..., ::-1]), min_score=0.6, max_overlap=0.5, scale=2.0
    )
    assert double.box.width == pytest.approx(2 * plain.box.width, rel=1e-5)
    assert double.box.x0 == pytest.approx(2 * plain.box.x0, rel=1e-5)
    np.testing.assert_allclose(double.points, 2 * plain.points, rtol=1e-5)


@pytest.mark.parametrize("shape", [(31, 33), (1, 1), (64, 640), (640, 64)])
def test_a_picture_of_any_shape_without_a_face_has_none(face_models: FaceModels, shape: tuple[int, int]) -> None:
    assert faces_in(np.full((*shape, 3), 128, np.uint8), face_models.detector) == []


def detection(score: float, x0: float, width: float) -> Detection:
    return Detection(score, Box(x0, 0, x0 + width, width), np.zeros((5, 2), np.float32))


def test_of_two_boxes_of_one_face_the_better_stays() -> None:
    worse, better, apart = detection(0.7, 0, 100), detection(0.9, 45, 100), detection(0.8, 200, 100)
    assert _distinct([worse, better, apart], 0.5) == [better, apart]


def test_a_small_box_inside_a_large_one_is_the_same_face() -> None:
    large, small = detection(0.9, 0, 100), detection(0.8, 10, 20)
    assert _distinct([large, small], 0.5) == [large]


def test_boxes_that_overlap_less_are_two_faces() -> None:
    left, right = detection(0.9, 0, 100), detection(0.8, 51, 100)
    assert len(_distinct([left, right], 0.5)) == 2
