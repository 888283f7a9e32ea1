"""Compares what a recipe found with what the footage shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from bench.accuracy.people import Person
from bench.accuracy.plan import Film, Pass, Presence, Recording
from bench.accuracy.recipes import SETTINGS, Recipe, Seen, Vector
from bench.accuracy.render import face_box
from schemas.searches import Sighting
from streams.search.segments import PlannedWindow, plan_windows, policy_of

POLICY = policy_of(SETTINGS)
# A track is somebody's when the middles of its faces lie within this part of the face's width of theirs.
_SAME_PLACE = 0.6
NOT_FOUND = float("inf")


class Miss(StrEnum):
    """Which stage is why a pass of the selfie's person is not wholly in a clip."""

    SELFIE = "the selfie was refused"
    FACE = "no face was found in the pass"
    DISTANCE = "found, but too far from the selfie"
    RULE = "near enough, but no clip or a clip too short"


@dataclass(frozen=True, eq=False)
class Footage:
    """A film, and what a recipe saw in it; `owners` has for each of `seen` the pass that it belongs to, or None."""

    film: Recording
    seen: tuple[Seen, ...]
    owners: tuple[Pass | None, ...]


@dataclass(frozen=True, eq=False)
class Query:
    """A selfie of somebody; its vector is None where the recipe refused it."""

    person: Person
    number: int
    vector: Vector | None


@dataclass(frozen=True, eq=False)
class Work:
    """All that a recipe made of the set: its distances, ready to be searched at any threshold.

    `distances` has for each query and each film a float64 [n], the distances of its n tracks.
    """

    recipe: Recipe
    queries: tuple[Query, ...]
    footage: tuple[Footage, ...]
    distances: Mapping[tuple[int, int], npt.NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Search:
    """One selfie against one film: the clip, if any, and how it agrees with the truth, in ms.

    Attributes:
        shown: when the person is in view; None where this film is of others.
        covered_ms: how much of the pass is in the clip.
        right_ms: how much of the clip is the pass or its padding.
    """

    query: Query
    film: Recording
    shown: Presence | None
    clip: PlannedWindow | None
    covered_ms: int
    right_ms: int
    miss: Miss | None

    @property
    def clip_ms(self) -> int:
        """Length of the clip."""
        return 0 if self.clip is None else self.clip.end_ms - self.clip.start_ms

    @property
    def shown_ms(self) -> int:
        """How long the person is in view."""
        return 0 if self.shown is None else self.shown.end_ms - self.shown.start_ms

    @property
    def is_false(self) -> bool:
        """A clip without a moment of its person."""
        return self.clip is not None and self.covered_ms == 0


def owner(seen: Seen, film: Film) -> Pass | None:
    """Whose track it is, by place: of somebody in view at the time, for most of its faces."""
    votes = [_at(time_ms, box.center, film) for time_ms, box in seen.boxes]
    return max(votes, key=votes.count)


def _at(time_ms: int, center: tuple[float, float], film: Film) -> Pass | None:
    for each in film.passes:
        if each.start_ms <= time_ms < each.end_ms:
            truth = face_box(each, time_ms)
            reach = _SAME_PLACE * truth.width
            if abs(truth.center[0] - center[0]) < reach and abs(truth.center[1] - center[1]) < reach:
                return each
    return None


def compare(recipe: Recipe, queries: Sequence[Query], footage: Sequence[Footage]) -> Work:
    """Euclidean distances of every selfie to every track: of its vectors the nearest, as the store answers."""
    distances = {}
    for film_number, each in enumerate(footage):
        vectors = np.concatenate([seen.vectors for seen in each.seen]) if each.seen else np.zeros((0, 128))
        starts = np.cumsum([0, *(len(seen.vectors) for seen in each.seen)])[:-1]
        for number, query in enumerate(queries):
            if query.vector is None or not each.seen:
                found = np.full(len(each.seen), NOT_FOUND)
            else:
                found = np.minimum.reduceat(
                    np.linalg.norm(vectors.astype(np.float64) - query.vector.astype(np.float64), axis=1), starts
                )
            distances[number, film_number] = found
    return Work(recipe, tuple(queries), tuple(footage), distances)


def search_all(work: Work, max_distance: float) -> list[Search]:
    """Every selfie against every film."""
    return [
        _search(query, footage, work.distances[number, film_number], max_distance)
        for number, query in enumerate(work.queries)
        for film_number, footage in enumerate(work.footage)
    ]


def _search(query: Query, footage: Footage, distances: npt.NDArray[np.float64], max_distance: float) -> Search:
    film = footage.film
    sightings = [
        Sighting(
            source_video_key=film.name,
            track=seen.track,
            start_ms=seen.times_ms[0],
            end_ms=seen.times_ms[-1],
            sample_times_ms=seen.times_ms,
            distance=float(distance),
        )
        for seen, distance in zip(footage.seen, distances, strict=True)
        if distance < max_distance
    ]
    clip = next(iter(plan_windows(sightings, POLICY, {film.name: film.duration_ms}).windows), None)
    shown = next((each for each in film.passes if each.person is query.person), None)
    covered = right = 0
    if clip is not None and shown is not None:
        covered = _overlap(clip, shown.start_ms, shown.end_ms)
        if covered:
            right = _overlap(clip, shown.start_ms - POLICY.padding_start_ms, shown.end_ms + POLICY.padding_end_ms)
    miss = None
    if shown is not None and covered < shown.end_ms - shown.start_ms:
        miss = _miss(query, footage, shown, distances, max_distance)
    return Search(query, film, shown, clip, covered, right, miss)


def _miss(
    query: Query, footage: Footage, shown: Presence, distances: npt.NDArray[np.float64], max_distance: float
) -> Miss:
    if query.vector is None:
        return Miss.SELFIE
    theirs = [distance for distance, owner in zip(distances, footage.owners, strict=True) if owner is shown]
    if not theirs:
        return Miss.FACE
    return Miss.DISTANCE if min(theirs) >= max_distance else Miss.RULE


def _overlap(clip: PlannedWindow, start_ms: int, end_ms: int) -> int:
    return max(0, min(clip.end_ms, end_ms) - max(clip.start_ms, start_ms))
