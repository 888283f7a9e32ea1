"""Source videos: commands, facts, the record, and the work of indexing."""

from enum import StrEnum

import msgspec

from schemas.base import Command, Message
from schemas.ids import video_key
from schemas.records import Record


class VideoState(StrEnum):
    """Where a source stands, as operators see it."""

    QUEUED = "queued"
    INDEXING = "indexing"
    INDEXED = "indexed"
    FAILED = "failed"


class ChunkSpan(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of indexing: `[start_ms, end_ms)` on the source's own timeline (first shown frame = 0)."""

    chunk: int
    start_ms: int
    end_ms: int


class SourceObject(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of a source video in the private bucket."""

    object_key: str
    sha256: str
    size_bytes: int
    content_type: str


class SourceCommand(Command, frozen=True, kw_only=True):
    """A command about one source."""

    event_id: int
    source_video_key: str

    @property
    def key(self) -> str:
        """The source's record."""
        return video_key(self.event_id, self.source_video_key)


class RegisterVideo(SourceCommand, frozen=True, kw_only=True):
    """Index these bytes as this source. Known bytes change nothing, but after a failure they run again.

    Attributes:
        deadline_ms: Limit of silence: without a fact for this long the source is given up, milliseconds.
        far_faces: Look for faces of half the usual size, for about twice the work.
    """

    org_id: int
    source: SourceObject
    sampling_fps: float
    deadline_ms: int
    far_faces: bool = False


class ExpireVideo(SourceCommand, frozen=True, kw_only=True):
    """The watchdog's: this generation was silent past its deadline."""

    generation: int


class GenerationMessage(Message, frozen=True, kw_only=True):
    """About one generation of a source: one registration of one content under one set of models."""

    event_id: int
    source_video_key: str
    generation: int

    @property
    def key(self) -> str:
        """The source's record."""
        return video_key(self.event_id, self.source_video_key)


class VideoFact(GenerationMessage, frozen=True, kw_only=True):
    """Something a worker reports of a generation; `at_ms` is the worker's wall clock, UTC."""

    at_ms: int


class SourceSplit(VideoFact, frozen=True, kw_only=True):
    """The source was opened and cut into chunks.

    Attributes:
        model: Version of the models that the whole generation is made with: those of the worker that split it. None
            from a worker of before this field.
    """

    duration_ms: int
    chunks: tuple[ChunkSpan, ...]
    model: str | None = None


class SourceFailed(VideoFact, frozen=True, kw_only=True):
    """The source cannot be indexed; `error` is a sentence for the operator."""

    error: str


class ChunkIndexed(VideoFact, frozen=True, kw_only=True):
    """The faces of a chunk are in the store.

    Attributes:
        model: Version of the models they were found with; None from a worker of before this field.
        damaged_ms: Ranges of the source's timeline that could not be read whole, `[start, end]`, ascending.
    """

    chunk: int
    samples: int
    faces: int
    tracks: int
    skipped_frames: int = 0
    model: str | None = None
    damaged_ms: tuple[tuple[int, int], ...] = ()


class ChunkFailed(VideoFact, frozen=True, kw_only=True):
    """A chunk cannot be indexed; the others go on."""

    chunk: int
    error: str


class GenerationActivated(VideoFact, frozen=True, kw_only=True):
    """Searches see this generation from now on, and no other of this source."""


class SplitSource(GenerationMessage, frozen=True, kw_only=True):
    """Work: open the source, plan its chunks; make the generation searchable at once where none is yet."""

    source: SourceObject
    activate: bool


class IndexChunk(GenerationMessage, frozen=True, kw_only=True):
    """Work: find the faces of one chunk and put them into the store.

    Attributes:
        model: Version of the models to do it with; no others will do.
        far_faces: As `RegisterVideo.far_faces`.
    """

    source: SourceObject
    span: ChunkSpan
    sampling_fps: float
    model: str | None = None
    far_faces: bool = False

    @property
    def key(self) -> str:
        """The unit, so that chunks spread."""
        return f"{video_key(self.event_id, self.source_video_key)}/{self.generation}/{self.span.chunk}"


class ActivateGeneration(GenerationMessage, frozen=True, kw_only=True):
    """Work: let searches with these models see this generation, whole, in place of the one before."""

    source: SourceObject
    duration_ms: int
    model: str | None = None


class FailedChunk(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk given up, and why."""

    chunk: int
    error: str


class VideoRecord(Record, frozen=True, kw_only=True):
    """One source of an event.

    Attributes:
        generation: Counts registrations; facts of an older one are ignored.
        model: Version of the models that this generation is made with; None until it is split.
        active_generation: What searches see; None until the first split.
        chunks: The plan, empty until split.
        done: Chunk numbers indexed, ascending.
        failed: Chunks given up, ascending.
        damaged_ms: Ranges of the timeline that could not be read whole, `[start, end]`, ascending and apart.
        error: Sentences for the operator: why the source failed, or which parts of it are missing.
        deadline_at_ms: When silence becomes failure; moves on with every fact.
    """

    event_id: int
    source_video_key: str
    org_id: int
    source: SourceObject
    sampling_fps: float
    far_faces: bool = False
    state: VideoState
    generation: int
    model: str | None = None
    active_generation: int | None = None
    duration_ms: int | None = None
    chunks: tuple[ChunkSpan, ...] = ()
    done: tuple[int, ...] = ()
    failed: tuple[FailedChunk, ...] = ()
    damaged_ms: tuple[tuple[int, int], ...] = ()
    faces: int = 0
    tracks: int = 0
    error: str | None = None
    registered_at_ms: int
    deadline_ms: int
    deadline_at_ms: int

    @property
    def key(self) -> str:
        """`{event_id}/{source_video_key}`."""
        return video_key(self.event_id, self.source_video_key)

    @property
    def progress(self) -> float:
        """Share of the chunks that ended, 0 to 1; 1 only when indexed."""
        if self.state is VideoState.INDEXED:
            return 1.0
        ended = len(self.done) + len(self.failed)
        return min(0.99, ended / len(self.chunks)) if self.chunks else 0.0


VideoCommand = RegisterVideo | ExpireVideo
VideoFactMessage = SourceSplit | SourceFailed | ChunkIndexed | ChunkFailed | GenerationActivated
SourceWork = SplitSource | ActivateGeneration
