"""The searches ledger: one selfie at one event, from its acceptance to its terminal status."""

from datetime import UTC, datetime

import msgspec

from schemas.base import Message
from schemas.ids import clip_path
from schemas.public import ClipPublished, UsageEntry
from schemas.records import Outcome
from schemas.searches import (
    AbandonSearch,
    ClipFailed,
    ClipReady,
    ExpireSearch,
    MatchSelfie,
    NothingToClip,
    RenderClip,
    SearchCommand,
    SearchFactMessage,
    SearchFailed,
    SearchRecord,
    SearchStatus,
    SubmitSearch,
    Window,
    WindowsPlanned,
)
from schemas.settings import confidence_of
from streams.flow import Decision


def decide(record: SearchRecord | None, message: SearchCommand | SearchFactMessage) -> Decision:
    """What a command or a fact makes of a search. Facts of an older attempt, or after the end, change nothing."""
    if isinstance(message, SubmitSearch):
        return _submit(record, message)
    if isinstance(message, AbandonSearch):
        return _abandon(record, message)
    if record is None or message.attempt != record.attempt or record.status.terminal:
        return Decision(record)
    if isinstance(message, ExpireSearch):
        return Decision(_expired(record, message))
    if isinstance(message, ClipReady | ClipFailed):
        return _mark_off(record, message) if _open(record, message.clip_id) else Decision(record)
    # Matching is not repeatable while footage arrives: the first result of an attempt wins.
    return Decision(record) if record.windows else _matched(record, message)


def expire(record: SearchRecord, now_ms: int) -> ExpireSearch | None:
    """The command that ends the attempt once it ran past its deadline."""
    if record.status.terminal or now_ms <= record.deadline_at_ms:
        return None
    return ExpireSearch(
        command_id=f"expire-{record.attempt}",
        at_ms=now_ms,
        event_id=record.event_id,
        request_id=record.request_id,
        attempt=record.attempt,
    )


def _submit(record: SearchRecord | None, message: SubmitSearch) -> Decision:
    if record is None:
        return _start(message, attempt=1, number=1, before=None)
    if record.verdict_on(message.command_id):
        return Decision(record)
    same = record.selfie.sha256 == message.selfie.sha256
    if same and not record.status.rerun_by_same_selfie:
        return Decision(record.with_verdict(message, Outcome.CACHED))
    if not record.status.terminal:
        return Decision(record.with_verdict(message, Outcome.CONFLICT))
    # A re-run of the same selfie is free, unless none was ever taken; another selfie is another billable search.
    number = record.number if same and record.number else record.number + 1
    return _start(message, attempt=record.attempt + 1, number=number, before=record)


def _abandon(record: SearchRecord | None, message: AbandonSearch) -> Decision:
    """A failed record that says so, where there is none; what an earlier submission came to stays as it is."""
    if record is not None:
        taken = record.verdict_on(message.command_id) is not None
        return Decision(record if taken else record.with_verdict(message, Outcome.ABANDONED))
    failed = SearchRecord(
        event_id=message.event_id,
        request_id=message.request_id,
        org_id=message.org_id,
        selfie=message.selfie,
        settings=message.settings,
        status=SearchStatus.FAILED,
        attempt=0,
        number=0,
        error=message.error,
        submitted_at_ms=message.at_ms,
        ended_at_ms=message.at_ms,
        deadline_at_ms=message.at_ms,
    )
    return Decision(failed.with_verdict(message, Outcome.ABANDONED))


def _start(message: SubmitSearch, *, attempt: int, number: int, before: SearchRecord | None) -> Decision:
    record = SearchRecord(
        event_id=message.event_id,
        request_id=message.request_id,
        org_id=message.org_id,
        selfie=message.selfie,
        settings=message.settings,
        status=SearchStatus.PROCESSING,
        attempt=attempt,
        number=number,
        coverage=message.coverage,
        submitted_at_ms=message.at_ms,
        deadline_at_ms=message.at_ms + message.deadline_ms,
        verdicts=before.verdicts if before else (),
    ).with_verdict(message, Outcome.ACCEPTED)
    work = MatchSelfie(
        event_id=record.event_id,
        request_id=record.request_id,
        attempt=attempt,
        selfie=record.selfie,
        settings=record.settings,
    )
    if before is not None and before.number == number:
        return Decision(record, (work,))
    usage = UsageEntry(
        org_id=record.org_id,
        event_id=record.event_id,
        request_id=record.request_id,
        number=number,
        day=datetime.fromtimestamp(message.at_ms / 1000, UTC).date().isoformat(),
    )
    return Decision(record, (usage, work))


def _matched(record: SearchRecord, fact: WindowsPlanned | NothingToClip | SearchFailed) -> Decision:
    if isinstance(fact, SearchFailed):
        return Decision(_ended(msgspec.structs.replace(record, error=fact.error), SearchStatus.FAILED, fact.at_ms))
    seen = msgspec.structs.replace(record, nearest_distance=fact.nearest_distance, other_models=fact.other_models)
    if isinstance(fact, NothingToClip):
        stopped = msgspec.structs.replace(seen, stopped_by=fact.stopped_by)
        return Decision(_ended(stopped, fact.status, fact.at_ms))
    work: tuple[Message, ...] = tuple(
        RenderClip(
            event_id=record.event_id,
            request_id=record.request_id,
            attempt=record.attempt,
            window=window,
            quality=record.settings.quality,
        )
        for window in fact.windows
    )
    return Decision(msgspec.structs.replace(seen, windows=fact.windows), work)


def _open(record: SearchRecord, clip_id: str) -> bool:
    ended = {clip.clip_id for clip in record.clips} | {clip.clip_id for clip in record.clip_errors}
    return clip_id not in ended and any(window.clip_id == clip_id for window in record.windows)


def _mark_off(record: SearchRecord, fact: ClipReady | ClipFailed) -> Decision:
    outputs: tuple[Message, ...] = ()
    place = {window.clip_id: n for n, window in enumerate(record.windows)}
    if isinstance(fact, ClipReady):
        clips = sorted((*record.clips, fact), key=lambda clip: place[clip.clip_id])
        record = msgspec.structs.replace(record, clips=tuple(clips))
        outputs = (_published(record, fact, record.windows[place[fact.clip_id]]),)
    else:
        errors = sorted((*record.clip_errors, fact), key=lambda clip: place[clip.clip_id])
        record = msgspec.structs.replace(record, clip_errors=tuple(errors))
    if len(record.clips) + len(record.clip_errors) < len(record.windows):
        return Decision(record, outputs)
    status = SearchStatus.COMPLETED if record.clips else SearchStatus.CLIP_FAILED
    return Decision(_ended(record, status, fact.at_ms), outputs)


def _published(record: SearchRecord, clip: ClipReady, window: Window) -> ClipPublished:
    return ClipPublished(
        event_id=record.event_id,
        org_id=record.org_id,
        request_id=record.request_id,
        clip_id=clip.clip_id,
        source_video_key=clip.source_video_key,
        video_path="/" + clip_path(record.event_id, record.request_id, clip.clip_id),
        start_ms=clip.start_ms,
        end_ms=clip.end_ms,
        at_ms=clip.at_ms,
        distance=window.distance,
        confidence_percent=confidence_of(window.distance),
        samples=window.samples,
    )


def _expired(record: SearchRecord, message: ExpireSearch) -> SearchRecord:
    """The end at the deadline: clips that are ready stay, the others are named as failed."""
    if not record.windows:
        sentence = "the search took too long and was given up; please try again"
        return _ended(msgspec.structs.replace(record, error=sentence), SearchStatus.FAILED, message.at_ms)
    late = tuple(
        ClipFailed(
            event_id=record.event_id,
            request_id=record.request_id,
            attempt=record.attempt,
            at_ms=message.at_ms,
            clip_id=window.clip_id,
            source_video_key=window.source_video_key,
            error="the clip took too long and was given up",
        )
        for window in record.windows
        if _open(record, window.clip_id)
    )
    marked = msgspec.structs.replace(record, clip_errors=(*record.clip_errors, *late))
    return _ended(marked, SearchStatus.COMPLETED if marked.clips else SearchStatus.CLIP_FAILED, message.at_ms)


def _ended(record: SearchRecord, status: SearchStatus, at_ms: int) -> SearchRecord:
    return msgspec.structs.replace(record, status=status, ended_at_ms=at_ms)
