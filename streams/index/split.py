"""Cuts a source into chunks: a pure plan."""

from schemas.videos import ChunkSpan


def plan_chunks(duration_ms: int, chunk_ms: int = 60_000, overlap_ms: int = 1_000) -> tuple[ChunkSpan, ...]:
    """Returns the chunks of a source, numbered from 0, together covering `[0, duration_ms)`.

    Args:
        duration_ms: length of the source.
        chunk_ms: a chunk begins every so often. 60 s: short enough to be tried again, long enough that opening the
            source and decoding from the keyframe before cost little.
        overlap_ms: each chunk but the last reaches so far into the next, so that a face around the border is seen at
            least twice in one of them; samples seen by both have equal times.

    Raises:
        ValueError: the duration is not positive, or the overlap does not fit into a chunk.
    """
    if duration_ms <= 0:
        raise ValueError("a source without duration has no chunks")
    if not 0 <= overlap_ms < chunk_ms:
        raise ValueError("the overlap must be shorter than a chunk")
    # A rest that the chunk before covers by its overlap would be a chunk of no use.
    last_start = max(0, duration_ms - overlap_ms - 1)
    return tuple(
        ChunkSpan(chunk=number, start_ms=start, end_ms=min(start + chunk_ms + overlap_ms, duration_ms))
        for number, start in enumerate(range(0, last_start + 1, chunk_ms))
    )
