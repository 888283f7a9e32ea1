from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from streams.index.looks import Looks
from streams.media.sample import Image, Region
from streams.vision.box import Box
from streams.vision.detect import ChipView, Detection
from streams.vision.policy import FacePolicy

WIDTH, HEIGHT = 1920, 1024
# Faces and places in full-size pixels; places are whole pixels in all pictures that are looked at.
SIDE = 60.0
STEP_MS = 200
POLICY = FacePolicy()
FINE, QUICK = ((round(HEIGHT * side / WIDTH), side) for side in (POLICY.detect_side_px, POLICY.quick_side_px))
# A face with its own width around it, as the detector's grid asks.
NEAR = (192, 192)
Place = tuple[int, int]


@dataclass(frozen=True)
class MarkedSample:
    """A black picture with one white pixel in the middle of each face."""

    time_ms: int
    places: Sequence[Place]

    size = (WIDTH, HEIGHT)

    def small_size(self, long_side_px: int) -> tuple[int, int, float]:
        return long_side_px, round(HEIGHT * long_side_px / WIDTH), WIDTH / long_side_px

    def bgr(self, long_side_px: int) -> Image:
        width, height, scale = self.small_size(long_side_px)
        picture = np.zeros((height, width, 3), np.uint8)
        for x, y in self.places:
            picture[round(y / scale), round(x / scale)] = 255
        return picture

    def bgr_part(self, long_side_px: int, region: Region) -> Image:
        x0, y0, x1, y1 = region
        return self.bgr(long_side_px)[y0:y1, x0:x1]


@dataclass
class MarkDetector:
    """Finds the white pixels of faces that are large enough in its picture, and notes how much it looked at."""

    least_px: float = 0.0
    looked_at: list[tuple[int, int]] = field(default_factory=list)
    detail = 1.0
    chip_view = ChipView(0, np.zeros((0, 2), np.float32))

    def detect(self, bgr: Image, *, min_score: float, max_overlap: float, scale: float = 1.0) -> list[Detection]:
        assert (min_score, max_overlap) == (POLICY.min_score, POLICY.max_overlap)
        self.looked_at.append(bgr.shape[:2])
        if SIDE / scale < self.least_px:
            return []
        half = SIDE / 2
        return [
            Detection(
                0.9,
                Box(x * scale - half, y * scale - half, x * scale + half, y * scale + half),
                np.array([[x, y]], np.float32) * scale,
            )
            for y, x in np.argwhere(bgr[..., 0] == 255)
        ]


def found(
    samples: Mapping[int, Sequence[Place]],
    *,
    step_ms: float = STEP_MS,
    policy: FacePolicy = POLICY,
    least_px: float = 0.0,
) -> tuple[dict[int, list[Place]], MarkDetector]:
    """What is found at each time."""
    detector = MarkDetector(least_px)
    looks = Looks(detector, policy, step_ms)
    seen = looks.at(MarkedSample(time_ms, places) for time_ms, places in samples.items())  # type: ignore[misc]
    places = {
        sample.time_ms: [(round(face.points[0][0]), round(face.points[0][1])) for face in faces]
        for sample, faces in seen
    }
    return places, detector


def whole(detector: MarkDetector) -> list[tuple[int, int]]:
    return [size for size in detector.looked_at if size in (FINE, QUICK)]


def at_steps(*samples: Sequence[Place]) -> dict[int, Sequence[Place]]:
    return {STEP_MS * number: places for number, places in enumerate(samples)}


def test_a_face_that_stays_is_found_in_every_sample() -> None:
    samples = at_steps(*[[(300, 204)]] * 7)
    places, detector = found(samples)
    assert places == samples
    assert whole(detector) == [FINE, QUICK, FINE, QUICK]
    assert {size for size in detector.looked_at if size not in (FINE, QUICK)} == {NEAR}


def test_where_nobody_is_half_of_the_samples_are_not_looked_at() -> None:
    places, detector = found(at_steps(*[[]] * 9))
    assert places == at_steps(*[[]] * 9)
    assert detector.looked_at == [FINE, QUICK, FINE, QUICK, FINE]


@pytest.mark.parametrize("first", [0, 1, 2, 3])
def test_a_face_that_is_there_for_two_samples_is_found_in_both(first: int) -> None:
    samples = at_steps(*[[(300, 204)] if first <= n < first + 2 else [] for n in range(8)])
    assert found(samples)[0] == samples


def test_a_face_that_runs_is_found_between() -> None:
    """By its own width from sample to sample; across the borders of what is looked at as well."""
    samples = at_steps(*[[(60 * n + 12, 12)] for n in range(30)])
    assert found(samples)[0] == samples


@pytest.mark.parametrize("first", range(5))
@pytest.mark.parametrize("runs_px", [0, 60])
def test_a_face_too_small_for_quick_looks_is_followed_both_ways(first: int, runs_px: int) -> None:
    """It is found by fine looks alone, at samples 0, 4 and 8, and from there back to the quick look before."""
    samples = at_steps(*[[(300 + runs_px * n, 204)] if n >= first else [] for n in range(11)])
    places, _ = found(samples, least_px=30)
    seen_from = max(first, 2 if first else 0)
    assert places == {time_ms: at if time_ms >= seen_from * STEP_MS else [] for time_ms, at in samples.items()}


def test_a_face_too_small_for_every_whole_look_is_not_found() -> None:
    places, detector = found(at_steps(*[[(300, 204)]] * 5), least_px=50)
    assert places == at_steps(*[[]] * 5)
    assert detector.looked_at == [FINE, QUICK, FINE]


def test_a_face_of_one_sample_costs_four_small_looks() -> None:
    """It is looked for on both sides of it, and once more, larger; no further where it is not found there."""
    places, detector = found(at_steps(*[[(300, 204)] if n == 4 else [] for n in range(9)]))
    assert places == at_steps(*[[(300, 204)] if n == 4 else [] for n in range(9)])
    assert len(whole(detector)) == 5
    assert detector.looked_at.count(NEAR) == 4


def test_two_faces_far_apart_are_looked_for_alone_and_near_ones_together() -> None:
    places, detector = found(at_steps(*[[(300, 300), (1500, 600)]] * 3))
    assert sorted(places[200]) == [(300, 300), (1500, 600)]
    assert detector.looked_at.count(NEAR) == 2
    near, detector = found(at_steps(*[[(300, 300), (396, 336)]] * 3))
    assert sorted(near[200]) == [(300, 300), (396, 336)]
    assert NEAR not in detector.looked_at


def test_a_crowd_is_looked_at_as_a_whole() -> None:
    crowd = [(x, y) for x in range(60, WIDTH, 120) for y in range(60, HEIGHT, 120)]
    places, detector = found(at_steps(crowd, crowd, crowd))
    assert sorted(places[200]) == sorted(crowd)
    assert detector.looked_at == [FINE, QUICK, FINE]


def test_the_order_is_that_of_time_and_every_sample_comes_once() -> None:
    places, _ = found(at_steps(*[[(300, 204)]] * 8), step_ms=100)
    assert list(places) == [STEP_MS * n for n in range(8)]


@pytest.mark.parametrize(("step_ms", "count"), [(1000, 9), (400, 9), (200, 5), (100, 3), (33, 2)])
def test_faster_sampling_looks_at_whole_pictures_no_more_often(step_ms: float, count: int) -> None:
    samples = {round(n * step_ms): [(300, 204)] for n in range(9)}
    places, detector = found(samples, step_ms=step_ms)
    assert places == samples
    assert len(whole(detector)) == count


def test_behind_a_hole_the_whole_picture_is_looked_at() -> None:
    samples = {0: [], 200: [], 400: [], 5_000: [(300, 204)], 5_200: [(300, 204)], 5_400: []}
    assert found(samples)[0] == samples


def test_every_picture_is_looked_at_where_the_policy_says_so() -> None:
    _, detector = found(at_steps(*[[]] * 6), policy=replace(POLICY, look_every_ms=200))
    assert len(detector.looked_at) == 6
