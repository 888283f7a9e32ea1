"""Scoring, on made-up people whose answers are known."""

from collections import Counter

import numpy as np
import pytest

from bench.accuracy.people import Person, Picture, Source
from bench.accuracy.plan import BANDS, PASS_MS, Film, Kind, Pass, plan_films
from bench.accuracy.recipes import Seen, Vector
from bench.accuracy.render import face_box
from bench.accuracy.score import Footage, Miss, Query, Search, compare, owner, search_all
from streams.vision.box import Box

PICTURE = Picture(np.zeros((100, 80, 3), np.uint8), Box(10, 20, 70, 80))
PEOPLE = tuple(Person(f"p{number}", Source.OTHER_PHOTO, (b"",), (PICTURE,) * 3) for number in range(13))
FILMS = plan_films(PEOPLE, kinds=(Kind.PLAIN, Kind.TILT), films_per_kind=2)


class Made:
    """A recipe of which only name and limit are asked for: what it would see is given by each test."""

    name = "made up"
    max_distance = 0.5

    def read_selfie(self, data: bytes) -> Vector | None:
        raise NotImplementedError

    def index(self, film: object, duration_ms: int) -> list[Seen]:
        raise NotImplementedError


def vector(place: float) -> Vector:
    made = np.zeros(128, np.float32)
    made[0] = place
    return made


def seen(each: Pass, place: float, times_ms: tuple[int, ...]) -> Seen:
    boxes = tuple((time_ms, face_box(each, time_ms)) for time_ms in times_ms)
    return Seen(f"{each.person.name}/{place}", times_ms, np.stack([vector(place)] * len(times_ms)), boxes)


def times(each: Pass) -> tuple[int, ...]:
    return tuple(range(each.start_ms, each.end_ms, 200))


def search(film: Film, tracks: list[Seen], *, who: Person, selfie: Vector | None = None) -> Search:
    footage = Footage(film, tuple(tracks), tuple(owner(track, film) for track in tracks))
    [found] = search_all(compare(Made(), [Query(who, 0, selfie)], [footage]), 0.5)
    return found


def one_pass(start_ms: int = 2_000, end_ms: int = 3_600) -> tuple[Film, Pass]:
    only = Pass(
        person=PEOPLE[0], start_ms=start_ms, end_ms=end_ms, face_px=100, band=(90, 130), label="plain", pictures=(0,),
        center=(500, 500), way_px=50, tilt_deg=0, blur=0,
    )  # fmt: skip
    return Film(name="f", duration_ms=8_000, passes=(only,), kind=Kind.PLAIN, background_s=0), only


def test_everybody_passes_once_for_each_difficulty_and_sizes_stay_in_their_band() -> None:
    for kind in (Kind.PLAIN, Kind.TILT):
        passes = [each for film in FILMS if film.kind is kind for each in film.passes]
        assert sorted(each.person.name for each in passes) == sorted(each.name for each in PEOPLE)
        assert max(Counter(each.band for each in passes).values()) <= len(PEOPLE) // len(BANDS) + 1
    for film in FILMS:
        for each in film.passes:
            widths = [face_box(each, time_ms).width for time_ms in range(each.start_ms, each.end_ms, 100)]
            assert each.band[0] <= min(widths)
            assert max(widths) <= each.band[1]
            assert each.end_ms <= film.duration_ms
    assert FILMS[-1].passes == ()
    assert {each.label for film in FILMS for each in film.passes} == {"plain", "tilt 15 degrees", "tilt 30 degrees"}


def test_the_plan_is_the_same_each_time() -> None:
    again = plan_films(PEOPLE, kinds=(Kind.PLAIN, Kind.TILT), films_per_kind=2)
    assert [[(p.person.name, p.face_px, p.center) for p in film.passes] for film in again] == [
        [(p.person.name, p.face_px, p.center) for p in film.passes] for film in FILMS
    ]


def test_a_track_is_of_who_was_there() -> None:
    film = FILMS[0]
    for each in film.passes:
        assert owner(seen(each, 0.0, times(each)), film) is each
    away = Seen("x", (700,), vector(0)[None], ((700, Box(0, 0, 20, 20)),))
    assert owner(away, film) is None


def test_a_pass_that_is_wholly_seen_is_wholly_recalled() -> None:
    film, only = one_pass()
    found = search(film, [seen(only, 0.2, times(only))], who=only.person, selfie=vector(0))
    # 1 s of padding on each side of the first and last sample, 200 ms before the end.
    assert found.clip is not None
    assert (found.clip.start_ms, found.clip.end_ms) == (1_000, 4_400)
    assert (found.covered_ms, found.right_ms, found.clip_ms) == (PASS_MS, 3_400, 3_400)
    assert not found.is_false
    assert found.miss is None


def test_half_of_a_pass_is_half_recalled() -> None:
    film, only = one_pass(2_000, 6_000)
    found = search(film, [seen(only, 0.2, (2_000, 2_200, 2_400))], who=only.person, selfie=vector(0))
    assert found.covered_ms == 1_400
    assert found.miss is Miss.RULE


def test_a_clip_of_somebody_else_is_false() -> None:
    film, only = one_pass()
    found = search(film, [seen(only, 0.2, times(only))], who=PEOPLE[1], selfie=vector(0))
    assert found.is_false
    assert (found.covered_ms, found.right_ms, found.clip_ms) == (0, 0, 3_400)
    assert found.shown is None


def test_a_clip_at_another_time_is_false_and_the_pass_is_missed() -> None:
    film, only = one_pass(6_000, 7_600)
    elsewhere = Seen("x", (600, 800), np.stack([vector(0)] * 2), ((600, Box(0, 0, 50, 50)), (800, Box(0, 0, 50, 50))))
    found = search(film, [elsewhere], who=only.person, selfie=vector(0))
    assert found.is_false
    assert found.right_ms == 0
    assert found.miss is Miss.FACE


@pytest.mark.parametrize(
    ("selfie", "place", "count", "miss"),
    [
        (None, 0.0, 8, Miss.SELFIE),
        (vector(0), None, 0, Miss.FACE),
        (vector(0), 0.7, 8, Miss.DISTANCE),
        (vector(0), 0.2, 1, Miss.RULE),
    ],
)
def test_a_missed_pass_names_the_stage(selfie: Vector | None, place: float | None, count: int, miss: Miss) -> None:
    film, only = one_pass()
    tracks = [] if place is None else [seen(only, place, times(only)[:count])]
    found = search(film, tracks, who=only.person, selfie=selfie)
    assert found.clip is None
    assert found.miss is miss


def test_a_track_is_as_near_as_the_nearest_of_its_vectors() -> None:
    film, only = one_pass()
    far, near = seen(only, 0.9, times(only)), seen(only, 0.3, times(only)[:1])
    mixed = Seen("m", far.times_ms, np.concatenate([far.vectors, near.vectors]), (*far.boxes, *near.boxes))
    work = compare(Made(), [Query(only.person, 0, vector(0))], [Footage(film, (far, mixed), (only, only))])
    np.testing.assert_allclose(work.distances[0, 0], [0.9, 0.3], atol=1e-6)
