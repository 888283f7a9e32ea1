"""The work of the index role: what the ledgers ask of it for source videos and their faces."""

from schemas.base import Message
from schemas.ids import event_key, video_key
from schemas.videos import ChunkSpan, GenerationMessage, SourceObject


class ModelWork(GenerationMessage, frozen=True, kw_only=True):
    """Work on a generation, which is made with one set of models from begin to end.

    Attributes:
        model: Version of the models to do it with; no others will do.
        superseded: Versions that the source was begun with and started anew from: a worker that has one of them may be
            a left-over of a change, and waits to be replaced.
        give_up_at_ms: When such a wait ends, wall clock: the worker was no left-over and does its part. None, in
            messages of before this field, is never.
    """

    source: SourceObject
    model: str | None = None
    superseded: tuple[str, ...] = ()
    give_up_at_ms: int | None = None


class SplitSource(ModelWork, frozen=True, kw_only=True):
    """Work: open the source, plan its chunks; make the generation searchable at once where none is yet.

    Its `model` is None: the worker's become the generation's, unless they are superseded.
    """

    activate: bool


class IndexChunk(ModelWork, frozen=True, kw_only=True):
    """Work: find the faces of one chunk and put them into the store.

    Attributes:
        far_faces: As `RegisterVideo.far_faces`.
    """

    span: ChunkSpan
    sampling_fps: float
    far_faces: bool = False

    @property
    def key(self) -> str:
        """The unit, so that chunks spread."""
        return f"{video_key(self.event_id, self.source_video_key)}/{self.generation}/{self.span.chunk}"


class ActivateGeneration(ModelWork, frozen=True, kw_only=True):
    """Work: let searches with these models see this generation, whole, in place of the one before."""

    duration_ms: int


class RemoveSource(GenerationMessage, frozen=True, kw_only=True):
    """Work: remove the faces of this generation and of all before it, then these objects of the private bucket.

    Generation 0, which is none, leaves the faces alone.
    """

    object_keys: tuple[str, ...] = ()


class SweepSource(GenerationMessage, frozen=True, kw_only=True):
    """Work: remove the faces of generations before this one, except those that searches with other models see."""


class RemoveEvent(Message, frozen=True, kw_only=True):
    """Work: remove the faces of all sources of an event, of all generations, for good."""

    event_id: int

    @property
    def key(self) -> str:
        """The event."""
        return event_key(self.event_id)


SourceWork = SplitSource | ActivateGeneration | RemoveSource | SweepSource | RemoveEvent
