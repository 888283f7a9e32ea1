"""Source videos: indexed anew, and deleted."""

from typing import Any

import httpx
import pytest

from schemas.catalog import DeleteEvent
from schemas.indexing import RemoveSource, SplitSource
from schemas.videos import ChunkIndexed, ChunkSpan, SourceSplit
from tests.api.door import EVENT, NOW_MS, Door

VIDEOS = f"/admin/v1/events/{EVENT}/videos"
ABOUT: dict[str, Any] = {"event_id": EVENT, "source_video_key": "12", "generation": 1, "at_ms": NOW_MS}


async def ask(door: Door, method: str, place: str = "12") -> httpx.Response:
    return await door.client.request(method, f"{VIDEOS}/{place}", headers=door.admin)


async def reindex(door: Door) -> httpx.Response:
    return await ask(door, "POST", "12/reindex")


@pytest.fixture
async def indexed(door: Door) -> Door:
    """The event has one video, partly damaged."""
    await door.client.put(f"{VIDEOS}/12", content=b"video", headers=door.admin)
    span = ChunkSpan(chunk=0, start_ms=0, end_ms=60_000)
    door.log.append(SourceSplit(**ABOUT, duration_ms=60_000, chunks=(span,), model="m1"))
    found = {"samples": 300, "faces": 7, "tracks": 2, "damaged_ms": ((1_000, 2_500),), "model": "m1"}
    door.log.append(ChunkIndexed(**ABOUT, chunk=0, **found))
    await door.see_all()
    return door


def work(door: Door, kind: type[SplitSource] | type[RemoveSource]) -> list[Any]:
    return [output for output in door.ledgers.outputs if isinstance(output, kind)]


async def test_damage_and_models_are_told(indexed: Door) -> None:
    """In a sentence and as ranges; the video is indexed all the same."""
    seen = (await ask(indexed, "GET")).json()["data"]
    assert (seen["state"], seen["damaged"], seen["model"]) == ("indexed", [{"start_s": 1.0, "end_s": 2.5}], "m1")
    assert seen["error"] == "pictures are damaged or missing: 1.0-2.5 s"


async def test_a_reindex_begins_another_generation_of_the_stored_bytes(indexed: Door) -> None:
    """By the event's settings of now."""
    settings = {"settings": {"sampling_fps": 8}}
    changed = await indexed.client.patch(f"/admin/v1/events/{EVENT}", json=settings, headers=indexed.admin)
    assert changed.status_code == 200
    response = await reindex(indexed)
    assert (response.status_code, response.json()["message"]) == (202, "Indexing accepted")
    assert response.json()["data"]["state"] == "queued"
    [first, second] = work(indexed, SplitSource)
    assert (second.generation, second.source, second.activate) == (2, first.source, False)
    assert len(indexed.media.private) == 1


async def test_a_reindex_while_one_is_under_way_begins_nothing(indexed: Door) -> None:
    await reindex(indexed)
    again = await reindex(indexed)
    assert (again.status_code, again.json()["message"]) == (202, "Video is being indexed already")
    assert len(work(indexed, SplitSource)) == 2


async def test_a_deleted_video_is_there_for_nobody(indexed: Door) -> None:
    """Its faces and its bytes are removed; the same key may be used again."""
    [object_key] = indexed.media.private
    response = await ask(indexed, "DELETE")
    assert (response.status_code, response.json()["data"]) == (202, None)
    [removed] = work(indexed, RemoveSource)
    assert (removed.generation, removed.object_keys) == (1, (object_key,))
    assert (await ask(indexed, "GET")).status_code == 404
    assert (await indexed.client.get(VIDEOS, headers=indexed.admin)).json()["data"]["videos"] == []
    assert [(await ask(indexed, method, place)).status_code for method, place in CHANGES] == [404, 404]
    again = await indexed.client.put(f"{VIDEOS}/12", content=b"video", headers=indexed.admin)
    assert (again.status_code, again.json()["data"]["state"]) == (202, "queued")
    assert work(indexed, SplitSource)[-1].generation == 2


CHANGES = [("DELETE", "12"), ("POST", "12/reindex")]


@pytest.mark.parametrize(("method", "place"), CHANGES)
async def test_what_is_not_there_is_404(door: Door, method: str, place: str) -> None:
    response = await ask(door, method, place)
    assert (response.status_code, response.json()["message"]) == (404, "the event has no video with this key")
    assert door.ledgers.outputs == []


@pytest.mark.parametrize(("method", "place"), CHANGES)
async def test_a_change_is_taken_while_the_upload_has_no_verdict_yet(door: Door, method: str, place: str) -> None:
    """The log has them in this order."""
    await door.see_all()
    door.ledgers.paused = True
    await door.client.put(f"{VIDEOS}/12", content=b"video", headers=door.admin)
    assert (await ask(door, method, place)).status_code == 202
    door.ledgers.resume()
    await door.see_all()
    assert (await ask(door, "GET")).status_code == (404 if method == "DELETE" else 200)


async def test_a_video_deleted_at_the_same_moment_is_404(indexed: Door) -> None:
    """Two deletions at once: the ledger takes the first."""
    indexed.ledgers.paused = True
    assert (await ask(indexed, "DELETE")).status_code == 202
    indexed.ledgers.resume()
    assert (await ask(indexed, "DELETE")).status_code == 404
    assert len(work(indexed, RemoveSource)) == 1


async def test_a_deleted_event_is_there_for_nobody(indexed: Door) -> None:
    indexed.log.append(DeleteEvent(command_id="delete", at_ms=NOW_MS, event_id=EVENT))
    await indexed.see_all()
    assert (await indexed.client.get(f"/admin/v1/events/{EVENT}", headers=indexed.admin)).status_code == 404
    assert (await indexed.client.get(VIDEOS, headers=indexed.admin)).status_code == 404
    assert (await indexed.post(b"selfie")).status_code == 404
