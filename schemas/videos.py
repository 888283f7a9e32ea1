"""Source videos: commands, facts and the record. Their work: `schemas.indexing`."""

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
    DELETED = "deleted"


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
        far_faces: Look for faces of two thirds of the usual size, for a quarter more work.
    """

    org_id: int
    source: SourceObject
    sampling_fps: float
    deadline_ms: int
    far_faces: bool = False


class ReindexVideo(SourceCommand, frozen=True, kw_only=True):
    """Index the source's bytes anew, with the models of now; searches see the old rows until the new are whole.

    While the same is under way, nothing new begins. The other attributes are those of `RegisterVideo`.
    """

    sampling_fps: float
    far_faces: bool
    deadline_ms: int


class DeleteVideo(SourceCommand, frozen=True, kw_only=True):
    """Remove the source: its faces, its bytes, and what the record says of it."""


class ExpireVideo(SourceCommand, frozen=True, kw_only=True):
    """The watchdog's: this generation was silent past its deadline."""

    generation: int


class SweepVideo(SourceCommand, frozen=True, kw_only=True):
    """The watchdog's: no search reads any more what this generation replaced."""

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


class OtherModels(VideoFact, frozen=True, kw_only=True):
    """A worker did not do what this generation needs, because its models are not those asked for.

    Attributes:
        model: Version of the models that the worker has.
    """

    model: str


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
        damaged_ms: Ranges of the source's timeline that could not be read whole, `[start, end)`, ascending.
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


class SourceRemoved(VideoFact, frozen=True, kw_only=True):
    """No row of this generation or of one before is left, nor the bytes that were named with it."""


class FailedChunk(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk given up, and why."""

    chunk: int
    error: str


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """What was deleted of a source, and what may still come in of it from workers that did not know.

    Attributes:
        generation: This one and all before are gone for good.
        under_way: Their removal was asked for and not yet reported.
        again: Something of them was reported while it was under way, and may have come after it.
    """

    generation: int
    under_way: bool = True
    again: bool = False


class VideoRecord(Record, frozen=True, kw_only=True):
    """One source of an event.

    Attributes:
        generation: Counts registrations; facts of an older one are ignored.
        model: Version of the models that this generation is made with; None until it is split.
        superseded: Versions that this registration was begun with and started anew from; workers that have them wait.
        restarts: How often it was started anew because workers had different models.
        active_generation: What searches see; None until the first split.
        chunks: The plan, empty until split.
        done: Chunk numbers indexed, ascending.
        failed: Chunks given up, ascending.
        damaged_ms: Ranges of the timeline that could not be read whole, `[start, end)`, ascending and apart.
        error: Sentences for the operator: why the source failed, or which parts of it are missing.
        deadline_at_ms: When silence becomes failure; moves on with every fact.
        past_objects: Keys of the objects of earlier bytes of this source, oldest first; clips may yet be cut of them.
        removal: The latest deletion; also under a later registration.
        sweep_at_ms: When the rows of replaced generations may go; None when there are none.
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
    superseded: tuple[str, ...] = ()
    restarts: int = 0
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
    past_objects: tuple[str, ...] = ()
    removal: Removal | None = None
    sweep_at_ms: int | None = None

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


VideoCommand = RegisterVideo | ReindexVideo | DeleteVideo | ExpireVideo | SweepVideo
VideoFactMessage = (
    SourceSplit | SourceFailed | ChunkIndexed | ChunkFailed | GenerationActivated | OtherModels | SourceRemoved
)
