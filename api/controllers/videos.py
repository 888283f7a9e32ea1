"""Source videos of an event: upload one, look at the index's progress, index it anew, delete it."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.exceptions import InternalServerException
from litestar.params import HeaderParameter

from api.admin import need_event
from api.commands import Answer, ask
from api.deps import Deps, PathId, PathText, TheDeps, TheReplica
from api.envelope import AnyRequest, ApiError, Envelope
from api.replica.replica import Replica
from schemas.base import Message
from schemas.ids import SOURCE_VIDEO_KEY, source_object_key, video_key
from schemas.records import Outcome
from schemas.topics import VIDEOS
from schemas.videos import DeleteVideo, RegisterVideo, ReindexVideo, SourceObject, VideoRecord, VideoState

_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
_UNTYPED = "application/octet-stream"


class DamagedPart(msgspec.Struct, kw_only=True, frozen=True):
    """A part of a video, on its own timeline."""

    start_s: float
    end_s: float


class VideoView(msgspec.Struct, kw_only=True, frozen=True):
    """A source as operators see it.

    Attributes:
        progress: Share of its chunks that ended, 0 to 1.
        duration_s: Null until the source was opened.
        damaged: Parts that could not be read whole; what could be read of them is indexed.
        model: Version of the face models that it is indexed with; null until the source was opened.
    """

    source_video_key: str
    state: VideoState
    progress: float
    duration_s: float | None
    faces: int
    tracks: int
    error: str | None
    damaged: list[DamagedPart]
    model: str | None


class VideoList(msgspec.Struct, kw_only=True, frozen=True):
    """The sources of an event, by key."""

    videos: list[VideoView]


class VideoController(Controller):
    """`/admin/v1/events/{event_id}/videos`."""

    path = "/events/{event_id:int}/videos"

    # Its size is limited while it streams, by a setting of its own.
    @put("/{source_video_key:str}", status_code=202, request_max_body_size=None)
    async def upload(
        self,
        *,
        request: AnyRequest,
        event_id: PathId,
        source_video_key: PathText,
        deps: TheDeps,
        replica: TheReplica,
        content_type: Annotated[str, HeaderParameter(name="Content-Type")] = _UNTYPED,
    ) -> Envelope[VideoView]:
        """Store the body as this source, and index it."""
        if SOURCE_VIDEO_KEY.fullmatch(source_video_key) is None:
            raise ApiError(422, "source_video_key: letters, digits, '.', '_' and '-' only, 64 at most, no '.' first")
        event = await need_event(replica, event_id)
        object_key = source_object_key(event_id, source_video_key, deps.new_uuid())
        media_type = content_type.split(";")[0].strip().lower()
        media_type = media_type if _MEDIA_TYPE.fullmatch(media_type) else _UNTYPED
        body = _limited(request, deps.settings.video.max_bytes)
        stored = await deps.media.put_private_stream(object_key, body, content_type=media_type)
        if not stored.size_bytes:
            await deps.media.delete_private(object_key)
            raise ApiError(400, "the body is empty; send the video's bytes")
        command = RegisterVideo(
            command_id=deps.new_uuid(),
            at_ms=deps.clock(),
            event_id=event_id,
            source_video_key=source_video_key,
            org_id=event.org_id,
            source=SourceObject(
                object_key=object_key,
                sha256=stored.sha256,
                size_bytes=stored.size_bytes,
                content_type=media_type,
            ),
            sampling_fps=event.settings.sampling_fps,
            far_faces=event.settings.far_faces,
            deadline_ms=deps.settings.video.deadline_ms,
        )
        answer = await ask(deps.commands, replica, VIDEOS, command, wait_s=deps.settings.admin.verdict_wait_s)
        if answer is None:
            return Envelope(message="Video accepted", data=_queued(source_video_key))
        if answer.outcome is Outcome.CACHED:
            await deps.media.delete_private(object_key)  # known bytes: the ledger keeps the object that it has
            return Envelope(message="Video known already", data=_view(answer.record))
        return Envelope(message="Video accepted", data=_view(answer.record))

    @get()
    async def all(self, event_id: PathId, replica: TheReplica) -> Envelope[VideoList]:
        """The event's sources."""
        await need_event(replica, event_id)
        records = await replica.below(VIDEOS, event_id)
        videos = [_view(record) for record in records if _is_there(record)]
        return Envelope(message="Videos", data=VideoList(videos=videos))

    @get("/{source_video_key:str}")
    async def one(self, event_id: PathId, source_video_key: PathText, replica: TheReplica) -> Envelope[VideoView]:
        """One source."""
        await need_event(replica, event_id)
        reading = await replica.settled(VIDEOS, video_key(event_id, source_video_key))
        if reading.record is not None and _is_there(reading.record):
            return Envelope(message="Video", data=_view(reading.record))
        if reading.pending:
            return Envelope(message="Video", data=_queued(source_video_key))
        raise _unknown()

    @post("/{source_video_key:str}/reindex", status_code=202)
    async def reindex(
        self, event_id: PathId, source_video_key: PathText, deps: TheDeps, replica: TheReplica
    ) -> Envelope[VideoView]:
        """Index the bytes that are there anew, by the event's settings and with the models of now.

        Searches see the old index until the new one is whole.
        """
        event = await need_event(replica, event_id)
        known = await _need_video(replica, event_id, source_video_key)
        command = ReindexVideo(
            command_id=deps.new_uuid(),
            at_ms=deps.clock(),
            event_id=event_id,
            source_video_key=source_video_key,
            sampling_fps=event.settings.sampling_fps,
            far_faces=event.settings.far_faces,
            deadline_ms=deps.settings.video.deadline_ms,
        )
        answer = await _ask(deps, replica, command)
        if answer is None:
            return Envelope(message="Indexing accepted", data=_view(known) if known else _queued(source_video_key))
        under_way = answer.outcome is Outcome.CACHED
        message = "Video is being indexed already" if under_way else "Indexing accepted"
        return Envelope(message=message, data=_view(answer.record))

    @delete("/{source_video_key:str}", status_code=202)
    async def remove(
        self, event_id: PathId, source_video_key: PathText, deps: TheDeps, replica: TheReplica
    ) -> Envelope[None]:
        """Have its faces and its bytes removed; from now on the event has no such video."""
        await need_event(replica, event_id)
        await _need_video(replica, event_id, source_video_key)
        command = DeleteVideo(
            command_id=deps.new_uuid(), at_ms=deps.clock(), event_id=event_id, source_video_key=source_video_key
        )
        await _ask(deps, replica, command)
        return Envelope(message="Deletion accepted", data=None)


async def _need_video(replica: Replica, event_id: int, source_video_key: str) -> VideoRecord | None:
    """The source, None while its first registration is pending. Raises ApiError 404, or LogUnavailable."""
    await replica.catch_up()
    reading = replica.read(VIDEOS, video_key(event_id, source_video_key))
    if isinstance(reading.record, VideoRecord) and _is_there(reading.record):
        return reading.record
    if not reading.pending:
        raise _unknown()
    return None


async def _ask(deps: Deps, replica: Replica, command: ReindexVideo | DeleteVideo) -> Answer | None:
    """The answer, None when it did not come in time. Raises ApiError 404 when the source is no longer there."""
    answer = await ask(deps.commands, replica, VIDEOS, command, wait_s=deps.settings.admin.verdict_wait_s)
    if answer is not None and answer.outcome is Outcome.UNKNOWN:
        raise _unknown()
    return answer


def _unknown() -> ApiError:
    return ApiError(404, "the event has no video with this key")


def _is_there(record: Message) -> bool:
    return isinstance(record, VideoRecord) and record.state is not VideoState.DELETED


async def _limited(request: AnyRequest, max_bytes: int) -> AsyncIterator[bytes]:
    """The body's pieces as they arrive. Raises ApiError 413 once there are too many bytes."""
    too_large = ApiError(413, f"the video is larger than {max_bytes} bytes")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise too_large
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > max_bytes:
                raise too_large
            if piece:
                yield piece
    except InternalServerException as error:
        # The framework's word for a client that went away: nothing of ours is broken, and nobody hears the answer.
        raise ApiError(400, "the upload broke off") from error


def _queued(source_video_key: str) -> VideoView:
    return VideoView(
        source_video_key=source_video_key,
        state=VideoState.QUEUED,
        progress=0.0,
        duration_s=None,
        faces=0,
        tracks=0,
        error=None,
        damaged=[],
        model=None,
    )


def _view(record: Message) -> VideoView:
    if not isinstance(record, VideoRecord):
        raise TypeError(f"a video's key holds a {type(record).__name__}")
    return VideoView(
        source_video_key=record.source_video_key,
        state=record.state,
        progress=record.progress,
        duration_s=None if record.duration_ms is None else record.duration_ms / 1000,
        faces=record.faces,
        tracks=record.tracks,
        error=record.error,
        damaged=[DamagedPart(start_s=start / 1000, end_s=end / 1000) for start, end in record.damaged_ms],
        model=record.model,
    )
