"""Clip searches: start one, read its result."""

import asyncio
import contextlib

from litestar import Controller, get, post

from api.auth import CLIP_SEARCH, require_event
from api.commands import Answer, answer_in
from api.coverage import coverage_of
from api.deps import ApiKeyHeader, Deps, PathId, PathText, TheDeps, TheReplica
from api.envelope import AnyRequest, ApiError, Envelope
from api.form import parse_request_id, read_search_form
from api.ports import LogUnavailable, Position, StoreUnavailable
from api.replica.replica import Replica
from api.replica.views import Reading
from api.search_view import (
    MESSAGES,
    STARTED,
    VideoClippingResult,
    VideoClippingStart,
    result_of,
    superseded,
)
from api.selfie import Selfie, check_selfie
from schemas.catalog import EventRecord
from schemas.ids import search_key, selfie_object_key
from schemas.records import Outcome
from schemas.searches import AbandonSearch, SearchRecord, SearchStatus, SelfieObject, SubmitSearch
from schemas.topics import SEARCHES, VIDEOS
from schemas.videos import VideoRecord

_NOT_STORED = "the selfie could not be stored; please send it again"


class SearchController(Controller):
    """`.../event/{event_id}/video-clipping`."""

    path = "/api/v1/ext/{org_id:int}/event/{event_id:int}/video-clipping"

    @post("/search-by-selfie", status_code=200)
    async def start(
        self,
        *,
        request: AnyRequest,
        org_id: PathId,
        event_id: PathId,
        deps: TheDeps,
        replica: TheReplica,
        api_key: ApiKeyHeader = None,
    ) -> Envelope[VideoClippingStart]:
        """Start a search with a selfie, or look at the one that this request id names."""
        event = await require_event(replica, api_key, org_id, event_id, CLIP_SEARCH)
        form = await read_search_form(request, deps.settings.selfie)
        if form.file is not None:
            selfie = await asyncio.to_thread(check_selfie, form.file, deps.settings.selfie)
            return _started(*await _submit(deps, replica, event, selfie, form.request_id or deps.new_uuid()))
        if form.request_id is None:
            raise ApiError(400, "send a selfie as file, a request_id, or both")
        record = await _known(replica, event_id, form.request_id)
        return _started(form.request_id, record.status if record else SearchStatus.PROCESSING)

    @get("/{request_id:str}")
    async def result(
        self,
        *,
        org_id: PathId,
        event_id: PathId,
        request_id: PathText,
        deps: TheDeps,
        replica: TheReplica,
        api_key: ApiKeyHeader = None,
    ) -> Envelope[VideoClippingResult]:
        """The search's status, and its clips once it has ended."""
        await require_event(replica, api_key, org_id, event_id, CLIP_SEARCH)
        request_id = parse_request_id(request_id)
        record = await _known(replica, event_id, request_id)
        if record is None:
            result = VideoClippingResult(request_id=request_id, status=SearchStatus.PROCESSING)
        else:
            result = result_of(record, deps.settings.public_base)
        return Envelope(message=MESSAGES[result.status], data=result)


def _started(request_id: str, status: SearchStatus) -> Envelope[VideoClippingStart]:
    message = MESSAGES[status] if status.terminal else STARTED
    return Envelope(message=message, data=VideoClippingStart(status=status, request_id=request_id))


async def _known(replica: Replica, event_id: int, request_id: str) -> SearchRecord | None:
    """The search's record; None while a submission is on its way that may start it, again or for the first time.

    Raises:
        ApiError: 404 when there is certainly none.
        LogUnavailable: Nothing is known, and nothing can be made sure of.
    """
    key = search_key(event_id, request_id)
    record, moving = _look(replica.read(SEARCHES, key))
    if record is None or record.status.terminal:
        if moving:
            return None
        # Another replica may have taken a newer submission: see it before saying that nothing is there, or the end.
        try:
            await replica.catch_up()
        except LogUnavailable:
            if record is None:
                raise
            return record  # an end that is known stands
        record, moving = _look(replica.read(SEARCHES, key))
    if moving:
        return None
    if record is None:
        raise ApiError(404, "the request_id is not known for this event")
    return record


def _look(reading: Reading) -> tuple[SearchRecord | None, bool]:
    record = reading.record if isinstance(reading.record, SearchRecord) else None
    return record, superseded(record, reading.pending)


async def _submit(
    deps: Deps, replica: Replica, event: EventRecord, selfie: Selfie, request_id: str
) -> tuple[str, SearchStatus]:
    """Store the selfie, ask the ledger, wait a moment for its verdict."""
    object_key = selfie_object_key(event.event_id, request_id, selfie.sha256)
    command = SubmitSearch(
        command_id=deps.new_uuid(),
        at_ms=deps.clock(),
        event_id=event.event_id,
        request_id=request_id,
        org_id=event.org_id,
        selfie=SelfieObject(object_key=object_key, sha256=selfie.sha256),
        settings=event.settings,
        deadline_ms=deps.settings.search.deadline_ms,
        coverage=coverage_of(
            record for record in replica.known_below(VIDEOS, event.event_id) if isinstance(record, VideoRecord)
        ),
    )
    try:
        await deps.media.put_private(object_key, selfie.data, content_type=selfie.content_type)
    except StoreUnavailable as error:
        await _abandon(deps, command, _NOT_STORED)
        raise ApiError(500, _NOT_STORED) from error
    try:
        position = await deps.commands.publish(command)
    except LogUnavailable as error:
        raise ApiError(500, "the search could not be enqueued; please send it again") from error
    status = await replica.wait_for(
        SEARCHES,
        command.key,
        lambda reading: _status_now(reading, command, position),
        deps.settings.search.verdict_wait_s,
    )
    return request_id, status or SearchStatus.PROCESSING


async def _abandon(deps: Deps, command: SubmitSearch, sentence: str) -> None:
    """Have the record say that this submission failed, if the log can be reached; it is not billed."""
    abandoned = AbandonSearch(
        command_id=command.command_id,
        at_ms=command.at_ms,
        event_id=command.event_id,
        request_id=command.request_id,
        org_id=command.org_id,
        selfie=command.selfie,
        settings=command.settings,
        error=sentence,
    )
    with contextlib.suppress(LogUnavailable):  # the sender is told all the same
        await deps.commands.publish(abandoned)


def _status_now(reading: Reading, command: SubmitSearch, position: Position) -> SearchStatus | None:
    """The status to answer with at once; None while waiting longer may bring one."""
    answer = answer_in(reading, command, position)
    if answer is None or not isinstance(answer.record, SearchRecord):
        return None
    match answer:
        case Answer(outcome=Outcome.CONFLICT):
            raise ApiError(400, "the request_id is in use for another selfie that is still being searched")
        case Answer(outcome=Outcome.CACHED):
            return answer.record.status
    # Other ends are told by the GET alone, as the reference page says.
    return SearchStatus.NO_MATCHES if answer.record.status is SearchStatus.NO_MATCHES else None
