"""The real API on a loopback port, over the log, ledgers and store in memory, with workers that answer at once."""

import asyncio
import contextlib
import itertools
import random
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from api.app import create_app
from api.auth import hash_key
from api.deps import Deps
from infra.embedded.ports import free_port
from schemas.base import Message
from schemas.catalog import CreateEvent, CreateKey, CreateOrganisation
from schemas.ids import clip_path
from schemas.indexing import ActivateGeneration, IndexChunk, SplitSource
from schemas.searches import (
    ClipFailed,
    ClipReady,
    MatchSelfie,
    NothingToClip,
    RenderClip,
    SearchFailed,
    SearchStatus,
    Window,
    WindowsPlanned,
)
from schemas.videos import ChunkIndexed, GenerationActivated, SourceFailed, SourceSplit
from streams.index.split import plan_chunks
from tests.api.door import ADMIN_TOKEN, KEY, NOW_MS, STOPPED_BY, settings
from tests.fakes.memory_ledgers import MemoryLedgers
from tests.fakes.memory_log import MemoryCommands, MemoryLog, MemoryLogReader
from tests.fakes.memory_media import MemoryMedia
from tests.waiting import wait_until

ORG = 903
CLIP = b"a clip's bytes " * 1_000
VIDEO_LIMIT_BYTES = 100_000  # of the settings of `door`


@dataclass
class Workers:
    """Every stage at once: answers what a ledger asks for.

    Attributes:
        search: How searches end.
        video_error: Why sources cannot be split; None where they can.
    """

    media: MemoryMedia
    search: SearchStatus = SearchStatus.COMPLETED
    video_error: str | None = None

    def __call__(self, work: Message) -> Message | None:
        match work:
            case SplitSource() | IndexChunk() | ActivateGeneration():
                return self._video_fact(work)
            case MatchSelfie():
                return self._matched(work)
            case RenderClip():
                return self._clip(work)
        return None

    def _video_fact(self, work: SplitSource | IndexChunk | ActivateGeneration) -> Message:
        about: dict[str, Any] = {
            "event_id": work.event_id,
            "source_video_key": work.source_video_key,
            "generation": work.generation,
            "at_ms": NOW_MS,
        }
        if isinstance(work, ActivateGeneration):
            return GenerationActivated(**about)
        if isinstance(work, IndexChunk):
            return ChunkIndexed(chunk=work.span.chunk, samples=300, faces=41, tracks=7, **about)
        if self.video_error is not None:
            return SourceFailed(error=self.video_error, **about)
        return SourceSplit(duration_ms=60_000, chunks=plan_chunks(60_000), **about)

    def _matched(self, work: MatchSelfie) -> Message | None:
        about = _about(work)
        match self.search:
            case SearchStatus.PROCESSING:
                return None
            case SearchStatus.FAILED:
                return SearchFailed(error="No face was found in the selfie.", **about)
            case SearchStatus.NO_MATCHES | SearchStatus.NO_SEGMENTS:
                stopped = STOPPED_BY[self.search]
                return NothingToClip(status=self.search, nearest_distance=0.71, stopped_by=stopped, **about)
        window = Window(
            clip_id=str(uuid.uuid5(uuid.NAMESPACE_URL, work.request_id)),
            source_video_key="cam-1",
            object_key="sources/x",
            start_ms=42_400,
            end_ms=51_001,
            samples=5,
            distance=0.31,
        )
        return WindowsPlanned(windows=(window,), nearest_distance=0.31, **about)

    def _clip(self, work: RenderClip) -> Message:
        about: dict[str, Any] = {
            **_about(work),
            "clip_id": work.window.clip_id,
            "source_video_key": work.window.source_video_key,
        }
        if self.search is SearchStatus.CLIP_FAILED:
            return ClipFailed(error="The clip could not be cut.", **about)
        object_key = clip_path(work.event_id, work.request_id, work.window.clip_id)
        self.media.public[object_key] = CLIP
        return ClipReady(
            start_ms=work.window.start_ms,
            end_ms=work.window.end_ms,
            object_key=object_key,
            size_bytes=len(CLIP),
            sha256="ab" * 32,
            method="copy",
            **about,
        )


def _about(work: MatchSelfie | RenderClip) -> dict[str, Any]:
    return {
        "event_id": work.event_id,
        "request_id": work.request_id,
        "attempt": work.attempt,
        "at_ms": NOW_MS + 5_000,
    }


@dataclass
class Served:
    """A running server. Its organisation is `ORG` with the key `KEY`."""

    url: str
    log: MemoryLog
    media: MemoryMedia
    workers: Workers
    events: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new_event(self) -> int:
        event_id = next(self.events)
        self.log.append(
            CreateEvent(command_id=f"e{event_id}", at_ms=NOW_MS, event_id=event_id, org_id=ORG, event_name="10k")
        )
        return event_id


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Served]:
    """Run the server in a thread of this process."""
    port = free_port(random.SystemRandom())
    url = f"http://127.0.0.1:{port}"
    log, media = MemoryLog(), MemoryMedia()
    ledgers, workers = MemoryLedgers(log), Workers(media)
    ledgers.answers = workers
    chosen = settings(folder / "replica.sqlite", public_base=url)
    app = create_app(
        Deps(
            settings=chosen,
            commands=MemoryCommands(log),
            log=MemoryLogReader(log),
            media=media,
            clock=lambda: NOW_MS,
        )
    )
    log.append(CreateOrganisation(command_id="org", at_ms=NOW_MS, org_id=ORG, name="Race"))
    log.append(
        CreateKey(command_id="key", at_ms=NOW_MS, org_id=ORG, key_id="k", key_hash=hash_key(KEY), prefix=KEY[:5])
    )
    with running(app, port):
        yield Served(url, log, media, workers)


@contextlib.contextmanager
def running(app: Any, port: int) -> Iterator[None]:
    """Serve any ASGI application from a thread."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive(), 10, "the server listens")
    assert server.started
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


__all__ = ["ADMIN_TOKEN", "CLIP", "KEY", "ORG", "VIDEO_LIMIT_BYTES", "Served", "Workers", "running", "serve"]
