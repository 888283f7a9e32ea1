"""The videos ledger: one source from its registration to the moment that searches see it whole."""

import msgspec

from schemas.base import Message
from schemas.records import Outcome
from schemas.videos import (
    ActivateGeneration,
    ChunkFailed,
    ChunkIndexed,
    ChunkSpan,
    ExpireVideo,
    FailedChunk,
    GenerationActivated,
    IndexChunk,
    RegisterVideo,
    SourceFailed,
    SourceSplit,
    SplitSource,
    VideoCommand,
    VideoFactMessage,
    VideoRecord,
    VideoState,
)
from streams.flow import Decision

_RUNNING = (VideoState.QUEUED, VideoState.INDEXING)


def decide(record: VideoRecord | None, message: VideoCommand | VideoFactMessage) -> Decision:
    """What a command or a fact makes of a source. Facts of an older generation, or after the end, change nothing."""
    if isinstance(message, RegisterVideo):
        return _register(record, message)
    if record is None or message.generation != record.generation or record.state not in _RUNNING:
        return Decision(record)
    if isinstance(message, ExpireVideo):
        sentence = "indexing made no progress for too long; send the video again"
        return Decision(_failed(record, sentence))
    return _fact(_heard(record, message.at_ms), record, message)


def expire(record: VideoRecord, now_ms: int) -> ExpireVideo | None:
    """The command that gives the source up once it was silent past its deadline."""
    if record.state not in _RUNNING or now_ms <= record.deadline_at_ms:
        return None
    return ExpireVideo(
        command_id=f"expire-{record.generation}",
        at_ms=now_ms,
        event_id=record.event_id,
        source_video_key=record.source_video_key,
        generation=record.generation,
    )


def _register(record: VideoRecord | None, message: RegisterVideo) -> Decision:
    if record is not None and record.verdict_on(message.command_id):
        return Decision(record)
    same = (
        record is not None
        and record.source.sha256 == message.source.sha256
        and (record.sampling_fps, record.far_faces) == (message.sampling_fps, message.far_faces)
    )
    if record is not None and same and record.state is not VideoState.FAILED:
        return Decision(record.with_verdict(message, Outcome.CACHED))
    new = VideoRecord(
        event_id=message.event_id,
        source_video_key=message.source_video_key,
        org_id=message.org_id,
        source=message.source,
        sampling_fps=message.sampling_fps,
        far_faces=message.far_faces,
        state=VideoState.QUEUED,
        generation=record.generation + 1 if record else 1,
        active_generation=record.active_generation if record else None,
        registered_at_ms=message.at_ms,
        deadline_ms=message.deadline_ms,
        deadline_at_ms=message.at_ms + message.deadline_ms,
        verdicts=record.verdicts if record else (),
    ).with_verdict(message, Outcome.ACCEPTED)
    split = SplitSource(
        event_id=new.event_id,
        source_video_key=new.source_video_key,
        generation=new.generation,
        source=new.source,
        activate=new.active_generation is None,
    )
    return Decision(new, (split,))


def _heard(record: VideoRecord, at_ms: int) -> VideoRecord:
    return msgspec.structs.replace(record, deadline_at_ms=max(record.deadline_at_ms, at_ms + record.deadline_ms))


def _fact(record: VideoRecord, before: VideoRecord, fact: VideoFactMessage) -> Decision:
    match fact:
        case SourceSplit() if record.state is VideoState.QUEUED:
            return _split(record, fact)
        case SourceFailed():
            return Decision(_failed(record, fact.error))
        case ChunkIndexed() if _open(record, fact.chunk):
            counted = msgspec.structs.replace(
                record,
                done=tuple(sorted((*record.done, fact.chunk))),
                faces=record.faces + fact.faces,
                tracks=record.tracks + fact.tracks,
            )
            return _ended_if_whole(counted)
        case ChunkFailed() if _open(record, fact.chunk):
            given_up = FailedChunk(chunk=fact.chunk, error=fact.error)
            failed = tuple(sorted((*record.failed, given_up), key=lambda failed: failed.chunk))
            marked = msgspec.structs.replace(record, failed=failed, error=_missing_parts(record.chunks, failed))
            return _ended_if_whole(marked)
        case GenerationActivated():
            active = msgspec.structs.replace(record, active_generation=fact.generation, state=VideoState.INDEXED)
            return Decision(active)
    return Decision(before)  # a repeat


def _split(record: VideoRecord, fact: SourceSplit) -> Decision:
    first = record.active_generation is None
    planned = msgspec.structs.replace(
        record,
        state=VideoState.INDEXING,
        duration_ms=fact.duration_ms,
        chunks=fact.chunks,
        active_generation=record.generation if first else record.active_generation,
    )
    work: tuple[Message, ...] = tuple(
        IndexChunk(
            event_id=record.event_id,
            source_video_key=record.source_video_key,
            generation=record.generation,
            source=record.source,
            span=span,
            sampling_fps=record.sampling_fps,
            far_faces=record.far_faces,
        )
        for span in fact.chunks
    )
    return Decision(planned, work)


def _open(record: VideoRecord, chunk: int) -> bool:
    planned = any(span.chunk == chunk for span in record.chunks)
    return planned and chunk not in record.done and all(failed.chunk != chunk for failed in record.failed)


def _missing_parts(chunks: tuple[ChunkSpan, ...], failed: tuple[FailedChunk, ...]) -> str:
    spans = {span.chunk: span for span in chunks}
    return "; ".join(
        f"{spans[each.chunk].start_ms // 1000}-{spans[each.chunk].end_ms // 1000} s: {each.error}" for each in failed
    )


def _ended_if_whole(record: VideoRecord) -> Decision:
    if len(record.done) + len(record.failed) < len(record.chunks):
        return Decision(record)
    if not record.done:
        return Decision(_failed(record, record.error or "no part of the video could be read"))
    if record.active_generation == record.generation:
        return Decision(msgspec.structs.replace(record, state=VideoState.INDEXED))
    activate = ActivateGeneration(
        event_id=record.event_id,
        source_video_key=record.source_video_key,
        generation=record.generation,
        source=record.source,
        duration_ms=record.duration_ms or 0,
    )
    return Decision(record, (activate,))


def _failed(record: VideoRecord, sentence: str) -> VideoRecord:
    return msgspec.structs.replace(record, state=VideoState.FAILED, error=sentence)
