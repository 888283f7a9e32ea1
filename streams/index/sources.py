"""A source as a whole: split into chunks, shown to searches, or removed with all its faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

from schemas.indexing import ModelWork, RemoveEvent, RemoveSource, SourceWork, SplitSource, SweepSource
from schemas.videos import GenerationActivated, GenerationMessage, OtherModels, SourceFailed, SourceRemoved, SourceSplit
from streams import jobs
from streams.index.models_asked import refused
from streams.index.split import plan_chunks
from streams.media.errors import SourceUnreadable
from streams.ports import Children, Clock, FaceStore, Failpoint, Objects
from streams.source_jobs import run_on_source
from streams.vision.models.model_set import ModelSet


class _Generation(TypedDict):
    event_id: int
    source_video_key: str
    generation: int


class SourcePoint(StrEnum):
    """Where a test may kill this stage while it works on a generation."""

    ADDRESSED = "sources: addressed"
    PROBED = "sources: probed"
    ACTIVATED = "sources: activated"


class RemovalPoint(StrEnum):
    """Where a test may kill this stage while it removes."""

    FACES_REMOVED = "sources: faces removed"
    OBJECT_DELETED = "sources: object deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKeeper:
    """Takes the kinds of work that concern a source as a whole, and the removal of an event's faces."""

    objects: Objects
    children: Children
    faces: FaceStore
    models: ModelSet
    clock: Clock
    failpoint: Failpoint

    async def __call__(
        self, work: SourceWork
    ) -> Sequence[SourceSplit | SourceFailed | GenerationActivated | OtherModels | SourceRemoved]:
        """What became of it, for the videos ledger; what nothing follows is reported to nobody."""
        match work:
            case RemoveSource():
                return [await self._remove(work)]
            case SweepSource():
                await self.faces.sweep_source(**_about(work))
                return []
            case RemoveEvent():
                await self.faces.remove_event(work.event_id)
                self.failpoint(RemovalPoint.FACES_REMOVED)
                return []
        refusal = refused(work, self.models.version, self.clock())
        if refusal is not None:
            return [refusal]
        if isinstance(work, SplitSource):
            return [await self._split(work)]
        await self._activate(work, work.duration_ms)
        return [GenerationActivated(**_about(work), at_ms=self.clock())]

    async def _split(self, work: SplitSource) -> SourceSplit | SourceFailed:
        url = await self.objects.private_url(work.source.object_key)
        self.failpoint(SourcePoint.ADDRESSED)
        try:
            facts = await run_on_source(self.objects, self.children, jobs.probe_source, url)
        except SourceUnreadable as unreadable:
            return SourceFailed(**_about(work), at_ms=self.clock(), error=str(unreadable))
        self.failpoint(SourcePoint.PROBED)
        if facts.duration_ms <= 0:
            return SourceFailed(**_about(work), at_ms=self.clock(), error="The video has no length.")
        if work.activate:
            # The first generation of a source is searchable chunk by chunk, while it is being indexed.
            await self._activate(work, facts.duration_ms)
        return SourceSplit(
            **_about(work),
            at_ms=self.clock(),
            duration_ms=facts.duration_ms,
            chunks=plan_chunks(facts.duration_ms),
            model=self.models.version,
        )

    async def _activate(self, work: ModelWork, duration_ms: int) -> None:
        await self.faces.activate(
            **_about(work),
            model=self.models.version,
            object_key=work.source.object_key,
            duration_ms=duration_ms,
        )
        self.failpoint(SourcePoint.ACTIVATED)

    async def _remove(self, work: RemoveSource) -> SourceRemoved:
        """The faces first: a search that finds none of them asks for no clip of the bytes."""
        if work.generation:
            await self.faces.remove_source(**_about(work))
        self.failpoint(RemovalPoint.FACES_REMOVED)
        for object_key in work.object_keys:
            await self.objects.delete_private(object_key)
            self.failpoint(RemovalPoint.OBJECT_DELETED)
        return SourceRemoved(**_about(work), at_ms=self.clock())


def source_failed(work: SourceWork, sentence: str, at_ms: int) -> SourceFailed | None:
    """The fact by which the ledger gives a source up; None for a removal, which nothing ends but its being done."""
    if isinstance(work, RemoveSource | SweepSource | RemoveEvent):
        return None
    return SourceFailed(**_about(work), at_ms=at_ms, error=sentence)


def _about(work: GenerationMessage) -> _Generation:
    return {
        "event_id": work.event_id,
        "source_video_key": work.source_video_key,
        "generation": work.generation,
    }
