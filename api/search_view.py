"""What partners see of a search: the reference page's fields, exact numbers beside them under `details`."""

import msgspec

from api.stopped_view import StoppedDetails, stopped_details
from schemas.ids import clip_path
from schemas.searches import ClipFailed, ClipReady, SearchRecord, SearchStatus, SubmitSearch, Window
from schemas.settings import confidence_of

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
    """A clip's exact bounds on the source's timeline, what was stored, and how sure it is.

    Attributes:
        distance: The smallest Euclidean distance between the selfie and a face seen in the clip.
        confidence_percent: The same as a percentage; the clip is there at every threshold up to this one, as long as
            enough of its samples pass (docs/confidence.md).
        samples: Distinct times at which the person was seen in it.
    """

    start_ms: int
    end_ms: int
    size_bytes: int
    sha256: str
    distance: float
    confidence_percent: float
    samples: int


class ResultDetails(msgspec.Struct, kw_only=True, frozen=True):
    """Beyond the reference page.

    Attributes:
        clips: By the clip's uuid.
        nearest_distance: The smallest face distance looked at; null until matched, or in an event without faces.
        nearest_confidence_percent: The same as a percentage.
        needed_confidence_percent: The event's threshold when the search was submitted.
        stopped_by: Why the search is empty; null unless it is `no_matches` or `no_segments`.
        other_models: Videos that could not be searched, as they are indexed with other face models.
        coverage: Share of the event's footage that could be searched when it was submitted, 0 to 1; null without any.
    """

    clips: dict[str, ClipDetails] = {}
    nearest_distance: float | None = None
    nearest_confidence_percent: float | None = None
    needed_confidence_percent: float | None = None
    stopped_by: StoppedDetails | None = None
    other_models: int = 0
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
            details=ResultDetails(
                needed_confidence_percent=record.settings.confidence_percent,
                coverage=record.coverage,
                submitted_at_ms=record.submitted_at_ms,
            ),
        )
    windows = {window.clip_id: window for window in record.windows}
    nearest = record.nearest_distance
    return VideoClippingResult(
        request_id=record.request_id,
        status=record.status,
        videos=tuple(_item(clip, public_base) for clip in record.clips),
        error=record.error,
        clip_errors=tuple(_error_item(clip) for clip in record.clip_errors),
        details=ResultDetails(
            clips={clip.clip_id: _details(clip, windows[clip.clip_id]) for clip in record.clips},
            nearest_distance=nearest,
            nearest_confidence_percent=None if nearest is None else confidence_of(nearest),
            needed_confidence_percent=record.settings.confidence_percent,
            stopped_by=stopped_details(record),
            other_models=record.other_models,
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


def _details(clip: ClipReady, window: Window) -> ClipDetails:
    return ClipDetails(
        start_ms=clip.start_ms,
        end_ms=clip.end_ms,
        size_bytes=clip.size_bytes,
        sha256=clip.sha256,
        distance=window.distance,
        confidence_percent=confidence_of(window.distance),
        samples=window.samples,
    )
