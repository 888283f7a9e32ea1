"""What partners see of a search: the reference page's fields, exact numbers beside them under `details`."""

import msgspec

from schemas.ids import clip_path
from schemas.searches import ClipFailed, ClipReady, SearchRecord, SearchStatus, SubmitSearch

STARTED = (
    "Video clipping search started. "
    "Poll GET /api/v1/ext/{org_id}/event/{event_id}/video-clipping/{request_id} for results."
)
MESSAGES = {
    SearchStatus.PROCESSING: "Video clipping is in progress",
    SearchStatus.COMPLETED: "Video clipping completed",
    SearchStatus.NO_MATCHES: "The selfie did not match any frames in the event videos",
    SearchStatus.NO_SEGMENTS: "The selfie matched frames, but too few or too scattered for a clip",
    SearchStatus.CLIP_FAILED: "The selfie matched, but no clip could be made",
    SearchStatus.FAILED: "Video clipping failed",
}


class VideoClipItem(msgspec.Struct, kw_only=True, frozen=True):
    """One clip; times are `HH:MM:SS` of the source video."""

    uuid: str
    video_url: str
    source_video_key: str
    start_time: str
    end_time: str


class VideoClipErrorItem(msgspec.Struct, kw_only=True, frozen=True):
    """One source whose clip could not be made."""

    source_video_key: str
    error: str


class ClipDetails(msgspec.Struct, kw_only=True, frozen=True):
    """A clip's exact bounds on the source's timeline, and what was stored."""

    start_ms: int
    end_ms: int
    size_bytes: int
    sha256: str


class ResultDetails(msgspec.Struct, kw_only=True, frozen=True):
    """Beyond the reference page.

    Attributes:
        clips: By the clip's uuid.
        nearest_distance: The smallest face distance looked at; null until matched, or in an event without faces.
        coverage: Share of the event's footage that could be searched when it was submitted, 0 to 1; null without any.
    """

    clips: dict[str, ClipDetails] = {}
    nearest_distance: float | None = None
    coverage: float | None = None
    submitted_at_ms: int | None = None
    ended_at_ms: int | None = None


class VideoClippingResult(msgspec.Struct, kw_only=True, frozen=True):
    """The answer of the GET; all keys are there whatever the status."""

    request_id: str
    status: SearchStatus
    videos: tuple[VideoClipItem, ...] = ()
    error: str | None = None
    clip_errors: tuple[VideoClipErrorItem, ...] = ()
    details: ResultDetails = ResultDetails()


class VideoClippingStart(msgspec.Struct, kw_only=True, frozen=True):
    """The answer of the POST."""

    status: SearchStatus
    request_id: str


def superseded(record: SearchRecord | None, pending: tuple[object, ...]) -> bool:
    """Whether a submission that the ledger has not taken in yet may start this search again.

    The same selfie under an ended search runs only after a failure, so it leaves every other end as it stands.
    """
    if record is None:
        return bool(pending)
    return any(
        command.selfie.sha256 != record.selfie.sha256 or record.status.rerun_by_same_selfie
        for command in pending
        if isinstance(command, SubmitSearch)
    )


def result_of(record: SearchRecord, public_base: str) -> VideoClippingResult:
    """The result as it stands in the record; clips show when the search has ended."""
    if not record.status.terminal:
        return VideoClippingResult(
            request_id=record.request_id,
            status=record.status,
            details=ResultDetails(coverage=record.coverage, submitted_at_ms=record.submitted_at_ms),
        )
    return VideoClippingResult(
        request_id=record.request_id,
        status=record.status,
        videos=tuple(_item(clip, public_base) for clip in record.clips),
        error=record.error,
        clip_errors=tuple(_error_item(clip) for clip in record.clip_errors),
        details=ResultDetails(
            clips={clip.clip_id: _details(clip) for clip in record.clips},
            nearest_distance=record.nearest_distance,
            coverage=record.coverage,
            submitted_at_ms=record.submitted_at_ms,
            ended_at_ms=record.ended_at_ms,
        ),
    )


def floor_hms(time_ms: int) -> str:
    """The whole second at or before this moment, `HH:MM:SS`."""
    return _hms(time_ms // 1000)


def ceiling_hms(time_ms: int) -> str:
    """The whole second at or after this moment, `HH:MM:SS`."""
    return _hms(-(-time_ms // 1000))


def _hms(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _item(clip: ClipReady, public_base: str) -> VideoClipItem:
    return VideoClipItem(
        uuid=clip.clip_id,
        video_url=f"{public_base}/{clip_path(clip.event_id, clip.request_id, clip.clip_id)}",
        source_video_key=clip.source_video_key,
        start_time=floor_hms(clip.start_ms),
        end_time=ceiling_hms(clip.end_ms),
    )


def _error_item(clip: ClipFailed) -> VideoClipErrorItem:
    return VideoClipErrorItem(source_video_key=clip.source_video_key, error=clip.error)


def _details(clip: ClipReady) -> ClipDetails:
    return ClipDetails(start_ms=clip.start_ms, end_ms=clip.end_ms, size_bytes=clip.size_bytes, sha256=clip.sha256)
