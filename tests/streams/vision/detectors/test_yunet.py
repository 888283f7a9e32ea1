from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from streams.vision.detect import Detection
from streams.vision.detectors.yunet import YunetDetector
from streams.vision.face_models import FaceModels
from streams.vision.models.model_set import ModelSet
from tests.streams.vision.detectors.zoo import write_zoo_model
from tests.streams.vision.pictures import Image, faces_in, photo


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


def group(long_side_px: int) -> Image:
    bgr = photo("multi_face.jpg")[..., ::-1]
    factor = long_side_px / max(bgr.shape)
    return cv2.resize(bgr, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA).astype(np.uint8)


def look(detector: YunetDetector, bgr: Image) -> Sequence[Detection]:
    return detector.detect(bgr, min_score=0.6, max_overlap=0.5)


def built(models: ModelSet) -> Path:
    assert models.detector is not None
    return models.detector


@pytest.mark.parametrize("side", [None, 640])
def test_the_zoos_file_sees_the_same(model_set: ModelSet, tmp_path: Path, side: int | None) -> None:
    """With a fixed input the picture stands in its corner, on black: no more than that below and beside it."""
    zoo = YunetDetector(write_zoo_model(built(model_set), tmp_path / "zoo.onnx", side=side))
    bgr = group(640)
    expected = look(YunetDetector(built(model_set)), bgr)
    assert len(expected) == 5
    for face, other in zip(look(zoo, bgr), expected, strict=True):
        assert face.score == pytest.approx(other.score, abs=0.01)
        assert face.box.x0 == pytest.approx(other.box.x0, abs=1)
        assert face.box.y1 == pytest.approx(other.box.y1, abs=1)
        np.testing.assert_allclose(face.points, other.points, atol=1)


def test_a_picture_larger_than_a_fixed_input_is_shrunk_into_it(model_set: ModelSet, tmp_path: Path) -> None:
    zoo = YunetDetector(write_zoo_model(built(model_set), tmp_path / "zoo.onnx", side=640))
    small, large = look(zoo, group(640)), look(zoo, group(960))
    assert len(large) == len(small) == 5
    for face in small:
        twin = min(large, key=lambda other: abs(other.box.x0 - 1.5 * face.box.x0))
        assert twin.box.width == pytest.approx(1.5 * face.box.width, rel=0.05)
        assert twin.box.center == pytest.approx([1.5 * part for part in face.box.center], abs=4)
