"""Faces in ClickHouse: put by chunk, searched exactly, many selfies in one scan."""

from collections.abc import Sequence

import msgspec
from clickhouse_connect.driver.asyncclient import AsyncClient

from infra.adapters.clickhouse_client import ClickHouseClient
from infra.adapters.clickhouse_errors import translated
from infra.adapters.face_generations import (
    ACTIVE,
    ALL_GENERATIONS,
    ALL_SOURCES,
    DELETE_REMOVED,
    DELETE_REPLACED,
    GONE,
    ActiveSources,
    Removed,
    active_sources,
    scope_of,
    seen_generations,
)
from infra.adapters.face_queries import Scopes, matches_query, nearest_of_some_query, nearest_query
from infra.adapters.found_tracks import USUAL_LIMITS, Limits, found_by_each
from infra.adapters.settings import ClickHouseSettings
from streams.ports import FaceRow, Found, Vector

# A deletion is a mutation, which rewrites the parts without the rows: a lightweight DELETE would leave vectors on the
# disk. Nobody waits for it.
_IN_THE_BACKGROUND = {"mutations_sync": 0}

# Faces among which a selfie without a match looks for how far it must look: reading them takes a few milliseconds, and
# the nearest stranger of so many is hardly farther than that of a million.
_SOME_FACES = 8_192
# More are not searched at the same time; of each a few hundred bytes for a source.
_REMEMBERED_EVENTS = 256

_FACES = {
    "event_id": "UInt64",
    "scope": "UInt64",
    "source_video_key": "LowCardinality(String)",
    "generation": "UInt32",
    "chunk": "UInt32",
    "track": "UInt32",
    "track_start_ms": "UInt32",
    "track_end_ms": "UInt32",
    "sample_times_ms": "Array(UInt32)",
    "time_ms": "UInt32",
    "quality": "Float32",
    "vector": "Array(Float32)",
}
_SOURCES = {
    "event_id": "UInt64",
    "source_video_key": "String",
    "model": "String",
    "generation": "UInt32",
    "object_key": "String",
    "duration_ms": "UInt32",
}


class ClickHouseFaces:
    """`streams.ports.FaceStore` on ClickHouse. Opens at its first use; used from one event loop.

    Raises `Unavailable` when ClickHouse is down, `TryLater` when it refuses one request.
    """

    def __init__(
        self,
        settings: ClickHouseSettings,
        *,
        limits: Limits = USUAL_LIMITS,
    ) -> None:
        self._connection = ClickHouseClient(settings)
        self._limits = limits
        self._seen: dict[tuple[int, str], ActiveSources] = {}

    async def put_chunk(
        self, *, event_id: int, source_video_key: str, generation: int, chunk: int, faces: Sequence[FaceRow]
    ) -> None:
        """Store a chunk's faces in one insert, which ClickHouse takes whole or not at all.

        A removal that this insert came too late for has deleted nothing of it, so its rows are deleted here.
        """
        if not faces:
            return
        count = len(faces)
        columns: list[Sequence[object]] = [
            [event_id] * count,
            [scope_of(event_id, source_video_key, generation)] * count,
            [source_video_key] * count,
            [generation] * count,
            [chunk] * count,
            [face.track for face in faces],
            [face.track_start_ms for face in faces],
            [face.track_end_ms for face in faces],
            [list(face.sample_times_ms) for face in faces],
            [face.time_ms for face in faces],
            [face.quality for face in faces],
            [face.vector.tolist() for face in faces],
        ]
        client = await self._connection.get()
        with translated("storing faces"):
            await _insert(client, "face_vectors", _FACES, columns)
            removed = Removed.of((await client.query(ACTIVE, {"event": event_id})).result_rows)
            if removed.holds(source_video_key, generation):
                await _delete(client, event_id, source_video_key, generation)

    async def activate(
        self, *, event_id: int, source_video_key: str, model: str, generation: int, object_key: str, duration_ms: int
    ) -> None:
        """Add a row; the one of the highest generation counts, whichever came last."""
        client = await self._connection.get()
        with translated("activating a generation"):
            await _add_source(client, event_id, source_video_key, model, generation, object_key, duration_ms)

    async def find(
        self, event_id: int, model: str, vectors: Sequence[Vector], max_distances: Sequence[float]
    ) -> list[Found]:
        """One scan for all; a second one for those who found nothing, to tell them the nearest distance.

        A scan sees exactly what was active at one moment: as the search before found it, which counts when a look after
        the scan finds it so still, or else as looked up in this search. That may have been replaced meanwhile, since
        rows stay for longer than a scan takes; when something of it was removed, it is searched again.
        """
        if len(vectors) != len(max_distances):
            raise ValueError("Give one distance limit for each vector.")
        if not vectors:
            return []
        client = await self._connection.get()
        with translated("searching faces"):
            remembered = self._seen.get((event_id, model))
            active = remembered or await self._look(client, event_id, model)
            while True:
                found = await self._scan(client, event_id, active, vectors, max_distances)
                now = await self._look(client, event_id, model)
                if now == active or (active is not remembered and active.stands(now.removed)):
                    return found
                active = now

    async def _look(self, client: AsyncClient, event_id: int, model: str) -> ActiveSources:
        """What is active at this moment, which is remembered."""
        active = active_sources((await client.query(ACTIVE, {"event": event_id})).result_rows, model)
        if len(self._seen) >= _REMEMBERED_EVENTS:
            self._seen.clear()
        self._seen[event_id, model] = active
        return active

    async def remove_source(self, *, event_id: int, source_video_key: str, generation: int) -> None:
        """One row makes it invisible at once; the faces' rows are deleted in the background."""
        client = await self._connection.get()
        with translated("removing a source"):
            await _add_source(client, event_id, source_video_key, GONE, generation, "", 0)
            await _delete(client, event_id, source_video_key, generation)

    async def sweep_source(self, *, event_id: int, source_video_key: str, generation: int) -> None:
        """In the background."""
        client = await self._connection.get()
        with translated("removing replaced faces"):
            rows = (await client.query(ACTIVE, {"event": event_id})).result_rows
            seen = seen_generations(rows, source_video_key)
            about = {"event": event_id, "source": source_video_key, "generation": generation, "seen": seen}
            await client.command(DELETE_REPLACED, about, settings=_IN_THE_BACKGROUND)

    async def remove_event(self, event_id: int) -> None:
        """As `remove_source`, for all sources."""
        await self.remove_source(event_id=event_id, source_video_key=ALL_SOURCES, generation=ALL_GENERATIONS)

    async def check(self) -> None:
        """Return when ClickHouse answers and the tables are there."""
        client = await self._connection.get()
        with translated("being looked at"):
            await client.query("SELECT 1 FROM sources LIMIT 1")

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def _scan(
        self,
        client: AsyncClient,
        event_id: int,
        active: ActiveSources,
        vectors: Sequence[Vector],
        max_distances: Sequence[float],
    ) -> list[Found]:
        by_scope = active.by_scope(event_id)
        scopes = list(by_scope)
        if not scopes:
            return found_by_each((), by_scope, len(vectors), active, self._limits)
        query = matches_query(event_id, scopes, vectors, max_distances, cap=self._limits.rows, by_key=active.stale)
        answer = await client.query(*query)
        found = found_by_each(answer.result_rows, by_scope, len(vectors), active, self._limits)
        lonely = [number for number, one in enumerate(found) if not one.sightings]
        if lonely:
            nearest = await _nearest(client, event_id, scopes, [vectors[number] for number in lonely])
            for number, distance in zip(lonely, nearest, strict=False):
                found[number] = msgspec.structs.replace(found[number], nearest_distance=distance)
        return found


async def _nearest(client: AsyncClient, event_id: int, scopes: Scopes, vectors: Sequence[Vector]) -> Sequence[float]:
    """The smallest distance of each vector; none where there are no faces.

    The nearest of some faces bounds that of all, so that the sketches can leave most of them out.
    """
    some = (await client.query(*nearest_of_some_query(event_id, scopes, vectors, _SOME_FACES))).result_rows
    if not some:
        return ()
    nearest: Sequence[float] = (await client.query(*nearest_query(event_id, scopes, vectors, some[0]))).result_rows[0]
    return nearest


async def _delete(client: AsyncClient, event_id: int, source_video_key: str, generation: int) -> None:
    parameters = {"event": event_id, "source": source_video_key, "generation": generation}
    await client.command(DELETE_REMOVED, parameters, settings=_IN_THE_BACKGROUND)


async def _add_source(client: AsyncClient, *row: object) -> None:
    await _insert(client, "sources", _SOURCES, [[value] for value in row])


async def _insert(client: AsyncClient, table: str, types: dict[str, str], columns: list[Sequence[object]]) -> None:
    # Types are given, else the client asks for them before every insert.
    await client.insert(
        table, columns, column_names=list(types), column_type_names=list(types.values()), column_oriented=True
    )
