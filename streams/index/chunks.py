"""index: the faces of one chunk into the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from schemas.indexing import IndexChunk
from schemas.videos import ChunkFailed, ChunkIndexed, OtherModels
from streams import jobs
from streams.damage import merged
from streams.index.models_asked import refused
from streams.index.tracks import ChunkFaces
from streams.media.errors import SourceUnreadable
from streams.ports import Children, Clock, FaceRow, FaceStore, Failpoint, Objects
from streams.source_jobs import run_on_source
from streams.vision.models.model_set import ModelSet


class ChunkPoint(StrEnum):
    """Where a test may kill this stage."""

    ADDRESSED = "chunks: addressed"
    SEEN = "chunks: seen"
    STORED = "chunks: stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkIndexer:
    """Looks at a chunk in a child, by ranges of the source, and stores what it saw."""

    objects: Objects
    children: Children
    faces: FaceStore
    models: ModelSet
    clock: Clock
    failpoint: Failpoint

    async def __call__(self, work: IndexChunk) -> Sequence[ChunkIndexed | ChunkFailed | OtherModels]:
        """The word that the chunk's faces are stored, or why they cannot be, or are not to be by this worker."""
        refusal = refused(work, self.models.version, self.clock())
        if refusal is not None:
            return [refusal]
        url = await self.objects.private_url(work.source.object_key)
        self.failpoint(ChunkPoint.ADDRESSED)
        try:
            seen = await run_on_source(
                self.objects,
                self.children,
                jobs.index_chunk,
                url,
                work.span.start_ms,
                work.span.end_ms,
                work.sampling_fps,
                self.models,
                far_faces=work.far_faces,
            )
        except SourceUnreadable as unreadable:
            return [chunk_failed(work, str(unreadable), self.clock())]
        self.failpoint(ChunkPoint.SEEN)
        await self.faces.put_chunk(
            event_id=work.event_id,
            source_video_key=work.source_video_key,
            generation=work.generation,
            chunk=work.span.chunk,
            faces=face_rows(seen),
        )
        self.failpoint(ChunkPoint.STORED)
        indexed = ChunkIndexed(
            event_id=work.event_id,
            source_video_key=work.source_video_key,
            generation=work.generation,
            at_ms=self.clock(),
            chunk=work.span.chunk,
            samples=seen.samples,
            faces=seen.faces_seen,
            tracks=len(seen.tracks),
            skipped_frames=seen.skipped_frames,
            model=self.models.version,
            damaged_ms=merged(seen.damaged_ms),
        )
        return [indexed]


def face_rows(seen: ChunkFaces) -> list[FaceRow]:
    """A row for each kept face of each track."""
    return [
        FaceRow(
            track=track.track,
            track_start_ms=track.first_ms,
            track_end_ms=track.last_ms,
            sample_times_ms=track.sample_times,
            time_ms=face.time_ms,
            quality=face.second_score,
            vector=face.vector,
        )
        for track in seen.tracks
        for face in track.faces
    ]


def chunk_failed(work: IndexChunk, sentence: str, at_ms: int) -> ChunkFailed:
    """The fact by which the ledger goes on without this chunk."""
    return ChunkFailed(
        event_id=work.event_id,
        source_video_key=work.source_video_key,
        generation=work.generation,
        at_ms=at_ms,
        chunk=work.span.chunk,
        error=sentence,
    )
