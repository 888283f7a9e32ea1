from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest

from infra.demo_media import find_media
from streams.vision.embed import Embedder
from streams.vision.face_models import FaceModels
from streams.vision.policy import SelfiePolicy
from streams.vision.selfie import jittered_crops, read_selfie
from streams.vision.selfie_faces import find_faces
from streams.vision.selfie_outcome import SENTENCES, Selfie, SelfieProblem, SelfieRefused
from tests.streams.vision.picture_files import STORED_AS, as_png
from tests.streams.vision.pictures import Image, blurred, faces_in, photo, scaled


def problem(data: bytes, models: FaceModels, policy: SelfiePolicy | None = None) -> SelfieProblem:
    refused = read_selfie(data, models, policy)
    assert isinstance(refused, SelfieRefused)
    assert refused.sentence == SENTENCES[refused.problem]
    return refused.problem


def test_equal_bytes_give_equal_vectors(man_selfie: Path, man: Selfie, face_models: FaceModels) -> None:
    again = read_selfie(man_selfie.read_bytes(), face_models)
    assert isinstance(again, Selfie)
    np.testing.assert_array_equal(again.vector, man.vector)
    assert man.vector.dtype == np.float32
    assert man.vector.shape == (128,)


def test_of_several_faces_the_largest_is_taken(face_models: FaceModels) -> None:
    face = read_selfie(find_media("multi_face.jpg").read_bytes(), face_models)
    assert isinstance(face, Selfie)
    assert face.faces == 5
    assert face.face_px > 100


def side_by_side(left: Image, right: Image) -> Image:
    canvas = np.zeros((max(left.shape[0], right.shape[0]), left.shape[1] + right.shape[1], 3), np.uint8)
    canvas[: left.shape[0], : left.shape[1]] = left
    canvas[: right.shape[0], left.shape[1] :] = right
    return canvas


def vector_of(data: bytes, models: FaceModels) -> np.ndarray:
    face = read_selfie(data, models)
    assert isinstance(face, Selfie), face
    return face.vector


def distance(data: bytes, man: Selfie, models: FaceModels) -> float:
    return float(np.linalg.norm(vector_of(data, models) - man.vector))


def test_a_blurred_large_face_gives_way_to_a_sharp_smaller_one(man: Selfie, face_models: FaceModels) -> None:
    stranger = scaled(photo("multi_face.jpg"), 2)
    assert distance(as_png(side_by_side(stranger, photo("single_face.jpg"))), man, face_models) > 0.5
    blurry = side_by_side(blurred(stranger, 12), photo("single_face.jpg"))
    assert distance(as_png(blurry), man, face_models) < 0.15


def test_a_picture_without_a_face_is_told(face_models: FaceModels) -> None:
    gradient = np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (256, 1, 3))
    assert problem(as_png(gradient), face_models) is SelfieProblem.NO_FACE


def test_a_small_face_is_told(face_models: FaceModels) -> None:
    assert problem(as_png(scaled(photo("single_face.jpg"), 30 / 199)), face_models) is SelfieProblem.TOO_SMALL


@pytest.mark.parametrize("sigma_px", [7, 10])
def test_a_blurred_face_is_told(face_models: FaceModels, sigma_px: float) -> None:
    assert problem(as_png(blurred(photo("single_face.jpg"), sigma_px)), face_models) is SelfieProblem.TOO_BLURRED


def test_a_face_turned_away_is_told(face_models: FaceModels) -> None:
    """A man in profile, sharp and 209 px wide."""
    assert problem(find_media("BWPictureHuman.jpg").read_bytes(), face_models) is SelfieProblem.TURNED_AWAY


@pytest.mark.parametrize("factor", [0.02, 0.01, 0.0])
def test_a_selfie_without_light_is_told(face_models: FaceModels, factor: float) -> None:
    dark = (photo("single_face.jpg") * factor).astype(np.uint8)
    assert problem(as_png(dark), face_models) is SelfieProblem.TOO_DARK


def test_a_face_that_the_pictures_edge_cuts_is_told(face_models: FaceModels) -> None:
    [face] = find_faces(photo("single_face.jpg"), face_models, SelfiePolicy(), 320)
    assert (face.shown, face.problem(SelfiePolicy())) == (pytest.approx(1), None)
    right = round(face_right(photo("single_face.jpg"), face_models) - 0.25 * face.width_px)
    [cut] = find_faces(np.ascontiguousarray(photo("single_face.jpg")[:, :right]), face_models, SelfiePolicy(), 320)
    assert 0.7 < cut.shown < 0.95
    assert cut.problem(replace(SelfiePolicy(), min_shown=cut.shown - 0.01)) is None
    assert cut.problem(replace(SelfiePolicy(), min_shown=cut.shown + 0.01)) is SelfieProblem.TURNED_AWAY


def face_right(rgb: Image, models: FaceModels) -> float:
    [seen] = faces_in(rgb, models.detector)
    return seen.box.x1


def test_every_problem_has_a_sentence_of_its_own_that_says_what_to_send() -> None:
    assert SENTENCES.keys() == set(SelfieProblem)
    assert len(set(SENTENCES.values())) == len(SENTENCES)
    assert all(": send " in sentence for sentence in SENTENCES.values())


@pytest.mark.parametrize(
    "data",
    [b"", b"not an image", b"GIF89a" + bytes(50), b"\xff\xd8\xff\xe0", as_png(np.zeros((9, 9, 3), np.uint8))[:60]],
    ids=["empty", "text", "gif", "cut jpeg", "cut png"],
)
def test_what_cannot_be_decoded_is_told(face_models: FaceModels, data: bytes) -> None:
    assert problem(data, face_models) is SelfieProblem.UNDECODABLE


def test_too_many_pixels_are_not_decoded(man_selfie: Path, face_models: FaceModels) -> None:
    policy = replace(SelfiePolicy(), max_megapixels=0.3)
    assert problem(man_selfie.read_bytes(), face_models, policy) is SelfieProblem.UNDECODABLE


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_gives_the_same_vector(man: Selfie, face_models: FaceModels, orientation: int) -> None:
    stored = np.ascontiguousarray(STORED_AS[orientation](photo("single_face.jpg")))
    vector = vector_of(as_png(stored, orientation), face_models)
    np.testing.assert_allclose(vector, man.vector, atol=1e-6)


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("name", ["single_face.jpg", "multi_face.jpg", "Image_with_alpha.png"])
def test_a_picture_on_its_side_that_does_not_say_so_gives_the_same_vector(
    face_models: FaceModels, name: str, turns: int
) -> None:
    """Its faces are found as they lie, and would give vectors at .55 to .79 of their own person's."""
    upright = vector_of(as_png(photo(name)), face_models)
    lying = vector_of(as_png(np.rot90(photo(name), turns)), face_models)
    np.testing.assert_allclose(lying, upright, atol=1e-6)


@pytest.mark.parametrize(("factor", "within"), [(0.5, 0.15), (0.25, 0.2), (0.1, 0.3)])
def test_a_dark_selfie_is_the_same_person(man: Selfie, face_models: FaceModels, factor: float, within: float) -> None:
    dark = (photo("single_face.jpg") * factor).astype(np.uint8)
    assert distance(as_png(dark), man, face_models) < within


def test_a_dark_face_before_a_bright_wall_is_the_same_person(man: Selfie, face_models: FaceModels) -> None:
    dark = (photo("single_face.jpg") * 0.2).astype(np.uint8)
    framed = cv2.copyMakeBorder(dark, 200, 200, 200, 200, cv2.BORDER_CONSTANT, value=(240, 240, 240)).astype(np.uint8)
    assert distance(as_png(framed), man, face_models) < 0.2


def test_a_small_face_in_a_large_picture_is_found(man: Selfie, face_models: FaceModels) -> None:
    """It would be 6 px wide in the detector's first picture."""
    canvas = np.full((2400, 3200, 3), 90, np.uint8)
    head = scaled(photo("single_face.jpg"), 60 / 199)
    canvas[900 : 900 + head.shape[0], 1400 : 1400 + head.shape[1]] = head
    assert distance(as_png(canvas), man, face_models) < 0.25


def test_a_face_that_fills_the_picture_is_found(man: Selfie, face_models: FaceModels) -> None:
    [face] = find_faces(photo("single_face.jpg"), face_models, SelfiePolicy(), 320)
    [seen] = faces_in(photo("single_face.jpg"), face_models.detector)
    x0, y0, x1, y1 = (round(each) for each in (seen.box.x0, seen.box.y0, seen.box.x1, seen.box.y1))
    margin = round(0.25 * face.width_px)
    close = photo("single_face.jpg")[y0 - margin : y1 + margin // 2, x0 - margin // 2 : x1 + margin // 2]
    assert distance(as_png(close), man, face_models) < 0.2


def test_the_network_runs_once_on_the_crops_of_one_face(face_models: FaceModels) -> None:
    """However many faces there are, and whatever the picture lies like."""
    counting = CountingEmbedder(face_models.embedder)
    models = replace(face_models, embedder=cast("Embedder", counting))
    assert isinstance(read_selfie(as_png(np.rot90(photo("multi_face.jpg"))), models), Selfie)
    assert counting.batches == [SelfiePolicy().crops]


def test_nothing_is_embedded_of_a_refused_selfie(face_models: FaceModels) -> None:
    counting = CountingEmbedder(face_models.embedder)
    models = replace(face_models, embedder=cast("Embedder", counting))
    assert isinstance(read_selfie(as_png(blurred(photo("single_face.jpg"), 10)), models), SelfieRefused)
    assert counting.batches == []


class CountingEmbedder:
    """Remembers how many chips it was given at each call."""

    def __init__(self, real: Embedder) -> None:
        self._real = real
        self.batches: list[int] = []

    def embed(self, chips: Sequence[Image]) -> np.ndarray:
        self.batches.append(len(chips))
        return self._real.embed(chips)


def test_crops_are_seeded_and_every_second_one_is_mirrored() -> None:
    ramp = np.tile(np.linspace(0, 255, 400, dtype=np.uint8)[None, :, None], (400, 1, 3))
    crops = jittered_crops(ramp, SelfiePolicy())
    assert len(crops) == 40
    assert {crop.shape for crop in crops} == {(150, 150, 3)}
    rising = [bool(crop[75, 10, 0] < crop[75, 140, 0]) for crop in crops]
    assert rising == [True, False] * 20
    for one, other in zip(crops, jittered_crops(ramp, SelfiePolicy()), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(crops[0], jittered_crops(ramp, replace(SelfiePolicy(), seed=2))[0])
