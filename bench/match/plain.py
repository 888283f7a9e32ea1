"""What ours is held against: a plain scan of the same engine, and numpy in memory."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from clickhouse_connect.driver.asyncclient import AsyncClient

from bench.match.store import EVENT
from bench.match.strangers import LIMIT, Floats
from infra.adapters.clickhouse_client import ClickHouseClient
from infra.adapters.settings import ClickHouseSettings
from streams.ports import Found

# Of each track: source, chunk and track, start, end, sample times, distance; best first.
Tracks = list[tuple[Any, ...]]

_SCAN = """
SELECT
    source_video_key, concat(toString(chunk), '/', toString(track)), min(track_start_ms), max(track_end_ms),
    arraySort(groupUniqArrayArray(sample_times_ms)),
    sqrt(min(L2SquaredDistance(vector, {selfie:Array(Float32)}))) AS distance
FROM plain
PREWHERE L2SquaredDistance(vector, {selfie:Array(Float32)}) <= {limit:Float64}
WHERE event_id = {event:UInt64}
GROUP BY source_video_key, chunk, track
ORDER BY distance, source_video_key, chunk, track
"""


def tracks_of(found: Found) -> Tracks:
    """What ours found, in the form of the others."""
    return [
        (each.source_video_key, each.track, each.start_ms, each.end_ms, list(each.sample_times_ms), each.distance)
        for each in found.sightings
    ]


class PlainScan:
    """One query over the table of whole vectors."""

    def __init__(self, connection: ClickHouseClient, client: AsyncClient) -> None:
        self._connection, self._client = connection, client

    @classmethod
    async def connect(cls, settings: ClickHouseSettings) -> "PlainScan":
        connection = ClickHouseClient(settings)
        return cls(connection, await connection.get())

    async def find(self, selfie: Floats) -> Tracks:
        parameters = {"selfie": selfie.tolist(), "limit": LIMIT * LIMIT, "event": EVENT}
        rows: Sequence[Sequence[Any]] = (await self._client.query(_SCAN, parameters)).result_rows
        return [tuple(row) for row in rows]

    async def close(self) -> None:
        await self._connection.close()


class MemoryScan:
    """Numpy over all vectors, float32 [n, 128], with their squared lengths ready."""

    def __init__(self, vectors: Floats) -> None:
        self._vectors = vectors
        self._squares = np.einsum("ij,ij->i", vectors, vectors)

    def find(self, selfie: Floats) -> npt.NDArray[np.int64]:
        """Numbers of the rows within the limit, up to rounding."""
        squared = self._squares - 2 * (self._vectors @ selfie) + selfie @ selfie
        return np.flatnonzero(squared <= LIMIT * LIMIT)

    def bytes_per_s(self) -> float:
        """How fast one core reads here: the best of three sums over everything."""
        flat, best = self._vectors.reshape(-1), 0.0
        for _ in range(3):
            began = time.perf_counter()
            flat.sum(dtype=np.float32)
            best = max(best, flat.nbytes / (time.perf_counter() - began))
        return best
