"""How much of an event's footage a search can see."""

from collections.abc import Iterable
from statistics import fmean

from schemas.videos import VideoRecord, VideoState


def coverage_of(videos: Iterable[VideoRecord]) -> float | None:
    """Share of the footage that searches see, 0 to 1; None for an event without videos.

    Sources weigh by their length. One that is not opened yet has none; it counts as long as the others are on average.
    """
    records = [record for record in videos if record.state is not VideoState.DELETED]
    if not records:
        return None
    known_ms = [record.duration_ms for record in records if record.duration_ms]
    usual_ms = fmean(known_ms) if known_ms else 1.0
    weights = [record.duration_ms or usual_ms for record in records]
    seen = [weight * _searchable(record) for weight, record in zip(weights, records, strict=True)]
    return round(sum(seen) / sum(weights), 4)


def _searchable(record: VideoRecord) -> float:
    """Share of one source: a whole older generation while a newer one is made, else the chunks that are done."""
    if record.active_generation is None:
        return 0.0
    if record.active_generation != record.generation:
        return 1.0
    if not record.chunks:
        return 1.0 if record.state is VideoState.INDEXED else 0.0
    return len(record.done) / len(record.chunks)
