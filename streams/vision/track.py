"""Joins faces of consecutive samples into tracks; plain values in and out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from streams.vision.box import Box
from streams.vision.policy import FacePolicy


@dataclass(frozen=True, eq=False)
class SeenFace:
    """A face of one sample: time on the source's timeline, box in source pixels, second score, vector, chip."""

    time_ms: int
    box: Box
    second_score: float
    vector: npt.NDArray[np.float32]
    chip: npt.NDArray[np.uint8]


@dataclass(eq=False)
class Track:
    """One face over time: all sample times, the last face, and the best few faces, best first."""

    number: int
    last: SeenFace
    times_ms: list[int] = field(default_factory=list)
    best: list[SeenFace] = field(default_factory=list)


class Tracker:
    """Takes samples in order of time and gives each track back when it has ended.

    A track that has ended holds the chips of its best faces only, so memory stays bounded by what is on screen.
    """

    def __init__(self, policy: FacePolicy, step_ms: float) -> None:
        self._policy = policy
        self._max_gap_ms = max(policy.max_link_gap_ms, policy.max_link_steps * step_ms)
        self._live: list[Track] = []
        self._next_number = 0

    def add(self, time_ms: int, faces: Sequence[SeenFace]) -> list[Track]:
        """Adds the faces of the sample at `time_ms` and returns the tracks that ended before it."""
        ended = [track for track in self._live if time_ms - track.last.time_ms > self._max_gap_ms]
        self._live = [track for track in self._live if time_ms - track.last.time_ms <= self._max_gap_ms]
        taken: set[int] = set()
        linked: set[int] = set()
        for _distance, track_index, face_index in sorted(self._links(faces)):
            if track_index not in taken and face_index not in linked:
                taken.add(track_index)
                linked.add(face_index)
                self._extend(self._live[track_index], faces[face_index])
        for index, face in enumerate(faces):
            if index not in linked:
                track = Track(self._next_number, face)
                self._next_number += 1
                self._extend(track, face)
                self._live.append(track)
        return ended

    def finish(self) -> list[Track]:
        """Ends and returns the tracks still running."""
        ended, self._live = self._live, []
        return ended

    def _links(self, faces: Sequence[SeenFace]) -> Iterable[tuple[float, int, int]]:
        for track_index, track in enumerate(self._live):
            for face_index, face in enumerate(faces):
                distance = float(np.linalg.norm(track.last.vector - face.vector))
                if distance < self._policy.max_link_distance and self._is_near(track.last.box, face.box):
                    yield distance, track_index, face_index

    def _is_near(self, before: Box, now: Box) -> bool:
        (x0, y0), (x1, y1) = before.center, now.center
        ratio = before.width / now.width
        return (
            abs(x0 - x1) < self._policy.max_link_dx * now.width
            and abs(y0 - y1) < self._policy.max_link_dy * now.width
            and 1 / self._policy.max_link_size_ratio < ratio < self._policy.max_link_size_ratio
        )

    def _extend(self, track: Track, face: SeenFace) -> None:
        track.last = face
        track.times_ms.append(face.time_ms)
        # Sorting is stable: of equal faces the earlier one stays first.
        ranked = sorted([*track.best, face], key=lambda face: -self._worth(face))
        track.best = ranked[: self._policy.faces_per_track]

    def _worth(self, face: SeenFace) -> float:
        size = min(1.0, face.box.width / self._policy.full_size_px)
        return float(face.second_score * size**self._policy.size_weight)
