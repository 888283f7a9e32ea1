from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.vision.box import Box
from streams.vision.policy import FacePolicy
from streams.vision.track import DetectedFace, SeenFace, Track, Tracker

POLICY = FacePolicy()
CHIP = np.zeros((150, 150, 3), np.uint8)


READ: list[int] = []


@pytest.fixture(autouse=True)
def nothing_read_yet() -> None:
    READ.clear()


def face(
    time_ms: int,
    *,
    x: float = 100,
    y: float = 100,
    width: float = 100,
    person: float = 0,
    score: float = 0.9,
    readable: bool = True,
) -> DetectedFace:
    """A face; `person` is a place on one axis of the vector space, so that distances are known."""
    vector = np.zeros(128, np.float32)
    vector[0] = person
    box = Box(x, y, x + width, y + width)

    def read() -> SeenFace | None:
        READ.append(time_ms)
        return SeenFace(time_ms, box, score, score, vector, CHIP) if readable else None

    return DetectedFace(time_ms, box, score, read)


def track_all(
    samples: Sequence[Sequence[DetectedFace]], step_ms: int = 200, policy: FacePolicy = POLICY
) -> list[Track]:
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
    assert [track.anchor.vector[0] for track in tracks] == [0, 1]


def test_two_people_who_change_places_keep_their_tracks() -> None:
    tracks = track_all(
        [[face(0, x=100, person=0), face(0, x=180, person=1)], [face(200, x=100, person=1), face(200, x=180, person=0)]]
    )
    assert [track.anchor.vector[0] for track in tracks] == [0, 1]


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


def test_a_face_that_stays_where_it_is_is_read_at_times() -> None:
    (track,) = track_all([[face(200 * n)] for n in range(51)])
    assert track.times_ms == [200 * n for n in range(51)]
    # Every seventh, and in the beginning the most promising between, until as many are known as are kept; the last one.
    assert [0, 1_400, 200, *range(2_800, 9_801, 1_400), 10_000] == READ
    assert len(track.best) == 3


def test_a_more_promising_face_between_is_read() -> None:
    scores = dict.fromkeys(range(51), 0.7) | {33: 0.95}
    (track,) = track_all([[face(200 * n, score=scores[n])] for n in range(51)])
    assert track.best[0].time_ms == 6_600


def test_a_short_track_is_read_until_it_has_enough() -> None:
    (track,) = track_all([[face(0)], [face(200)], [face(400, score=0.95)], [face(600)], []])
    assert READ == [0, 600, 400]
    assert [best.time_ms for best in track.best] == [400, 0, 600]


@pytest.mark.parametrize("width_change", [1, 1.1])
def test_a_face_that_moves_evenly_is_read_at_times(width_change: float) -> None:
    """It moves by its own width and grows by a tenth: expected where it comes."""
    samples = [[face(200 * n, x=100 + 90 * n, width=100 * width_change**n)] for n in range(11)]
    (track,) = track_all(samples)
    assert len(track.times_ms) == 11
    assert len(READ) < 7


def test_faces_that_come_near_one_another_are_read() -> None:
    samples = [[face(200 * n, person=0), face(200 * n, x=210, person=1)] for n in range(10)]
    assert len(track_all(samples)) == 2
    assert sorted(READ) == sorted([200 * n for n in range(10)] * 2)


def test_a_track_is_divided_where_the_person_changed() -> None:
    """A cut: another person in the same place, noticed by the reading after it."""
    people = [0.0] * 3 + [0.6] * 9
    tracks = track_all([[face(200 * n, person=person)] for n, person in enumerate(people)])
    assert [track.times_ms for track in tracks] == [[0, 200, 400], [200 * n for n in range(3, 12)]]
    assert [{best.vector[0] for best in track.best} for track in tracks] == [{0}, {np.float32(0.6)}]


def test_a_person_who_changes_slowly_stays_one_track() -> None:
    """From one reading to the next it is too far; from sample to sample it is not."""
    (track,) = track_all([[face(200 * n, person=0.12 * n)] for n in range(12)])
    assert len(track.times_ms) == 12


def test_what_cannot_be_read_begins_no_track_and_ends_none_late() -> None:
    assert track_all([[face(200 * n, readable=False)] for n in range(12)]) == []
    (track,) = track_all([[face(200 * n, readable=n < 3)] for n in range(5)])
    assert track.times_ms == [0, 200, 400]


def test_a_face_that_cannot_be_read_between_two_that_can_counts() -> None:
    (track,) = track_all([[face(200 * n, readable=n != 2)] for n in range(6)])
    assert len(track.times_ms) == 6


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
    assert len({track.number for track in tracks}) == len(tracks)
    kept = [id(best) for track in tracks for best in track.best]
    assert len(kept) == len(set(kept))
