import dlib
import numpy as np
import pytest

from streams.vision.detectors.hog import HogDetector
from tests.streams.vision.pictures import photo, turned

DETECTOR = HogDetector()


def test_boxes_are_those_of_dlib() -> None:
    rgb = photo("multi_face.jpg")
    faces = DETECTOR.detect(np.ascontiguousarray(rgb[..., ::-1]), min_score=0.6, max_overlap=0.5)
    expected, _, _ = dlib.get_frontal_face_detector().run(
        np.round(rgb @ [0.299, 0.587, 0.114]).astype(np.uint8), 0, 0.2
    )
    assert sorted((face.box.x0, face.box.y0, face.box.x1, face.box.y1) for face in faces) == sorted(
        (box.left(), box.top(), box.right() + 1, box.bottom() + 1) for box in expected
    )


@pytest.mark.parametrize("min_score", [0.3, 0.6, 0.8])
def test_the_least_score_is_turned_into_dlibs_margin_and_back(min_score: float) -> None:
    bgr = np.ascontiguousarray(turned(photo("multi_face.jpg"), 18)[..., ::-1])
    every = DETECTOR.detect(bgr, min_score=0.2, max_overlap=0.5)
    assert min(face.score for face in every) < 0.8
    some = DETECTOR.detect(bgr, min_score=min_score, max_overlap=0.5)
    assert [face.score for face in some] == [face.score for face in every if face.score >= min_score]


def test_points_are_the_corners_clockwise() -> None:
    (face,) = DETECTOR.detect(np.ascontiguousarray(photo("single_face.jpg")[..., ::-1]), min_score=0.6, max_overlap=0.5)
    box = face.box
    expected = [[box.x0, box.y0], [box.x1, box.y0], [box.x1, box.y1], [box.x0, box.y1]]
    np.testing.assert_allclose(face.points, expected)
