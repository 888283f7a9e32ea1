from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.vision.box import Box
from streams.vision.policy import FacePolicy
from streams.vision.track import SeenFace, Track, Tracker

POLICY = FacePolicy()
CHIP = np.zeros((150, 150, 3), np.uint8)


def face(
    time_ms: int, *, x: float = 100, y: float = 100, width: float = 100, person: float = 0, score: float = 0.9
) -> SeenFace:
    """A face; `person` is a place on one axis of the vector space, so that distances are known."""
    vector = np.zeros(128, np.float32)
    vector[0] = person
    return SeenFace(time_ms, Box(x, y, x + width, y + width), score, vector, CHIP)


def track_all(samples: Sequence[Sequence[SeenFace]], step_ms: int = 200, policy: FacePolicy = POLICY) -> list[Track]:
    tracker = Tracker(policy, step_ms)
    tracks = []
    for number, faces in enumerate(samples):
        tracks += tracker.add(number * step_ms, faces)
    return sorted([*tracks, *tracker.finish()], key=lambda track: track.number)


def test_one_face_over_time_is_one_track() -> None:
    (track,) = track_all([[face(t)] for t in range(0, 1000, 200)])
    assert track.times_ms == [0, 200, 400, 600, 800]


def test_a_face_seen_once_is_a_track_of_one_sample() -> None:
    """A search tells a lone hit, of which no clip is made, from none."""
    assert [track.times_ms for track in track_all([[face(0)], [], []])] == [[0]]


def test_two_people_side_by_side_are_two_tracks() -> None:
    tracks = track_all([[face(t, person=0), face(t, x=250, person=1)] for t in (0, 200, 400)])
    assert [track.times_ms for track in tracks] == [[0, 200, 400]] * 2
    assert [track.last.vector[0] for track in tracks] == [0, 1]


def test_two_people_who_change_places_keep_their_tracks() -> None:
    tracks = track_all(
        [[face(0, x=100, person=0), face(0, x=180, person=1)], [face(200, x=100, person=1), face(200, x=180, person=0)]]
    )
    assert [track.last.vector[0] for track in tracks] == [0, 1]


def test_another_person_in_the_same_place_is_another_track() -> None:
    tracks = track_all([[face(0)], [face(200)], [face(400, person=0.56)], [face(600, person=0.56)]])
    assert [track.times_ms for track in tracks] == [[0, 200], [400, 600]]


@pytest.mark.parametrize("other", [{"x": 230}, {"y": 205}, {"width": 210}, {"width": 49}])
def test_a_jump_in_place_or_size_is_another_track(other: dict[str, float]) -> None:
    samples = [[face(0)], [face(200)], [face(400, **other)], [face(600, **other)]]
    assert [track.times_ms for track in track_all(samples)] == [[0, 200], [400, 600]]


def test_a_face_hidden_for_up_to_a_second_is_the_same_track() -> None:
    (track,) = track_all([[face(0)], [], [], [], [], [face(1000)]])
    assert track.times_ms == [0, 1000]


def test_a_face_hidden_for_longer_is_not() -> None:
    tracks = track_all([[face(0)], [], [], [], [], [], [face(1200)]])
    assert [track.times_ms for track in tracks] == [[0], [1200]]


def test_slow_sampling_still_links_neighbours() -> None:
    (track,) = track_all([[face(0)], [face(2000)]], step_ms=2000)
    assert track.times_ms == [0, 2000]
    assert len(track_all([[face(0)], [], [face(4000)]], step_ms=2000)) == 2


def test_the_best_three_faces_are_kept_best_first() -> None:
    scores = [0.7, 0.95, 0.6, 0.9, 0.8]
    (track,) = track_all([[face(200 * n, score=score)] for n, score in enumerate(scores)])
    assert [best.second_score for best in track.best] == [0.95, 0.9, 0.8]


def test_a_small_face_is_worth_less_up_to_the_full_size() -> None:
    samples = [[face(0, width=80, score=0.80)], [face(200, width=41, score=0.85)], [face(400, width=80, score=0.79)]]
    (track,) = track_all(samples, policy=replace(POLICY, faces_per_track=2))
    assert [best.time_ms for best in track.best] == [0, 400]


def test_an_ended_track_is_given_back_while_others_go_on() -> None:
    tracker = Tracker(POLICY, 200)
    early = []
    for time_ms in range(0, 3000, 200):
        faces = [face(time_ms, x=300, person=1)] + ([face(time_ms)] if time_ms < 400 else [])
        early += tracker.add(time_ms, faces)
    assert [track.times_ms for track in early] == [[0, 200]]
    assert len(tracker.finish()) == 1


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from([0, 150, 300, 450]), st.sampled_from([0.0, 0.3, 0.6, 1.2])), max_size=4),
        max_size=12,
    )
)
def test_no_face_is_in_two_tracks_and_no_track_is_twice_in_a_sample(seen: list[list[tuple[int, float]]]) -> None:
    samples = [[face(200 * n, x=x, person=person) for x, person in faces] for n, faces in enumerate(seen)]
    tracks = track_all(samples)
    for track in tracks:
        assert track.times_ms == sorted(set(track.times_ms))
        assert 1 <= len(track.best) <= 3
    assert sum(len(track.times_ms) for track in tracks) == sum(len(faces) for faces in samples)
    kept = [id(best) for track in tracks for best in track.best]
    assert len(kept) == len(set(kept))
