"""The videos ledger: one source from its registration to the moment that searches see it whole, and to its deletion."""

from typing import Any

import msgspec

from schemas.base import Message
from schemas.indexing import RemoveSource, SweepSource
from schemas.records import Outcome
from schemas.videos import (
    DeleteVideo,
    ExpireVideo,
    RegisterVideo,
    ReindexVideo,
    Removal,
    SourceObject,
    SweepVideo,
    VideoCommand,
    VideoFactMessage,
    VideoRecord,
    VideoState,
)
from streams.flow import Decision
from streams.ledgers import removals
from streams.ledgers.generations import RUNNING, begun, failed, heard, mixed

_NO_OBJECT = SourceObject(object_key="", sha256="", size_bytes=0, content_type="")


def decide(record: VideoRecord | None, message: VideoCommand | VideoFactMessage) -> Decision:
    """What a command or a fact makes of a source. Facts of an older generation, or after the end, change nothing.

    Facts of a deleted generation have it removed again: what they tell of may have come after the removal.
    """
    if isinstance(message, RegisterVideo | ReindexVideo | DeleteVideo):
        return _command(record, message)
    if record is None:
        return Decision(record)
    if isinstance(message, SweepVideo):
        return _sweep(record, message)
    if isinstance(message, ExpireVideo):
        if message.generation != record.generation or record.state not in RUNNING:
            return Decision(record)
        return Decision(failed(record, "indexing made no progress for too long; send the video again"))
    return _fact(record, message)


def expire(record: VideoRecord, now_ms: int) -> ExpireVideo | SweepVideo | None:
    """The command that gives the source up once it was silent past its deadline, or clears up after it is indexed."""
    about: dict[str, Any] = {
        "at_ms": now_ms,
        "event_id": record.event_id,
        "source_video_key": record.source_video_key,
        "generation": record.generation,
    }
    if record.state in RUNNING and now_ms > record.deadline_at_ms:
        return ExpireVideo(command_id=f"expire-{record.generation}", **about)
    if record.state is VideoState.INDEXED and record.sweep_at_ms is not None and now_ms > record.sweep_at_ms:
        return SweepVideo(command_id=f"sweep-{record.generation}", **about)
    return None


def _sweep(record: VideoRecord, message: SweepVideo) -> Decision:
    due = record.state is VideoState.INDEXED and record.sweep_at_ms is not None
    if not due or message.generation != record.generation:
        return Decision(record)
    sweep = SweepSource(
        event_id=record.event_id, source_video_key=record.source_video_key, generation=record.generation
    )
    return Decision(msgspec.structs.replace(record, sweep_at_ms=None), (sweep,))


def _fact(record: VideoRecord, fact: VideoFactMessage) -> Decision:
    if record.removal is not None and fact.generation <= record.removal.generation:
        return removals.heard(record, record.removal, fact)
    running = record.state in RUNNING or (record.state is VideoState.INDEXED and mixed(record, fact))
    return heard(record, fact) if running and fact.generation == record.generation else Decision(record)


def _command(record: VideoRecord | None, message: RegisterVideo | ReindexVideo | DeleteVideo) -> Decision:
    if record is not None and record.verdict_on(message.command_id):
        return Decision(record)  # a repeat
    if isinstance(message, RegisterVideo):
        return _register(record, message)
    if record is None:
        return Decision(record)  # the API looked before it sent this: a stranger's message
    if record.state is VideoState.DELETED:
        return Decision(record.with_verdict(message, Outcome.UNKNOWN))
    return _reindex(record, message) if isinstance(message, ReindexVideo) else _delete(record, message)


def _register(record: VideoRecord | None, message: RegisterVideo) -> Decision:
    if record is None:
        return _begin(None, message, message.source, message.org_id)
    known = record.state not in (VideoState.FAILED, VideoState.DELETED)
    if known and record.source.sha256 == message.source.sha256 and _as_asked(record, message):
        return Decision(record.with_verdict(message, Outcome.CACHED))
    return _begin(record, message, message.source, message.org_id)


def _reindex(record: VideoRecord, message: ReindexVideo) -> Decision:
    if record.state in RUNNING and _as_asked(record, message):
        return Decision(record.with_verdict(message, Outcome.CACHED))
    return _begin(record, message, record.source, record.org_id)


def _as_asked(record: VideoRecord, message: RegisterVideo | ReindexVideo) -> bool:
    return (record.sampling_fps, record.far_faces) == (message.sampling_fps, message.far_faces)


def _begin(
    record: VideoRecord | None, message: RegisterVideo | ReindexVideo, source: SourceObject, org_id: int
) -> Decision:
    """A generation of its own, with nothing of the one before but what outlives it."""
    new = VideoRecord(
        event_id=message.event_id,
        source_video_key=message.source_video_key,
        org_id=org_id,
        source=source,
        sampling_fps=message.sampling_fps,
        far_faces=message.far_faces,
        state=VideoState.QUEUED,
        generation=record.generation + 1 if record else 1,
        active_generation=record.active_generation if record else None,
        registered_at_ms=message.at_ms,
        deadline_ms=message.deadline_ms,
        deadline_at_ms=message.at_ms + message.deadline_ms,
        verdicts=record.verdicts if record else (),
        past_objects=_past_objects(record, source) if record else (),
        removal=record.removal if record else None,
    ).with_verdict(message, Outcome.ACCEPTED)
    return Decision(new, (begun(new),))


def _past_objects(record: VideoRecord, source: SourceObject) -> tuple[str, ...]:
    if record.source.object_key in ("", source.object_key):
        return record.past_objects
    return (*record.past_objects, record.source.object_key)


def _delete(record: VideoRecord, message: DeleteVideo) -> Decision:
    """A record that says no more than that there was a source, and what may still come in of it."""
    deleted = VideoRecord(
        event_id=record.event_id,
        source_video_key=record.source_video_key,
        org_id=record.org_id,
        source=_NO_OBJECT,
        sampling_fps=record.sampling_fps,
        state=VideoState.DELETED,
        generation=record.generation,
        registered_at_ms=record.registered_at_ms,
        deadline_ms=record.deadline_ms,
        deadline_at_ms=message.at_ms,
        verdicts=record.verdicts,
        removal=Removal(generation=record.generation),
    ).with_verdict(message, Outcome.ACCEPTED)
    remove: Message = RemoveSource(
        event_id=record.event_id,
        source_video_key=record.source_video_key,
        generation=record.generation,
        object_keys=(*record.past_objects, record.source.object_key),
    )
    return Decision(deleted, (remove,))
