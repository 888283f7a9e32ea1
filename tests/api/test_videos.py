"""Source videos: streamed in, registered with the ledger, looked at while they are indexed."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from schemas.indexing import SplitSource
from schemas.videos import ChunkIndexed, ChunkSpan, SourceFailed, SourceSplit
from tests.api.door import EVENT, NOW_MS, ORG, Door

VIDEOS = f"/admin/v1/events/{EVENT}/videos"
QUEUED = {
    "source_video_key": "12",
    "state": "queued",
    "progress": 0.0,
    "duration_s": None,
    "faces": 0,
    "tracks": 0,
    "error": None,
    "damaged": [],
    "model": None,
}


async def put(door: Door, data: bytes, key: str = "12", content_type: str = "video/mp4") -> httpx.Response:
    """Upload a video."""
    headers = door.admin | {"Content-Type": content_type}
    return await door.client.put(f"{VIDEOS}/{key}", content=data, headers=headers)


async def one(door: Door, key: str = "12") -> dict[str, object]:
    """The video's state, with everything on the log seen."""
    await door.see_all()
    response = await door.client.get(f"{VIDEOS}/{key}", headers=door.admin)
    assert response.status_code == 200, response.text
    return dict(response.json()["data"])


def splits(door: Door) -> list[SplitSource]:
    """The sources that the ledger asked to be opened."""
    return [output for output in door.ledgers.outputs if isinstance(output, SplitSource)]


async def test_upload_is_stored_and_queued(door: Door) -> None:
    """202; the ledger is told hash, size, type and the event's sampling rate."""
    response = await put(door, b"video" * 1000, content_type="Video/MP4; codecs=avc1")
    assert (response.status_code, response.json()["data"]) == (202, QUEUED)
    [split] = splits(door)
    assert split.source.sha256 == hashlib.sha256(b"video" * 1000).hexdigest()
    assert (split.source.size_bytes, split.source.content_type) == (5000, "video/mp4")
    assert split.source.object_key.startswith(f"sources/{EVENT}/12/")
    assert door.media.private == {split.source.object_key: b"video" * 1000}


async def test_known_bytes_change_nothing_and_leave_no_second_object(door: Door) -> None:
    """The ledger keeps the object that it has."""
    await put(door, b"video")
    before = dict(door.media.private)
    assert (await put(door, b"video")).status_code == 202
    assert door.media.private == before
    assert len(splits(door)) == 1


async def test_other_bytes_are_another_generation_in_another_object(door: Door) -> None:
    """What is being indexed is never overwritten."""
    await put(door, b"first")
    await put(door, b"second")
    assert [split.generation for split in splits(door)] == [1, 2]
    assert sorted(door.media.private.values()) == [b"first", b"second"]


async def test_progress_is_told(door: Door) -> None:
    """From queued over indexing to indexed."""
    await put(door, b"video")
    chunks = tuple(ChunkSpan(chunk=n, start_ms=n * 60_000, end_ms=(n + 1) * 60_000) for n in range(2))
    door.log.append(_split(chunks))
    seen = await one(door)
    assert (seen["state"], seen["progress"], seen["duration_s"]) == ("indexing", 0.0, 120.0)
    for n in range(2):
        door.log.append(_indexed(n))
        seen = await one(door)
    assert {"state": "indexed", "progress": 1.0, "faces": 14, "tracks": 4, "error": None}.items() <= seen.items()


def _split(chunks: tuple[ChunkSpan, ...]) -> SourceSplit:
    return SourceSplit(
        event_id=EVENT, source_video_key="12", generation=1, at_ms=NOW_MS, duration_ms=120_000, chunks=chunks
    )


def _indexed(chunk: int) -> ChunkIndexed:
    return ChunkIndexed(
        event_id=EVENT, source_video_key="12", generation=1, at_ms=NOW_MS, chunk=chunk, samples=300, faces=7, tracks=2
    )


async def test_failure_is_told_with_its_sentence(door: Door) -> None:
    """The same bytes may be sent again."""
    await put(door, b"video")
    door.log.append(
        SourceFailed(event_id=EVENT, source_video_key="12", generation=1, at_ms=NOW_MS, error="no video stream")
    )
    seen = await one(door)
    assert (seen["state"], seen["error"]) == ("failed", "no video stream")
    assert (await put(door, b"video")).json()["data"]["state"] == "queued"


async def test_list_holds_the_event_s_videos_by_key(door: Door) -> None:
    """And no other event's."""
    door.found(ORG + 1, EVENT + 1, "x" * 43)
    await door.see_all()
    await door.client.put(f"/admin/v1/events/{EVENT + 1}/videos/z", content=b"z", headers=door.admin)
    for key in ("b", "a", "c.mp4"):
        await put(door, key.encode(), key)
    response = await door.client.get(VIDEOS, headers=door.admin)
    assert [video["source_video_key"] for video in response.json()["data"]["videos"]] == ["a", "b", "c.mp4"]


async def test_verdict_that_comes_too_late_is_202_all_the_same(door: Door) -> None:
    """The upload is done; it is queued, for this answer and for a look at it."""
    await door.see_all()
    door.ledgers.paused = True
    response = await put(door, b"video")
    assert (response.status_code, response.json()["data"]) == (202, QUEUED)
    assert await one(door) == QUEUED


async def test_unknown_video_is_404(door: Door) -> None:
    """In the envelope."""
    response = await door.client.get(f"{VIDEOS}/none", headers=door.admin)
    assert (response.status_code, response.json()["responseType"]) == (404, "error")


@pytest.mark.parametrize("key", [".hidden", "a b", "a%2Fb", "x" * 65, "é", "-x"])
async def test_key_that_would_have_to_be_escaped_is_422(door: Door, key: str) -> None:
    """Nothing is stored."""
    assert (await put(door, b"video", key)).status_code in (404, 422)
    assert not door.media.private


async def test_empty_body_is_400(door: Door) -> None:
    """Nothing stays."""
    assert (await put(door, b"")).status_code == 400
    assert not door.media.private
    assert not splits(door)


async def test_body_over_the_limit_is_413_and_leaves_nothing(door: Door) -> None:
    """Announced or not; one within the limit may be larger than any other request's body."""
    assert (await put(door, bytes(100_001))).status_code == 413
    taken = 0

    async def unannounced() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 10_000
            assert taken < 1_000_000, "the body is read to its end"
            yield bytes(10_000)

    response = await door.client.put(f"{VIDEOS}/12", content=unannounced(), headers=door.admin)
    assert response.status_code == 413
    assert not door.media.private
    assert (await put(door, bytes(100_000))).status_code == 202


async def test_store_out_of_reach_is_500(door: Door) -> None:
    """The ledger hears nothing of it."""
    door.media.down = True
    assert (await put(door, b"video")).status_code == 500
    assert not splits(door)


async def test_upload_that_breaks_off_leaves_nothing(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """A client that goes away is no error of ours."""
    arriving: list[dict[str, object]] = [
        {"type": "http.request", "body": b"half a video", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return arriving.pop(0)

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    headers = [(name.lower().encode(), value.encode()) for name, value in door.admin.items()]
    scope = {"type": "http", "method": "PUT", "path": f"{VIDEOS}/12", "headers": headers, "query_string": b""}
    await door.app(cast("Any", scope), cast("Any", receive), cast("Any", send))
    assert sent[0]["status"] == 400
    assert not door.media.private
    assert not splits(door)
    assert not caplog.records
