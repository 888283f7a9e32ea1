"""Units of work for the tests of the stages, and what the stages are given."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.indexing import IndexChunk, SplitSource
from schemas.searches import FacesMatched, MatchedSource, MatchSelfie, RenderClip, SelfieObject, Sighting, Window
from schemas.settings import ClipSettings
from schemas.videos import ChunkSpan, SourceObject
from streams.pipeline import Tools
from tests.fakes.inline_children import InlineChildren
from tests.fakes.memory_faces import MemoryFaces
from tests.fakes.memory_objects import MemoryObjects

NOW_MS = 1_795_000_000_000
EVENT, REQUEST = 456, "7b1f2a90-3c55-4f0e-9b3e-5a8e5f2d1c77"
SOURCE_KEY, SOURCE_OBJECT, SELFIE_OBJECT = "cam-1", "sources/456/cam-1/u", "selfies/456/r/s"
GENERATION, ATTEMPT, CHUNK = 3, 2, 4
CLIP_ID = "11111111-2222-8333-8444-555555555555"

ABOUT_SOURCE = {"event_id": EVENT, "source_video_key": SOURCE_KEY, "generation": GENERATION}
ABOUT_SEARCH = {"event_id": EVENT, "request_id": REQUEST, "attempt": ATTEMPT}


@dataclass
class World:
    """The fakes around one stage.

    Attributes:
        points: The failpoints that were passed, in order.
    """

    folder: Path
    objects: MemoryObjects
    faces: MemoryFaces = field(default_factory=MemoryFaces)
    children: InlineChildren = field(default_factory=InlineChildren)
    points: list[str] = field(default_factory=list)

    @property
    def tools(self) -> Tools:
        return Tools(objects=self.objects, children=self.children, clock=lambda: NOW_MS, failpoint=self.points.append)


def new_world(folder: Path) -> World:
    """Nothing is stored yet."""
    files = folder / "private"
    files.mkdir()
    return World(folder, MemoryObjects(files))


SOURCE = SourceObject(object_key=SOURCE_OBJECT, sha256="ab" * 32, size_bytes=1, content_type="video/mp4")


def split_source(*, activate: bool = True) -> SplitSource:
    return SplitSource(source=SOURCE, activate=activate, **_about(ABOUT_SOURCE))


def index_chunk(
    start_ms: int, end_ms: int, *, fps: float = 5.0, far_faces: bool = False, model: str | None = None
) -> IndexChunk:
    span = ChunkSpan(chunk=CHUNK, start_ms=start_ms, end_ms=end_ms)
    return IndexChunk(
        source=SOURCE, span=span, sampling_fps=fps, far_faces=far_faces, model=model, **_about(ABOUT_SOURCE)
    )


def match_selfie(**settings: float) -> MatchSelfie:
    selfie = SelfieObject(object_key=SELFIE_OBJECT, sha256="cd" * 32)
    return MatchSelfie(selfie=selfie, settings=ClipSettings(**_about(settings)), **_about(ABOUT_SEARCH))


def sighting(start_ms: int, end_ms: int, *, source: str = SOURCE_KEY, distance: float = 0.3) -> Sighting:
    """Seen at every 200 ms of the span."""
    times = tuple(range(start_ms, end_ms + 1, 200))
    return Sighting(
        source_video_key=source,
        track="0/1",
        start_ms=start_ms,
        end_ms=end_ms,
        sample_times_ms=times,
        distance=distance,
    )


def faces_matched(*sightings: Sighting, **changes: Any) -> FacesMatched:
    """Sources of a minute each."""
    keys = sorted({each.source_video_key for each in sightings})
    sources = tuple(
        MatchedSource(
            source_video_key=key, generation=GENERATION, object_key=f"sources/456/{key}/u", duration_ms=60_000
        )
        for key in keys
    )
    fields: dict[str, Any] = {
        "selfie_sha256": "cd" * 32,
        "settings": ClipSettings(),
        "sources": sources,
        "sightings": sightings,
        "nearest_distance": min((each.distance for each in sightings), default=None),
    }
    return FacesMatched(**(fields | _about(ABOUT_SEARCH) | changes))


def render_clip(start_ms: int, end_ms: int) -> RenderClip:
    window = Window(
        clip_id=CLIP_ID,
        source_video_key=SOURCE_KEY,
        object_key=SOURCE_OBJECT,
        start_ms=start_ms,
        end_ms=end_ms,
        samples=5,
        distance=0.3,
    )
    return RenderClip(window=window, quality=30, **_about(ABOUT_SEARCH))


def _about(fields: Any) -> dict[str, Any]:
    return dict(fields)
