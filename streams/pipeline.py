"""The pipeline on one page, in flow order: who reads which topic, and what comes of it.

    catalog.commands ─> LEDGER catalog ══> catalog
                         └> sources (the end of an event)
    videos.commands ─> LEDGER videos ══> videos
                         │        ▲
                  sources, chunks │ videos.facts
                         └> split, index ─> faces in the store
    searches.commands ─> LEDGER searches ══> searches
                         │  ▲  │        └──> clips.ready, usage
                  matches│  │  │clips
                         ▼  │  ▼
     match ─ faces.matched ─> segment ─> searches.facts <─ render ─> clips in the store

A ledger decides, a stage works, the shell (`streams/shell/`) carries: it alone reads, sends and commits.
"""

from dataclasses import dataclass
from pathlib import Path

from schemas import topics
from streams.flow import Ledger, Role, Stage
from streams.index.chunks import ChunkIndexer, chunk_failed
from streams.index.sources import SourceKeeper, source_failed
from streams.ledgers import catalog, searches, videos
from streams.ports import Children, Clock, FaceStore, Failpoint, Objects
from streams.render.clips import ClipRenderer, clip_failed
from streams.search.match import Matcher, selfie_failed
from streams.search.scan_batches import ScanBatches
from streams.search.segment import Segmenter
from streams.vision.models.model_set import ModelSet

LEDGERS: tuple[Ledger, ...] = (
    Ledger(
        name="catalog",
        commands=topics.CATALOG_COMMANDS,
        facts=None,
        records=topics.CATALOG,
        decide=catalog.decide,
        expire=catalog.expire,
    ),
    Ledger(
        name="videos",
        commands=topics.VIDEO_COMMANDS,
        facts=topics.VIDEO_FACTS,
        records=topics.VIDEOS,
        decide=videos.decide,
        expire=videos.expire,
    ),
    Ledger(
        name="searches",
        commands=topics.SEARCH_COMMANDS,
        facts=topics.SEARCH_FACTS,
        records=topics.SEARCHES,
        decide=searches.decide,
        expire=searches.expire,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every working role is given."""

    objects: Objects
    children: Children
    clock: Clock
    failpoint: Failpoint


def index_stages(tools: Tools, faces: FaceStore, models: ModelSet) -> tuple[Stage, ...]:
    """Sources -> split -> chunks (by the ledger) -> index."""
    keeper = SourceKeeper(
        objects=tools.objects,
        children=tools.children,
        faces=faces,
        models=models,
        clock=tools.clock,
        failpoint=tools.failpoint,
    )
    indexer = ChunkIndexer(
        objects=tools.objects,
        children=tools.children,
        faces=faces,
        models=models,
        clock=tools.clock,
        failpoint=tools.failpoint,
    )
    return (
        Stage(name="split", role=Role.INDEX, source=topics.SOURCES, handle=keeper, failure=source_failed),
        Stage(name="index", role=Role.INDEX, source=topics.CHUNKS, handle=indexer, failure=chunk_failed),
    )


def match_stages(
    tools: Tools, faces: FaceStore, models: ModelSet, *, secret: bytes, max_selfie_bytes: int
) -> tuple[Stage, ...]:
    """Matches -> match -> faces.matched -> segment -> searches.facts."""
    matcher = Matcher(
        objects=tools.objects,
        children=tools.children,
        scans=ScanBatches(faces, models.version),
        models=models,
        max_selfie_bytes=max_selfie_bytes,
        clock=tools.clock,
        failpoint=tools.failpoint,
    )
    segmenter = Segmenter(secret=secret, clock=tools.clock)
    return (
        Stage(name="match", role=Role.MATCH, source=topics.MATCHES, handle=matcher, failure=selfie_failed),
        Stage(name="segment", role=Role.MATCH, source=topics.FACES_MATCHED, handle=segmenter, failure=selfie_failed),
    )


def render_stages(tools: Tools, *, scratch: Path) -> tuple[Stage, ...]:
    """Clips -> render -> searches.facts."""
    renderer = ClipRenderer(
        objects=tools.objects,
        children=tools.children,
        scratch=scratch,
        clock=tools.clock,
        failpoint=tools.failpoint,
    )
    return (Stage(name="render", role=Role.RENDER, source=topics.CLIPS, handle=renderer, failure=clip_failed),)
