"""What a search reads of the store, and what it sees while generations come and go."""

import asyncio
import random

import numpy as np
import pytest
from clickhouse_connect.driver.client import Client

from infra.adapters.clickhouse import ClickHouseFaces
from infra.adapters.face_generations import scope_of
from infra.adapters.face_queries import matches_query
from tests.ports.faces_suite import LIMIT, MODEL, event_of_its_own, face, near, unlike

pytestmark = pytest.mark.engines

# Of `face_vectors`; at most two more are read at the edges of what a key selects.
GRANULE = 64


async def _put(store: ClickHouseFaces, event: int, source: str, generation: int, count: int) -> None:
    dice = np.random.default_rng(generation)
    rows = [face(v.astype(np.float32), track=n) for n, v in enumerate(dice.normal(0, 0.1, (count, 128)))]
    await store.put_chunk(event_id=event, source_video_key=source, generation=generation, chunk=0, faces=rows)


async def _activate(store: ClickHouseFaces, event: int, source: str, generation: int) -> None:
    await store.activate(
        event_id=event,
        source_video_key=source,
        model=MODEL,
        generation=generation,
        object_key=f"sources/{generation}",
        duration_ms=9_000,
    )


async def test_a_scan_reads_its_event_and_the_active_generations_alone(client: Client, store: ClickHouseFaces) -> None:
    """By primary key: of 16 blocks of 640 faces the two that are asked for."""
    events = sorted(event_of_its_own() for _ in range(2))
    for event in events:
        for source in ("cam-1", "cam-2"):
            for generation in range(1, 5):
                await _put(store, event, source, generation, 640)
    client.command("OPTIMIZE TABLE face_vectors FINAL")
    scopes = [scope_of(events[0], "cam-1", 3), scope_of(events[0], "cam-2", 1)]
    query, parameters = matches_query(events[0], scopes, [unlike(1)], [LIMIT], cap=10, by_key=True)
    read = int(client.query(query, parameters).summary["read_rows"])
    assert 2 * 640 <= read <= 2 * (640 + 2 * GRANULE)
    plan = "\n".join(row[0] for row in client.query(f"EXPLAIN indexes = 1 {query}", parameters).result_rows)
    assert "scope in 2-element set" in plan
    assert "event_id in [" in plan
    query, parameters = matches_query(events[0], scopes, [unlike(2)], [LIMIT], cap=10, by_key=False)
    read = int(client.query(query, parameters).summary["read_rows"])
    assert 8 * 640 <= read <= 8 * 640 + 2 * GRANULE, "all of the event, and nothing of the other"


async def test_a_source_that_is_removed_while_it_is_searched_is_not_in_the_answer(
    store: ClickHouseFaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removed between the scan and the look behind it; matched or not, the others are found as ever."""
    me, stranger, event = unlike(1), unlike(2), event_of_its_own()
    for source, distance in (("cam-1", 0.1), ("cam-2", 0.2)):
        faces = [face(near(me, distance))]
        await store.put_chunk(event_id=event, source_video_key=source, generation=1, chunk=0, faces=faces)
        await _activate(store, event, source, 1)
    scan, scans = store._scan, 0

    async def scan_then_remove(*args: object) -> object:
        nonlocal scans
        scans += 1
        found = await scan(*args)  # type: ignore[arg-type]
        if scans == 1:
            await store.remove_source(event_id=event, source_video_key="cam-1", generation=1)
        return found

    monkeypatch.setattr(store, "_scan", scan_then_remove)
    mine, strangers = await store.find(event, MODEL, [me, stranger], [LIMIT, LIMIT])
    assert [s.source_video_key for s in mine.sightings] == ["cam-2"]
    assert mine.nearest_distance == pytest.approx(0.2, abs=1e-5)
    assert strangers.nearest_distance == pytest.approx(float(np.linalg.norm(near(me, 0.2) - stranger)), abs=1e-5)
    assert scans == 2


async def test_searches_see_old_or_new_while_generations_replace_each_other(store: ClickHouseFaces) -> None:
    """Never both, never none, always whole: 30 searches during 8 activations."""
    me, event = unlike(1), event_of_its_own()
    tracks, dice = 3, random.Random(3)  # noqa: S311 - no secret

    async def index(generation: int) -> None:
        rows = [face(near(me, 0.1 + generation / 1_000), track=generation * 10 + n) for n in range(tracks)]
        await store.put_chunk(event_id=event, source_video_key="cam", generation=generation, chunk=0, faces=rows)
        await _activate(store, event, "cam", generation)

    async def index_anew() -> None:
        for generation in range(2, 10):
            await index(generation)

    async def search() -> int:
        seen = 0
        for _ in range(30):
            (found,) = await store.find(event, MODEL, [me], [LIMIT])
            (source,) = found.sources
            assert {s.track for s in found.sightings} == {f"0/{source.generation * 10 + n}" for n in range(tracks)}
            assert source.object_key == f"sources/{source.generation}"
            assert source.generation >= seen, "what was replaced never comes back"
            seen = source.generation
            await asyncio.sleep(dice.random() / 1_000)
        return seen

    await index(1)
    indexing = asyncio.create_task(index_anew())
    await search()
    await indexing
    (found,) = await store.find(event, MODEL, [me], [LIMIT])
    assert [source.generation for source in found.sources] == [9]


async def test_removed_faces_leave_the_disk(client: Client, store: ClickHouseFaces) -> None:
    """Also those of a chunk that came after its removal; a newer generation's stay."""
    event = event_of_its_own()
    for generation in (1, 2):
        await _put(store, event, "cam", generation, 5)
    await store.remove_source(event_id=event, source_video_key="cam", generation=1)
    await _put(store, event, "cam", 1, 5)
    for _ in range(200):
        left = client.query(
            "SELECT generation, count() FROM face_vectors WHERE event_id = {e:UInt64} GROUP BY 1", {"e": event}
        ).result_rows
        if left == [(2, 5)]:
            break
        await asyncio.sleep(0.02)
    assert left == [(2, 5)]
