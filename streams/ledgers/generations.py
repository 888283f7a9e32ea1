"""The life of one generation of a source: split, indexed chunk by chunk, activated; or begun anew with other models."""

from typing import Any

import msgspec

from schemas.base import Message
from schemas.indexing import ActivateGeneration, IndexChunk, RemoveSource, SplitSource
from schemas.videos import (
    ChunkFailed,
    ChunkIndexed,
    ChunkSpan,
    FailedChunk,
    GenerationActivated,
    OtherModels,
    SourceFailed,
    SourceSplit,
    VideoFactMessage,
    VideoRecord,
    VideoState,
)
from streams.damage import damage_sentence, merged
from streams.flow import Decision

RUNNING = (VideoState.QUEUED, VideoState.INDEXING)
# A change of models that rolls over the workers starts a source anew once; more than this is a fleet that does not
# agree, and every start costs the work of the one before.
MAX_RESTARTS = 8
# A worker whose models a source has left may be the one that stays, when those of before leave last. It waits for so
# long before the source is begun with them once more, and each time twice as long: an hour for eight times together.
LEFT_OVER_MS = 15_000
# Rows that were replaced may still be read by the scan of a search that began before. A scan is given up after 60 s;
# ten times that also covers a worker that was stopped and goes on.
SWEEP_AFTER_MS = 600_000
# Clips of a search that saw earlier bytes read their object until they are cut; so many uploads later they are.
PAST_OBJECTS_KEPT = 8


def begun(record: VideoRecord) -> SplitSource:
    """The first work of a generation."""
    return SplitSource(**_asked(record), activate=record.active_generation is None)


def failed(record: VideoRecord, sentence: str) -> VideoRecord:
    """The source given up; what searches saw before stays."""
    return msgspec.structs.replace(record, state=VideoState.FAILED, error=sentence)


def mixed(record: VideoRecord, fact: VideoFactMessage) -> bool:
    """Whether rows of other models came into the generation: from a worker of before models had versions."""
    return isinstance(fact, ChunkIndexed) and fact.model != record.model


def heard(before: VideoRecord, fact: VideoFactMessage) -> Decision:
    """What a fact of the generation under way makes of its source. It moves the deadline on, unless it is a repeat."""
    deadline_at_ms = max(before.deadline_at_ms, fact.at_ms + before.deadline_ms)
    record = msgspec.structs.replace(before, deadline_at_ms=deadline_at_ms)
    decision = Decision(before)  # a repeat
    match fact:
        case SourceSplit() if record.state is VideoState.QUEUED:
            decision = _split(record, fact)
        case SourceFailed():
            decision = Decision(failed(record, fact.error))
        case OtherModels() if fact.model != record.model:
            decision = _start_anew(record, fact.model)
        case ChunkIndexed() if mixed(record, fact):
            decision = _start_anew(record, None)
        case ChunkIndexed() if _open(record, fact.chunk):
            decision = _indexed(record, fact)
        case ChunkFailed() if _open(record, fact.chunk):
            given_up = FailedChunk(chunk=fact.chunk, error=fact.error)
            chunks = tuple(sorted((*record.failed, given_up), key=lambda failed: failed.chunk))
            decision = _ended_if_whole(_with_error(msgspec.structs.replace(record, failed=chunks)), fact.at_ms)
        case GenerationActivated():
            decision = _seen_whole(msgspec.structs.replace(record, active_generation=fact.generation), fact.at_ms)
    return decision


def _split(record: VideoRecord, fact: SourceSplit) -> Decision:
    first = record.active_generation is None
    planned = msgspec.structs.replace(
        record,
        state=VideoState.INDEXING,
        model=fact.model,
        superseded=_without(record.superseded, fact.model),
        duration_ms=fact.duration_ms,
        chunks=fact.chunks,
        active_generation=record.generation if first else record.active_generation,
    )
    work: tuple[Message, ...] = tuple(
        IndexChunk(**_asked(planned), span=span, sampling_fps=planned.sampling_fps, far_faces=planned.far_faces)
        for span in fact.chunks
    )
    return Decision(planned, work)


def _start_anew(record: VideoRecord, model: str | None) -> Decision:
    """The next generation of the same bytes, for workers that have this model.

    Args:
        record: The source as it was begun with other models.
        model: The worker's, which supersede those of the record. None when the worker is the one of before versions.
    """
    if record.restarts == MAX_RESTARTS:
        sentence = "the index workers have different face models; give all of them the same and index the video again"
        return Decision(failed(record, sentence))
    superseded = _without(record.superseded, model)
    if model is not None and record.model is not None:
        superseded = (*superseded, record.model)
    # What searches see of a first generation while it is indexed ends here: the next one takes its place at once.
    was_first = record.active_generation == record.generation and record.state in RUNNING
    anew = msgspec.structs.replace(
        record,
        state=VideoState.QUEUED,
        generation=record.generation + 1,
        model=None,
        superseded=superseded,
        restarts=record.restarts + 1,
        active_generation=None if was_first else record.active_generation,
        duration_ms=None,
        chunks=(),
        done=(),
        failed=(),
        damaged_ms=(),
        faces=0,
        tracks=0,
        error=None,
    )
    return Decision(anew, (begun(anew),))


def _without(superseded: tuple[str, ...], model: str | None) -> tuple[str, ...]:
    return tuple(version for version in superseded if version != model)


def _indexed(record: VideoRecord, fact: ChunkIndexed) -> Decision:
    counted = msgspec.structs.replace(
        record,
        done=tuple(sorted((*record.done, fact.chunk))),
        damaged_ms=merged((*record.damaged_ms, *fact.damaged_ms)),
        faces=record.faces + fact.faces,
        tracks=record.tracks + fact.tracks,
    )
    return _ended_if_whole(_with_error(counted), fact.at_ms)


def _open(record: VideoRecord, chunk: int) -> bool:
    planned = any(span.chunk == chunk for span in record.chunks)
    return planned and chunk not in record.done and all(failed.chunk != chunk for failed in record.failed)


def _with_error(record: VideoRecord) -> VideoRecord:
    spans: dict[int, ChunkSpan] = {span.chunk: span for span in record.chunks}
    sentences = [
        f"{spans[each.chunk].start_ms // 1000}-{spans[each.chunk].end_ms // 1000} s: {each.error}"
        for each in record.failed
    ]
    if record.damaged_ms:
        sentences.append(damage_sentence(record.damaged_ms))
    return msgspec.structs.replace(record, error="; ".join(sentences) or None)


def _ended_if_whole(record: VideoRecord, at_ms: int) -> Decision:
    if len(record.done) + len(record.failed) < len(record.chunks):
        return Decision(record)
    if not record.done:
        return Decision(failed(record, record.error or "no part of the video could be read"))
    if record.active_generation == record.generation:
        return _seen_whole(record, at_ms)
    return Decision(record, (ActivateGeneration(**_asked(record), duration_ms=record.duration_ms or 0),))


def _seen_whole(record: VideoRecord, at_ms: int) -> Decision:
    """Searches see all of it, and neither rows nor bytes of before for much longer."""
    kept = record.past_objects[-PAST_OBJECTS_KEPT:]
    old = record.past_objects[: len(record.past_objects) - len(kept)]
    sweep_at_ms = at_ms + SWEEP_AFTER_MS if record.generation > 1 else None
    indexed = msgspec.structs.replace(record, state=VideoState.INDEXED, past_objects=kept, sweep_at_ms=sweep_at_ms)
    if not old:
        return Decision(indexed)
    forget = RemoveSource(
        event_id=record.event_id, source_video_key=record.source_video_key, generation=0, object_keys=old
    )
    return Decision(indexed, (forget,))


def _asked(record: VideoRecord) -> dict[str, Any]:
    """What all work on the record's generation says."""
    return {
        "event_id": record.event_id,
        "source_video_key": record.source_video_key,
        "generation": record.generation,
        "source": record.source,
        "model": record.model,
        "superseded": record.superseded,
        "give_up_at_ms": record.deadline_at_ms - record.deadline_ms + _left_over_ms(record),
    }


def _left_over_ms(record: VideoRecord) -> int:
    """For how long a worker with superseded models waits to be replaced; it is heard before the source's deadline."""
    return min(record.deadline_ms // 2, LEFT_OVER_MS << max(0, record.restarts - 1))
