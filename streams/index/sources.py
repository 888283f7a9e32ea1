"""split: a source opened and cut into chunks; activate: a whole generation shown to searches."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from schemas.videos import ActivateGeneration, GenerationActivated, SourceFailed, SourceSplit, SourceWork, SplitSource
from streams import jobs
from streams.index.split import plan_chunks
from streams.media.errors import SourceUnreadable
from streams.ports import Children, Clock, FaceStore, Failpoint, Objects
from streams.source_jobs import run_on_source
from streams.vision.models.model_set import ModelSet


class SourcePoint(StrEnum):
    """Where a test may kill this stage."""

    ADDRESSED = "sources: addressed"
    PROBED = "sources: probed"
    ACTIVATED = "sources: activated"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKeeper:
    """Takes the two kinds of work that concern a source as a whole."""

    objects: Objects
    children: Children
    faces: FaceStore
    models: ModelSet
    clock: Clock
    failpoint: Failpoint

    async def __call__(self, work: SourceWork) -> Sequence[SourceSplit | SourceFailed | GenerationActivated]:
        """The plan of a source's chunks, or the word that its generation is what searches see."""
        if isinstance(work, SplitSource):
            return [await self._split(work)]
        await self._activate(work, work.duration_ms)
        activated = GenerationActivated(
            event_id=work.event_id,
            source_video_key=work.source_video_key,
            generation=work.generation,
            at_ms=self.clock(),
        )
        return [activated]

    async def _split(self, work: SplitSource) -> SourceSplit | SourceFailed:
        url = await self.objects.private_url(work.source.object_key)
        self.failpoint(SourcePoint.ADDRESSED)
        try:
            facts = await run_on_source(self.objects, self.children, jobs.probe_source, url)
        except SourceUnreadable as unreadable:
            return source_failed(work, str(unreadable), self.clock())
        self.failpoint(SourcePoint.PROBED)
        if facts.duration_ms <= 0:
            return source_failed(work, "The video has no length.", self.clock())
        if work.activate:
            # The first generation of a source is searchable chunk by chunk, while it is being indexed.
            await self._activate(work, facts.duration_ms)
        return SourceSplit(
            event_id=work.event_id,
            source_video_key=work.source_video_key,
            generation=work.generation,
            at_ms=self.clock(),
            duration_ms=facts.duration_ms,
            chunks=plan_chunks(facts.duration_ms),
        )

    async def _activate(self, work: SplitSource | ActivateGeneration, duration_ms: int) -> None:
        await self.faces.activate(
            event_id=work.event_id,
            source_video_key=work.source_video_key,
            model=self.models.version,
            generation=work.generation,
            object_key=work.source.object_key,
            duration_ms=duration_ms,
        )
        self.failpoint(SourcePoint.ACTIVATED)


def source_failed(work: SourceWork, sentence: str, at_ms: int) -> SourceFailed:
    """The fact by which the ledger gives a source up."""
    return SourceFailed(
        event_id=work.event_id,
        source_video_key=work.source_video_key,
        generation=work.generation,
        at_ms=at_ms,
        error=sentence,
    )
