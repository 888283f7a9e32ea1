"""How much of an event's footage a search can see."""

from typing import Any

import msgspec
import pytest

from api.coverage import coverage_of
from schemas.searches import SearchStatus
from schemas.videos import (
    ChunkIndexed,
    ChunkSpan,
    FailedChunk,
    RegisterVideo,
    SourceObject,
    SourceSplit,
    VideoRecord,
    VideoState,
)
from tests.api.door import EVENT, NOW_MS, ORG, Door, picture

MINUTE_MS = 60_000
SOURCE = SourceObject(object_key="sources/x", sha256="0" * 64, size_bytes=1, content_type="video/mp4")


def video(minutes: int | None = None, **fields: Any) -> VideoRecord:
    """A source of so many chunks, or one that is not opened yet."""
    chunks = tuple(ChunkSpan(chunk=n, start_ms=n, end_ms=n + 1) for n in range(minutes or 0))
    record = VideoRecord(
        event_id=EVENT,
        source_video_key="12",
        org_id=ORG,
        source=SOURCE,
        sampling_fps=5.0,
        state=VideoState.INDEXING if minutes else VideoState.QUEUED,
        generation=1,
        active_generation=1 if minutes else None,
        duration_ms=minutes * MINUTE_MS if minutes else None,
        chunks=chunks,
        registered_at_ms=0,
        deadline_ms=0,
        deadline_at_ms=0,
    )
    return msgspec.structs.replace(record, **fields)


WHOLE = video(4, done=(0, 1, 2, 3), state=VideoState.INDEXED)


@pytest.mark.parametrize(
    ("videos", "share"),
    [
        ([], None),
        ([video()], 0.0),
        ([WHOLE], 1.0),
        ([video(4, done=(0,))], 0.25),
        ([video(4, done=(0, 1, 2), failed=(FailedChunk(chunk=3, error="x"),), state=VideoState.INDEXED)], 0.75),
        ([WHOLE, video(12)], 0.25),
        ([WHOLE, video()], 0.5),
        ([WHOLE, video(state=VideoState.FAILED)], 0.5),
        ([video(generation=2, active_generation=1)], 1.0),
        ([WHOLE, video(state=VideoState.DELETED)], 1.0),
    ],
    ids=[
        "no video",
        "not opened",
        "indexed",
        "a quarter indexed",
        "a part given up",
        "weighed by length",
        "one not opened counts like the others",
        "a failed one counts too",
        "the older generation is still there",
        "a deleted one does not count",
    ],
)
def test_share_of_the_footage(videos: list[VideoRecord], share: float | None) -> None:
    assert coverage_of(videos) == share


async def test_a_search_keeps_the_share_of_its_submission(door: Door) -> None:
    """Half is indexed when the selfie comes, all of it later: the result stays what it was made from."""
    about: dict[str, Any] = {"event_id": EVENT, "source_video_key": "12"}
    stamp: dict[str, Any] = {"generation": 1, "at_ms": NOW_MS}
    door.log.append(
        RegisterVideo(
            command_id="video", at_ms=NOW_MS, org_id=ORG, source=SOURCE, sampling_fps=5.0, deadline_ms=1000, **about
        )
    )
    chunks = tuple(ChunkSpan(chunk=n, start_ms=n * MINUTE_MS, end_ms=(n + 1) * MINUTE_MS) for n in range(2))
    door.log.append(SourceSplit(duration_ms=2 * MINUTE_MS, chunks=chunks, **about, **stamp))
    door.log.append(ChunkIndexed(chunk=0, samples=1, faces=0, tracks=0, **about, **stamp))
    await door.see_all()
    request_id = (await door.post(picture())).json()["data"]["request_id"]
    door.log.append(ChunkIndexed(chunk=1, samples=1, faces=0, tracks=0, **about, **stamp))
    for status in (SearchStatus.PROCESSING, SearchStatus.NO_MATCHES):
        await door.end(request_id, status)
        details = (await door.result(request_id)).json()["data"]["details"]
        assert (status, details["coverage"]) == (status, 0.5)
