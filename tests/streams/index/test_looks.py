from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from streams.index.looks import Looks
from streams.media.sample import Image, Region
from streams.vision.box import Box
from streams.vision.detect import ChipView, Detection
from streams.vision.policy import FacePolicy

WIDTH, HEIGHT, SCALE = FacePolicy().detect_side_px, 512, 3.0
SIDE = 20.0
STEP_MS = 200
POLICY = FacePolicy()
Place = tuple[int, int]


@dataclass(frozen=True)
class MarkedSample:
    """A black picture with one white pixel in the middle of each face; places are those of the small picture."""

    time_ms: int
    places: Sequence[Place]

    def small_size(self, long_side_px: int) -> tuple[int, int, float]:
        assert long_side_px == WIDTH
        return WIDTH, HEIGHT, SCALE

    def bgr(self, long_side_px: int) -> Image:
        assert long_side_px == WIDTH
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        for x, y in self.places:
            picture[y, x] = 255
        return picture

    def bgr_part(self, long_side_px: int, region: Region) -> Image:
        x0, y0, x1, y1 = region
        return self.bgr(long_side_px)[y0:y1, x0:x1]


@dataclass
class MarkDetector:
    """Finds the white pixels, and notes how much it looked at."""

    looked_at: list[tuple[int, int]] = field(default_factory=list)
    detail = 1.0
    chip_view = ChipView(0, np.zeros((0, 2), np.float32))

    def detect(self, bgr: Image, *, min_score: float, max_overlap: float, scale: float = 1.0) -> list[Detection]:
        assert (min_score, max_overlap) == (POLICY.min_score, POLICY.max_overlap)
        self.looked_at.append(bgr.shape[:2])
        half = SIDE / 2
        return [
            Detection(
                0.9,
                Box((x - half) * scale, (y - half) * scale, (x + half) * scale, (y + half) * scale),
                np.array([[x, y]], np.float32) * scale,
            )
            for y, x in np.argwhere(bgr[..., 0] == 255)
        ]


def found(
    samples: Mapping[int, Sequence[Place]], *, step_ms: float = STEP_MS, policy: FacePolicy = POLICY
) -> tuple[dict[int, list[Place]], MarkDetector]:
    """What is found at each time, as places in the small picture."""
    detector = MarkDetector()
    looks = Looks(detector, policy, step_ms)
    seen = looks.at(MarkedSample(time_ms, places) for time_ms, places in samples.items())  # type: ignore[misc]
    places = {
        sample.time_ms: [(round(face.points[0][0] / SCALE), round(face.points[0][1] / SCALE)) for face in faces]
        for sample, faces in seen
    }
    return places, detector


def at_steps(*samples: Sequence[Place]) -> dict[int, Sequence[Place]]:
    return {STEP_MS * number: places for number, places in enumerate(samples)}


def test_a_face_that_stays_is_found_in_every_sample() -> None:
    samples = at_steps(*[[(300, 200)]] * 7)
    places, detector = found(samples)
    assert places == samples
    whole = [size for size in detector.looked_at if size == (HEIGHT, WIDTH)]
    assert len(whole) == 4
    assert {size for size in detector.looked_at if size not in whole} == {(64, 64)}


def test_where_nobody_is_half_of_the_samples_are_not_looked_at() -> None:
    places, detector = found(at_steps(*[[]] * 9))
    assert places == at_steps(*[[]] * 9)
    assert len(detector.looked_at) == 5


@pytest.mark.parametrize("first", [0, 1, 2, 3])
def test_a_face_that_is_there_for_two_samples_is_found_in_both(first: int) -> None:
    samples = at_steps(*[[(300, 200)] if first <= n < first + 2 else [] for n in range(8)])
    assert found(samples)[0] == samples


def test_a_face_that_runs_is_found_between() -> None:
    """By its own width from sample to sample; across the borders of what is looked at as well."""
    samples = at_steps(*[[(20 * n + 5, 5)] for n in range(30)])
    assert found(samples)[0] == samples


def test_two_faces_far_apart_are_looked_for_alone_and_near_ones_together() -> None:
    places, detector = found(at_steps(*[[(100, 100), (500, 200)]] * 3))
    assert sorted(places[200]) == [(100, 100), (500, 200)]
    assert detector.looked_at[2:] == [(64, 64), (64, 64)] or detector.looked_at.count((64, 64)) == 2
    near, detector = found(at_steps(*[[(100, 100), (130, 110)]] * 3))
    assert sorted(near[200]) == [(100, 100), (130, 110)]
    assert (64, 64) not in detector.looked_at


def test_a_crowd_is_looked_at_as_a_whole() -> None:
    crowd = [(x, y) for x in range(20, WIDTH, 40) for y in range(20, HEIGHT, 40)]
    places, detector = found(at_steps(crowd, crowd, crowd))
    assert sorted(places[200]) == sorted(crowd)
    assert set(detector.looked_at) == {(HEIGHT, WIDTH)}


def test_the_order_is_that_of_time_and_every_sample_comes_once() -> None:
    places, _ = found(at_steps(*[[(300, 200)]] * 8), step_ms=100)
    assert list(places) == [STEP_MS * n for n in range(8)]


@pytest.mark.parametrize(("step_ms", "whole"), [(1000, 9), (400, 9), (200, 5), (100, 3), (33, 2)])
def test_faster_sampling_looks_at_whole_pictures_no_more_often(step_ms: float, whole: int) -> None:
    samples = {round(n * step_ms): [(300, 200)] for n in range(9)}
    places, detector = found(samples, step_ms=step_ms)
    assert places == samples
    assert detector.looked_at.count((HEIGHT, WIDTH)) == whole


def test_behind_a_hole_the_whole_picture_is_looked_at() -> None:
    samples = {0: [], 200: [], 400: [], 5_000: [(300, 200)], 5_200: [(300, 200)], 5_400: []}
    assert found(samples)[0] == samples


def test_every_picture_is_looked_at_where_the_policy_says_so() -> None:
    _, detector = found(at_steps(*[[]] * 6), policy=replace(POLICY, look_every_ms=200))
    assert len(detector.looked_at) == 6
