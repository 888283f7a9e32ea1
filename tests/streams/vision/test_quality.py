import numpy as np
import pytest

from streams.vision.face_models import FaceModels
from streams.vision.quality import NOTHING_SEEN, SecondLook, second_look, sharpness
from tests.streams.vision.pictures import Image, blurred, faces_in, passes, photo


def good_chip(models: FaceModels) -> Image:
    rgb = photo("single_face.jpg")
    (face,) = faces_in(rgb, models.detector)
    return models.aligner.chip(rgb, face.box)


def test_a_face_passes(face_models: FaceModels) -> None:
    look = second_look(good_chip(face_models), face_models.detector)
    assert look.score > 0.9
    assert look.error_px < 10


def test_a_chip_without_a_face_does_not_pass(face_models: FaceModels) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (150, 150, 3), np.uint8)
    assert not passes(second_look(noise, face_models.detector))
    assert second_look(np.zeros((150, 150, 3), np.uint8), face_models.detector) == NOTHING_SEEN


def test_a_face_upside_down_does_not_pass(face_models: FaceModels) -> None:
    chip = np.ascontiguousarray(good_chip(face_models)[::-1])
    assert not passes(second_look(chip, face_models.detector))


def test_a_face_beside_its_place_does_not_pass(face_models: FaceModels) -> None:
    chip = np.roll(good_chip(face_models), 40, axis=1)
    assert not passes(second_look(chip, face_models.detector))


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (SecondLook(0.6, 20.0), True),
        (SecondLook(0.599, 0.0), False),
        (SecondLook(1.0, 20.01), False),
        (NOTHING_SEEN, False),
    ],
)
def test_the_gate_includes_its_limits(look: SecondLook, expected: bool) -> None:
    assert passes(look) is expected


def test_blur_lowers_sharpness(face_models: FaceModels) -> None:
    chip = good_chip(face_models)
    values = [sharpness(chip), *(sharpness(blurred(chip, sigma)) for sigma in (1, 2, 4))]
    assert values == sorted(values, reverse=True)
    assert values[0] > 10 * values[-1]
