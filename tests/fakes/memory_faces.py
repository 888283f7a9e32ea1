"""A store of faces in memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schemas.searches import MatchedSource, Sighting
from streams.outcomes import Unavailable
from streams.ports import FaceRow, Found, Vector


@dataclass(frozen=True)
class _Place:
    event_id: int
    source_video_key: str
    generation: int
    chunk: int
    track: int


class MemoryFaces:
    """Compares every vector by plain arithmetic.

    Attributes:
        down: Everything raises Unavailable.
        gate: While it is not set, a scan does not end.
        failure: What the next scan raises, once.
        scans: Event and number of vectors of each scan, in order.
        put: Event, source, generation and chunk of everything that was stored, in order.
        active: What searches of an event see, by source and model.
        removed: Of a source, the generation up to which it is gone.
    """

    def __init__(self) -> None:
        self.down = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.scans: list[tuple[int, int]] = []
        self.put: list[tuple[int, str, int, int]] = []
        self.rows: dict[_Place, list[FaceRow]] = {}
        self.active: dict[tuple[int, str, str], MatchedSource] = {}
        self.removed: dict[tuple[int, str], int] = {}
        self.removed_events: set[int] = set()

    async def put_chunk(
        self, *, event_id: int, source_video_key: str, generation: int, chunk: int, faces: Sequence[FaceRow]
    ) -> None:
        """Keep the faces."""
        self._check()
        self.put.append((event_id, source_video_key, generation, chunk))
        for face in faces:
            place = _Place(event_id, source_video_key, generation, chunk, face.track)
            if not self._gone(place):
                self.rows.setdefault(place, []).append(face)

    async def activate(
        self, *, event_id: int, source_video_key: str, model: str, generation: int, object_key: str, duration_ms: int
    ) -> None:
        """Show this generation, unless a newer one is shown."""
        self._check()
        before = self.active.get((event_id, source_video_key, model))
        if before is None or before.generation <= generation:
            self.active[event_id, source_video_key, model] = MatchedSource(
                source_video_key=source_video_key,
                generation=generation,
                object_key=object_key,
                duration_ms=duration_ms,
            )

    async def find(
        self, event_id: int, model: str, vectors: Sequence[Vector], max_distances: Sequence[float]
    ) -> list[Found]:
        """Look at every track of the event for each vector."""
        self.scans.append((event_id, len(vectors)))
        await self.gate.wait()
        self._check()
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        return [
            self._found(event_id, model, vector, limit) for vector, limit in zip(vectors, max_distances, strict=True)
        ]

    async def remove_source(self, *, event_id: int, source_video_key: str, generation: int) -> None:
        """Remember it and forget the faces."""
        self._check()
        before = self.removed.get((event_id, source_video_key), 0)
        self.removed[event_id, source_video_key] = max(before, generation)
        self._forget()

    async def sweep_source(self, *, event_id: int, source_video_key: str, generation: int) -> None:
        """Forget the faces of before."""
        self._check()
        shown = {
            source.generation
            for (event, key, _), source in self.active.items()
            if (event, key) == (event_id, source_video_key)
        }
        self.rows = {
            place: faces
            for place, faces in self.rows.items()
            if (place.event_id, place.source_video_key) != (event_id, source_video_key)
            or place.generation >= generation
            or place.generation in shown
        }

    async def remove_event(self, event_id: int) -> None:
        """Remember it and forget the faces."""
        self._check()
        self.removed_events.add(event_id)
        self._forget()

    def _forget(self) -> None:
        self.rows = {place: faces for place, faces in self.rows.items() if not self._gone(place)}

    def _gone(self, place: _Place) -> bool:
        up_to = self.removed.get((place.event_id, place.source_video_key), 0)
        return place.event_id in self.removed_events or place.generation <= up_to

    def _found(self, event_id: int, model: str, vector: Vector, limit: float) -> Found:
        shown = {
            (key, of_model): source
            for (event, key, of_model), source in self.active.items()
            if event == event_id and not self._gone(_Place(event, key, source.generation, 0, 0))
        }
        own = {key: source for (key, of_model), source in shown.items() if of_model == model}
        seen = [
            (min(_distance(face.vector, vector) for face in rows), place, rows)
            for place, rows in self.rows.items()
            if place.event_id == event_id
            and place.source_video_key in own
            and place.generation == own[place.source_video_key].generation
        ]
        near = sorted(
            (each for each in seen if each[0] <= limit),
            key=lambda each: (each[0], each[1].source_video_key, each[1].chunk, each[1].track),
        )
        sources = dict.fromkeys(place.source_video_key for _, place, _ in near)
        return Found(
            sightings=tuple(_sighting(*each) for each in near),
            sources=tuple(own[key] for key in sources),
            truncated=False,
            nearest_distance=min((distance for distance, _, _ in seen), default=None),
            other_models=len({key for key, _ in shown} - own.keys()),
        )

    def _check(self) -> None:
        if self.down:
            raise Unavailable("clickhouse", "the store of faces in memory is down")


def _distance(one: Vector, other: Vector) -> float:
    return float(np.linalg.norm(one.astype(np.float64) - other.astype(np.float64)))


def _sighting(distance: float, place: _Place, rows: Sequence[FaceRow]) -> Sighting:
    return Sighting(
        source_video_key=place.source_video_key,
        track=f"{place.chunk}/{place.track}",
        start_ms=min(face.track_start_ms for face in rows),
        end_ms=max(face.track_end_ms for face in rows),
        sample_times_ms=tuple(sorted({time_ms for face in rows for time_ms in face.sample_times_ms})),
        distance=distance,
    )
