"""Searches: commands, facts, the record, and the work of matching and cutting."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.base import Command, Message
from schemas.ids import search_key
from schemas.records import Record
from schemas.settings import ClipSettings


class SearchStatus(StrEnum):
    """The partner API's status lifecycle."""

    PROCESSING = "processing"
    COMPLETED = "completed"
    NO_MATCHES = "no_matches"
    NO_SEGMENTS = "no_segments"
    CLIP_FAILED = "clip_failed"
    FAILED = "failed"

    @property
    def terminal(self) -> bool:
        """Whether it stays so until a new submission."""
        return self is not SearchStatus.PROCESSING

    @property
    def rerun_by_same_selfie(self) -> bool:
        """Whether the same bytes under the same id run again."""
        return self in (SearchStatus.FAILED, SearchStatus.CLIP_FAILED)


class StopRule(StrEnum):
    """What left a search without a clip: the first of these rules that nothing passed (docs/confidence.md)."""

    NO_FACES = "no_faces"
    OTHER_MODELS = "other_models"
    TOO_FAR = "too_far"
    JUST_INDEXED = "just_indexed"
    TOO_FEW_SAMPLES = "too_few_samples"
    TOO_SHORT = "too_short"
    OUTSIDE_VIDEO = "outside_video"


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """The rule that stopped a search, and how near the best came to passing it.

    Attributes:
        seen: The best that there was: a distance (`too_far`), samples (`too_few_samples`), milliseconds (`too_short`);
            None where the rule has no number.
        needed: What would have passed, in the same unit.
    """

    rule: StopRule
    seen: float | None = None
    needed: float | None = None


class SelfieObject(msgspec.Struct, frozen=True, kw_only=True):
    """A selfie in the private bucket; the bytes themselves never travel."""

    object_key: str
    sha256: str


class RequestCommand(Command, frozen=True, kw_only=True):
    """A command about one search."""

    event_id: int
    request_id: str

    @property
    def key(self) -> str:
        """The search's record."""
        return search_key(self.event_id, self.request_id)


class SubmitSearch(RequestCommand, frozen=True, kw_only=True):
    """Find the person of this selfie in the event's videos.

    Attributes:
        settings: The event's settings at this moment; a later change does not touch this search.
        deadline_ms: How long the search may run before the watchdog fails it, milliseconds.
        coverage: Share of the event's footage that could be searched at this moment, 0 to 1; None without any.
    """

    org_id: int
    selfie: SelfieObject
    settings: ClipSettings
    deadline_ms: int
    coverage: float | None = None


class AbandonSearch(RequestCommand, frozen=True, kw_only=True):
    """A submission did not get through, such as when its selfie could not be stored. Has the submission's command id.

    Attributes:
        error: The sentence that its sender was told.
    """

    org_id: int
    selfie: SelfieObject
    settings: ClipSettings
    error: str


class ExpireSearch(RequestCommand, frozen=True, kw_only=True):
    """The watchdog's: this attempt ran past its deadline."""

    attempt: int


class AttemptMessage(Message, frozen=True, kw_only=True):
    """About one attempt at one search."""

    event_id: int
    request_id: str
    attempt: int

    @property
    def key(self) -> str:
        """The search's record."""
        return search_key(self.event_id, self.request_id)


class MatchSelfie(AttemptMessage, frozen=True, kw_only=True):
    """Work: embed the selfie and find its sightings."""

    selfie: SelfieObject
    settings: ClipSettings


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """A face track of a source that matched: its span and the distinct times it was sampled at."""

    source_video_key: str
    track: str
    start_ms: int
    end_ms: int
    sample_times_ms: tuple[int, ...]
    distance: float


class MatchedSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source with at least one sighting, as it was searched."""

    source_video_key: str
    generation: int
    object_key: str
    duration_ms: int


class FacesMatched(AttemptMessage, frozen=True, kw_only=True):
    """What match tells segment.

    Attributes:
        truncated: True when there were more sightings than a message may carry; the best stayed.
        nearest_distance: The smallest distance looked at, matched or not; None in an event without faces.
        other_models: Sources that were not looked at: they are indexed with other models only.
    """

    selfie_sha256: str
    settings: ClipSettings
    sources: tuple[MatchedSource, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    truncated: bool = False
    nearest_distance: float | None = None
    other_models: int = 0


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """One clip to be cut: `[start_ms, end_ms)` of a source.

    Attributes:
        samples: Distinct sample times at which the person was seen in it.
        distance: The smallest of the sightings sampled in it (docs/confidence.md says why not the mean).
    """

    clip_id: str
    source_video_key: str
    object_key: str
    start_ms: int
    end_ms: int
    samples: int
    distance: float


class SearchFact(AttemptMessage, frozen=True, kw_only=True):
    """Something a worker reports of an attempt; `at_ms` is the worker's wall clock, UTC."""

    at_ms: int


class WindowsPlanned(SearchFact, frozen=True, kw_only=True):
    """The person was found: one window for each source, at least one."""

    windows: Annotated[tuple[Window, ...], Meta(min_length=1)]
    nearest_distance: float | None = None
    truncated: bool = False
    other_models: int = 0


class NothingToClip(SearchFact, frozen=True, kw_only=True):
    """No window came out: `status` is `no_matches` or `no_segments`; `stopped_by` says which rule it was."""

    status: SearchStatus
    nearest_distance: float | None = None
    stopped_by: Stopped | None = None
    other_models: int = 0


class SearchFailed(SearchFact, frozen=True, kw_only=True):
    """The attempt cannot go on; `error` is a sentence for the person."""

    error: str


class ClipReady(SearchFact, frozen=True, kw_only=True):
    """A clip was cut, proved and stored. Times are those of what plays.

    Attributes:
        method: `copy` or `encode`.
    """

    clip_id: str
    source_video_key: str
    start_ms: int
    end_ms: int
    object_key: str
    size_bytes: int
    sha256: str
    method: str


class ClipFailed(SearchFact, frozen=True, kw_only=True):
    """A clip could not be cut; `error` is a sentence for the person."""

    clip_id: str
    source_video_key: str
    error: str


class RenderClip(AttemptMessage, frozen=True, kw_only=True):
    """Work: cut, prove and store one clip."""

    window: Window
    quality: int

    @property
    def key(self) -> str:
        """The unit, so that clips spread."""
        return self.window.clip_id


class SearchRecord(Record, frozen=True, kw_only=True):
    """One search and its result.

    Attributes:
        attempt: Counts runs under this id; facts of an older one are ignored.
        number: Counts billable submissions under this id.
        coverage: Of the submission that runs or ran.
        windows: The clips asked for; the search ends when each is in `clips` or `clip_errors`.
        stopped_by: Why there is none, after `no_matches` and `no_segments`.
        other_models: Sources that were not looked at: they are indexed with other models only.
    """

    event_id: int
    request_id: str
    org_id: int
    selfie: SelfieObject
    settings: ClipSettings
    status: SearchStatus
    attempt: int
    number: int
    coverage: float | None = None
    windows: tuple[Window, ...] = ()
    clips: tuple[ClipReady, ...] = ()
    clip_errors: tuple[ClipFailed, ...] = ()
    error: str | None = None
    nearest_distance: float | None = None
    stopped_by: Stopped | None = None
    other_models: int = 0
    submitted_at_ms: int
    ended_at_ms: int | None = None
    deadline_at_ms: int

    @property
    def key(self) -> str:
        """`{event_id}/{request_id}`."""
        return search_key(self.event_id, self.request_id)


SearchCommand = SubmitSearch | AbandonSearch | ExpireSearch
SearchFactMessage = WindowsPlanned | NothingToClip | SearchFailed | ClipReady | ClipFailed
