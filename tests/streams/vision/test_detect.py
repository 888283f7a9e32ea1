import numpy as np
import pytest

from streams.vision.box import Box
from streams.vision.detect import Detection, DlibSquare, distinct


def faces(*given: tuple[float, float, float]) -> list[Detection]:
    """Those that stay of squares at the top of the picture, each given as score, x0 and side."""
    scores = np.array([score for score, _, _ in given], np.float32)
    squares = np.array([[x0, 0, x0 + side, side] for _, x0, side in given], np.float32).reshape(-1, 4)
    return distinct(scores, squares, np.zeros((len(given), 5, 2), np.float32), 0.5)


def test_of_two_boxes_of_one_face_the_better_stays() -> None:
    kept = faces((0.7, 0, 100), (0.9, 45, 100), (0.8, 200, 100))
    assert [face.box for face in kept] == [Box(45, 0, 145, 100), Box(200, 0, 300, 100)]


def test_a_small_box_inside_a_large_one_is_the_same_face() -> None:
    assert len(faces((0.9, 0, 100), (0.8, 10, 20))) == 1


def test_boxes_that_overlap_less_are_two_faces() -> None:
    assert len(faces((0.9, 0, 100), (0.8, 51, 100))) == 2


def test_no_boxes_are_no_faces() -> None:
    assert faces() == []


def test_dlibs_square_is_moved_and_sized_by_the_mean_side() -> None:
    squares = DlibSquare(dx=0.1, dy=-0.2, side=2.0).around(np.array([[50, 60]]), np.array([[4, 9]]))
    assert squares[0] == pytest.approx([50.6 - 6, 58.8 - 6, 50.6 + 6, 58.8 + 6])
