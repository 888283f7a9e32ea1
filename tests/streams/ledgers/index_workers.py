"""What index workers report of a source, for the ledger that asks them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.base import Message
from schemas.indexing import ActivateGeneration, IndexChunk, ModelWork, RemoveSource, SplitSource
from schemas.videos import (
    ChunkFailed,
    ChunkIndexed,
    ChunkSpan,
    GenerationActivated,
    RegisterVideo,
    SourceFailed,
    SourceObject,
    SourceRemoved,
    SourceSplit,
    VideoRecord,
)
from streams.index.models_asked import refused
from streams.ledgers.videos import decide
from streams.outcomes import Unavailable
from tests.streams.ledgers.histories import Bench

NAMES = {"event_id": 456, "source_video_key": "12"}
LIMIT_MS = 30_000
MODEL = "models-1"


def register(sha: str = "a", *, command: str = "c1") -> RegisterVideo:
    source = SourceObject(object_key=f"sources/{sha}", sha256=sha, size_bytes=5, content_type="video/mp4")
    return RegisterVideo(
        **NAMES, command_id=command, at_ms=1_000, org_id=903, source=source, sampling_fps=5.0, deadline_ms=LIMIT_MS
    )


@dataclass(frozen=True)
class Workers:
    """What index workers would report of a source of `chunks` minutes.

    Attributes:
        fleet: Who takes the next work: the models of a worker, None for one of before models had versions.
        stays: Whether a worker that waits to be replaced is the one that stays.
        damage: What each chunk shows of it.
        worked: Generation and models of every chunk that was done, in order.
    """

    chunks: int = 3
    broken: frozenset[int] = frozenset()
    unreadable: bool = False
    damage: tuple[tuple[int, int], ...] = ()
    fleet: Callable[[], str | None] = field(default=lambda: MODEL, repr=False)
    stays: Callable[[], bool] = field(default=lambda: False, repr=False)
    worked: list[tuple[int, str | None]] = field(default_factory=list, compare=False, repr=False)

    def __call__(self, work: Message) -> list[Message]:
        if isinstance(work, RemoveSource):
            return [SourceRemoved(**NAMES, at_ms=2_000, generation=work.generation)]
        if not isinstance(work, ModelWork):
            return []
        model, now_ms = self.fleet(), 2_000
        while True:
            try:
                refusal = None if model is None else refused(work, model, now_ms)
                return [refusal] if refusal else [self._done(work, model)]
            except Unavailable:
                if self.stays():
                    now_ms = (work.give_up_at_ms or 0) + 1  # nobody comes in its place
                else:
                    model = self.fleet()

    def _done(self, work: ModelWork, model: str | None) -> Message:
        about = {**NAMES, "at_ms": 2_000, "generation": work.generation}
        match work:
            case SplitSource() if self.unreadable:
                return SourceFailed(**about, error="not a video")
            case SplitSource():
                spans = tuple(
                    ChunkSpan(chunk=n, start_ms=60_000 * n, end_ms=60_000 * (n + 1)) for n in range(self.chunks)
                )
                return SourceSplit(**about, duration_ms=60_000 * self.chunks, chunks=spans, model=model)
            case IndexChunk() if work.span.chunk in self.broken:
                return ChunkFailed(**about, chunk=work.span.chunk, error="damaged")
            case IndexChunk():
                self.worked.append((work.generation, model))
                found = {"samples": 300, "faces": 7, "tracks": 2, "model": model}
                damage = tuple((work.span.start_ms + start, work.span.start_ms + end) for start, end in self.damage)
                return ChunkIndexed(**about, chunk=work.span.chunk, damaged_ms=damage, **found)
            case ActivateGeneration():
                return GenerationActivated(**about)
        raise AssertionError(work)


def record_of(bench: Bench) -> VideoRecord:
    assert isinstance(bench.record, VideoRecord)
    return bench.record


def run_plain(workers: Workers, *commands: Message) -> Bench:
    """Each command, and all that comes of it, in order."""
    bench = Bench(decide, workers)
    for command in commands:
        run_on(bench, command)
    return bench


def run_on(bench: Bench, command: Message) -> None:
    bench.under_way.append(command)
    while bench.under_way:
        bench.deliver(bench.under_way.pop(0))
