"""Joins faces of consecutive samples into tracks, and reads no more of them than it needs; plain values in and out.

To read a face (align it, look again, embed it) costs as much as to find it. A face that alone lies where a track's last
one was is linked unread; every few samples one is read, and says whether all of them were the same person. Where two
faces come near one another, where one jumps, and where the reading says otherwise, each is read.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from streams.vision.box import Box
from streams.vision.policy import FacePolicy


@dataclass(frozen=True, eq=False)
class SeenFace:
    """A face that was read.

    Attributes:
        time_ms: on the source's timeline.
        box: in source pixels.
        score: the detector's, 0 to 1.
        second_score: the second look's, 0 to 1.
        vector: float32 [128].
        chip: uint8 [150, 150, 3], red first.
    """

    time_ms: int
    box: Box
    score: float
    second_score: float
    vector: npt.NDArray[np.float32]
    chip: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class DetectedFace:
    """A face of one sample that may still have to be read.

    Attributes:
        time_ms: on the source's timeline.
        box: in source pixels.
        score: the detector's, 0 to 1.
        read: reads it; None where the second look sees no face.
    """

    time_ms: int
    box: Box
    score: float
    read: Callable[[], SeenFace | None]

    @cached_property
    def seen(self) -> SeenFace | None:
        """What reading it says; it is read once."""
        return self.read()


@dataclass(eq=False)
class Track:
    """One face over time.

    Attributes:
        number: counts the tracks of a tracker.
        anchor: the last face that was read.
        times_ms: of all its samples, up to the anchor's.
        unread: its samples since then.
        best: the best few faces that were read, best first.
        places: its last two boxes.
    """

    number: int
    anchor: SeenFace
    times_ms: list[int] = field(default_factory=list)
    unread: list[DetectedFace] = field(default_factory=list)
    best: list[SeenFace] = field(default_factory=list)
    places: deque[Box] = field(default_factory=lambda: deque(maxlen=2))

    @property
    def last_ms(self) -> int:
        """The time of its last sample, read or not."""
        return self.unread[-1].time_ms if self.unread else self.anchor.time_ms

    def expected(self) -> tuple[float, float]:
        """Where its next face is: as far from the last as that from the one before. Pixels (x, y)."""
        x, y = self.places[-1].center
        x_before, y_before = self.places[0].center
        return 2 * x - x_before, 2 * y - y_before


class Tracker:
    """Takes samples in order of time and gives each track back when it has ended.

    Memory stays bounded by what is on screen: a track holds the chips of its best faces and a few unread ones.
    """

    def __init__(self, policy: FacePolicy, step_ms: float) -> None:
        self._policy = policy
        self._max_gap_ms = max(policy.max_link_gap_ms, policy.max_link_steps * step_ms)
        self._live: list[Track] = []
        self._ended: list[Track] = []
        self._next_number = 0

    def add(self, time_ms: int, faces: Sequence[DetectedFace]) -> list[Track]:
        """Adds the faces of the sample at `time_ms` and returns the tracks that ended before it."""
        for track in [track for track in self._live if time_ms - track.last_ms > self._max_gap_ms]:
            self._end(track)
        near = [(track, face) for track in self._live for face in faces if self._is_near(track.places[-1], face.box)]
        plain = [pair for pair in near if self._is_plain(*pair, near)]
        for track, face in plain:
            track.unread.append(face)
            track.places.append(face.box)
        linked = {id(face) for _, face in plain}
        self._read_and_link([face for face in faces if id(face) not in linked], near)
        return self._take_ended()

    def finish(self) -> list[Track]:
        """Ends and returns the tracks still running."""
        for track in list(self._live):
            self._end(track)
        return self._take_ended()

    def _take_ended(self) -> list[Track]:
        ended, self._ended = self._ended, []
        return ended

    def _is_near(self, before: Box, now: Box) -> bool:
        (x0, y0), (x1, y1) = before.center, now.center
        ratio = before.width / now.width
        return (
            abs(x0 - x1) < self._policy.max_link_dx * now.width
            and abs(y0 - y1) < self._policy.max_link_dy * now.width
            and 1 / self._policy.max_link_size_ratio < ratio < self._policy.max_link_size_ratio
        )

    def _is_plain(self, track: Track, face: DetectedFace, near: Sequence[tuple[Track, DetectedFace]]) -> bool:
        """Whether place and size alone say that it is the track's face; and it is not yet time to read one."""
        if len(track.unread) >= self._policy.max_unread:
            return False
        if sum(other is track for other, _ in near) + sum(other is face for _, other in near) > 2:
            return False
        (x0, y0), (x1, y1) = track.expected(), face.box.center
        ratio = track.places[-1].width / face.box.width
        return (
            max(abs(x0 - x1), abs(y0 - y1)) < self._policy.max_unread_shift * face.box.width
            and 1 / self._policy.max_unread_size_ratio < ratio < self._policy.max_unread_size_ratio
        )

    def _read_and_link(self, faces: Sequence[DetectedFace], near: Sequence[tuple[Track, DetectedFace]]) -> None:
        """Links each face to the nearest track by its vector, or begins a track with it."""
        seen = {id(face): face.seen for face in faces}
        links = []
        for number, (track, face) in enumerate(near):
            read = seen.get(id(face))
            if read is not None and (distance := self._distance(track, read)) is not None:
                links.append((distance, number, track, read))
        taken: set[int] = set()
        for _distance, _number, track, read in sorted(links, key=lambda link: link[:2]):
            if id(track) not in taken and id(read) not in taken:
                taken |= {id(track), id(read)}
                self._accept(track, track.unread)
                self._extend(track, read)
                track.places.append(read.box)
        for read in seen.values():
            if read is not None and id(read) not in taken:
                track = Track(self._new_number(), read, places=deque([read.box], maxlen=2))
                self._extend(track, read)
                self._live.append(track)

    def _distance(self, track: Track, read: SeenFace) -> float | None:
        """The distance to the track's anchor, or where that is too far to its last face; None for another person."""
        if _distance(track.anchor, read) >= self._policy.max_link_distance:
            self._settle(track)
        distance = _distance(track.anchor, read)
        return distance if distance < self._policy.max_link_distance else None

    def _settle(self, track: Track) -> None:
        """Reads the last unread face that can be read; it becomes the anchor, and those behind it are left out.

        If it is another person than before, those between are read too, and the track divided where the person changed.
        """
        unread = track.unread
        while unread and unread[-1].seen is None:
            unread.pop()
        latest = unread[-1].seen if unread else None
        if latest is None:
            return
        if _distance(track.anchor, latest) < self._policy.max_link_distance:
            self._accept(track, unread[:-1])
            self._extend(track, latest)
            return
        track.unread = []
        for read in (face.seen for face in unread):
            if read is not None:
                if _distance(track.anchor, read) >= self._policy.max_link_distance:
                    self._divide(track)
                self._extend(track, read)

    def _divide(self, track: Track) -> None:
        """Ends what was so far; the track goes on as a new one."""
        self._ended.append(Track(track.number, track.anchor, track.times_ms, best=track.best))
        track.number, track.times_ms, track.best = self._new_number(), [], []

    def _end(self, track: Track) -> None:
        """Settles a track, and reads those of its last faces that it may be better for."""
        self._live.remove(track)
        unread = list(track.unread)
        self._settle(track)
        for face in sorted(unread, key=self._promise, reverse=True):
            if face.time_ms in track.times_ms:
                self._consider(track, face)
        self._ended.append(track)

    def _accept(self, track: Track, unread: Sequence[DetectedFace]) -> None:
        """Counts unread faces as the track's, and reads the most promising one if the track may be better for it."""
        track.times_ms += [face.time_ms for face in unread]
        track.unread = []
        if unread:
            self._consider(track, max(unread, key=self._promise))

    def _consider(self, track: Track, face: DetectedFace) -> None:
        """Reads a face where it may be better than one of those that are kept."""
        full = len(track.best) >= self._policy.faces_per_track
        known = any(best.time_ms == face.time_ms for best in track.best)
        if known or (
            full and self._promise(face) < self._policy.min_promise_gain * min(map(self._promise, track.best))
        ):
            return
        if face.seen is not None:
            self._keep_best(track, face.seen)

    def _extend(self, track: Track, face: SeenFace) -> None:
        track.anchor, track.unread = face, []
        track.times_ms.append(face.time_ms)
        self._keep_best(track, face)

    def _keep_best(self, track: Track, face: SeenFace) -> None:
        # Sorting is stable: of equal faces the earlier one stays first.
        ranked = sorted([*track.best, face], key=lambda face: -face.second_score * self._size_weight(face))
        track.best = ranked[: self._policy.faces_per_track]

    def _promise(self, face: DetectedFace | SeenFace) -> float:
        """What is known of a face's worth before it is read."""
        return face.score * self._size_weight(face)

    def _size_weight(self, face: DetectedFace | SeenFace) -> float:
        return float(min(1.0, face.box.width / self._policy.full_size_px) ** self._policy.size_weight)

    def _new_number(self) -> int:
        self._next_number += 1
        return self._next_number - 1


def _distance(one: SeenFace, other: SeenFace) -> float:
    return float(np.linalg.norm(one.vector - other.vector))
