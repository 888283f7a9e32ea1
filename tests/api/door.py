"""The API under test, with everything around it in memory."""

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
from litestar import Litestar

from api.app import create_app
from api.auth import hash_key
from api.deps import Deps
from api.settings import (
    AdminSettings,
    ApiSettings,
    ReplicaSettings,
    SearchSettings,
    SelfieLimits,
    VideoSettings,
)
from schemas.base import Message
from schemas.catalog import CreateEvent, CreateKey, CreateOrganisation, EventFlags
from schemas.searches import (
    ClipFailed,
    ClipReady,
    MatchSelfie,
    NothingToClip,
    SearchFailed,
    SearchStatus,
    Stopped,
    StopRule,
    Window,
    WindowsPlanned,
)
from tests.fakes.memory_ledgers import MemoryLedgers
from tests.fakes.memory_log import MemoryCommands, MemoryLog, MemoryLogReader
from tests.fakes.memory_media import MemoryMedia

ORG, EVENT = 903, 456
KEY = "k" * 43
ADMIN_TOKEN = "t" * 43
PUBLIC_BASE = "https://media.example"
NOW_MS = 1_795_000_000_000
STOPPED_BY = {
    SearchStatus.NO_MATCHES: Stopped(rule=StopRule.TOO_FAR, seen=0.71, needed=0.5),
    SearchStatus.NO_SEGMENTS: Stopped(rule=StopRule.TOO_FEW_SAMPLES, seen=1, needed=2),
}


def clip_search_path(event_id: int = EVENT, org_id: int = ORG) -> str:
    """Where searches live."""
    return f"/api/v1/ext/{org_id}/event/{event_id}/video-clipping"


def picture(seed: int = 0, kind: str = ".jpg") -> bytes:
    """A small picture; another seed is another picture."""
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 30, 3), dtype=np.uint8)
    return cv2.imencode(kind, pixels)[1].tobytes()


@dataclass
class Door:
    """One API process and what it talks to."""

    app: Litestar
    client: httpx.AsyncClient
    log: MemoryLog
    reader: MemoryLogReader
    ledgers: MemoryLedgers
    media: MemoryMedia
    admin: dict[str, str] = field(default_factory=lambda: {"Authorization": f"Bearer {ADMIN_TOKEN}"})

    def found(self, org_id: int, event_id: int, key: str, flags: EventFlags | None = None) -> None:
        """An organisation with a key and an event."""
        stamp: dict[str, Any] = {"at_ms": NOW_MS}
        self.log.append(CreateOrganisation(command_id="org", org_id=org_id, name="Race", **stamp))
        self.log.append(
            CreateKey(command_id="key", org_id=org_id, key_id="key-1", key_hash=hash_key(key), prefix=key[:5], **stamp)
        )
        self.log.append(
            CreateEvent(
                command_id="event",
                event_id=event_id,
                org_id=org_id,
                event_name="10k",
                flags=flags or EventFlags(),
                **stamp,
            )
        )

    async def post(
        self,
        selfie: bytes | None = None,
        request_id: str | None = None,
        *,
        key: str | None = KEY,
        event_id: int = EVENT,
        org_id: int = ORG,
    ) -> httpx.Response:
        """Start a search."""
        files = {"file": ("selfie.jpg", selfie, "image/jpeg")} if selfie is not None else {}
        fields: dict[str, Any] = {"request_id": (None, request_id)} if request_id is not None else {}
        return await self.client.post(
            f"{clip_search_path(event_id, org_id)}/search-by-selfie",
            files=files | fields,
            headers={"X-API-Key": key} if key is not None else {},
        )

    async def result(
        self, request_id: str, *, key: str | None = KEY, event_id: int = EVENT, org_id: int = ORG
    ) -> httpx.Response:
        """Read a search."""
        headers = {"X-API-Key": key} if key is not None else {}
        return await self.client.get(f"{clip_search_path(event_id, org_id)}/{request_id}", headers=headers)

    async def end(self, request_id: str, status: SearchStatus, attempt: int = 1) -> None:
        """Let the workers bring a search to this status, and the replica see it."""
        for fact in facts_to(status, request_id, attempt):
            self.log.append(fact)
        await self.see_all()

    async def see_all(self) -> None:
        """Let the replica see the end of the log."""
        response = await self.client.get("/health/ready")
        assert response.status_code == 200, response.text

    def no_match_for(self, output: Message, status: SearchStatus = SearchStatus.NO_MATCHES) -> Message | None:
        """What a quick worker reports when the ledger asks for a match: that nothing can be clipped."""
        if not isinstance(output, MatchSelfie):
            return None
        [fact] = facts_to(status, output.request_id, output.attempt)
        return fact

    def matches(self) -> list[MatchSelfie]:
        """The matches that the ledger asked for: the jobs that were started."""
        return [output for output in self.ledgers.outputs if isinstance(output, MatchSelfie)]


def facts_to(status: SearchStatus, request_id: str, attempt: int = 1) -> Iterable[Message]:
    """What workers report of a search that ends so: of two windows, one clip fails where any clip is made."""
    about: dict[str, Any] = {"event_id": EVENT, "request_id": request_id, "attempt": attempt, "at_ms": NOW_MS + 5000}
    clip_ids = [str(uuid.uuid5(uuid.NAMESPACE_URL, f"{request_id}/{n}")) for n in range(2)]
    windows = tuple(
        Window(
            clip_id=clip_id,
            source_video_key=str(12 + n),
            object_key=f"sources/{EVENT}/{12 + n}/u",
            start_ms=42_400,
            end_ms=51_001,
            samples=5,
            distance=0.31,
        )
        for n, clip_id in enumerate(clip_ids)
    )
    failed = [
        ClipFailed(clip_id=each.clip_id, source_video_key=each.source_video_key, error="cannot be cut", **about)
        for each in windows
    ]
    made = ClipReady(
        clip_id=clip_ids[0],
        source_video_key="12",
        start_ms=42_400,
        end_ms=51_001,
        object_key="vids/x",
        size_bytes=1234,
        sha256="ab" * 32,
        method="copy",
        **about,
    )
    planned = WindowsPlanned(windows=windows, nearest_distance=0.31, **about)
    match status:
        case SearchStatus.PROCESSING:
            return []
        case SearchStatus.COMPLETED:
            return [planned, made, failed[1]]
        case SearchStatus.CLIP_FAILED:
            return [planned, *failed]
        case SearchStatus.FAILED:
            return [SearchFailed(error="no face was found in the selfie", **about)]
        case _:
            stopped = STOPPED_BY[status]
            return [NothingToClip(status=status, nearest_distance=0.71, stopped_by=stopped, **about)]


def settings(path: Path, **changes: object) -> ApiSettings:
    """Short waits, small limits."""
    groups: dict[str, Any] = {
        "public_base": PUBLIC_BASE,
        "replica": ReplicaSettings(path=path, barrier_wait_s=0.5, refresh_s=0.05, retry_s=0.02),
        "selfie": SelfieLimits(max_bytes=200_000, max_pixels=1_000_000),
        "search": SearchSettings(verdict_wait_s=0.2),
        "video": VideoSettings(max_bytes=100_000),
        "admin": AdminSettings(token=ADMIN_TOKEN, verdict_wait_s=0.3),
    }
    return ApiSettings(**(groups | changes))


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[None]:
    """The app's lifespan, in one task from begin to end: a fixture's two halves run in different ones."""
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await stop.wait()

    life = asyncio.create_task(live())
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait({life, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        if started.is_set():
            yield
    finally:
        stop.set()
        await life


@asynccontextmanager
async def open_door(
    chosen: ApiSettings,
    *,
    beside: Door | None = None,
    log: MemoryLog | None = None,
    media: MemoryMedia | None = None,
    new_number: Callable[[], int] | None = None,
) -> AsyncIterator[Door]:
    """Run the app; beside another one it is a second process over the same log, ledgers and store."""
    log = beside.log if beside else log or MemoryLog()
    media = beside.media if beside else media or MemoryMedia()
    ledgers = beside.ledgers if beside else MemoryLedgers(log)
    reader = MemoryLogReader(log)
    deps = Deps(settings=chosen, commands=MemoryCommands(log), log=reader, media=media, clock=lambda: NOW_MS)
    if new_number is not None:
        deps = dataclasses.replace(deps, new_number=new_number)
    app = create_app(deps)
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with running(app), httpx.AsyncClient(transport=transport, base_url="http://door") as client:
        yield Door(app, client, log, reader, ledgers, media)
