from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.videos import ChunkSpan
from streams.index.split import plan_chunks


def test_a_short_source_is_one_chunk() -> None:
    assert plan_chunks(6_402) == (ChunkSpan(chunk=0, start_ms=0, end_ms=6_402),)


def test_chunks_overlap_by_a_second() -> None:
    assert plan_chunks(150_000) == (
        ChunkSpan(chunk=0, start_ms=0, end_ms=61_000),
        ChunkSpan(chunk=1, start_ms=60_000, end_ms=121_000),
        ChunkSpan(chunk=2, start_ms=120_000, end_ms=150_000),
    )


@pytest.mark.parametrize(("duration_ms", "chunks"), [(60_000, 1), (61_000, 1), (61_001, 2), (121_000, 2)])
def test_a_rest_inside_the_overlap_is_no_chunk_of_its_own(duration_ms: int, chunks: int) -> None:
    assert len(plan_chunks(duration_ms)) == chunks


@given(st.integers(1, 10**7), st.integers(1_000, 300_000), st.integers(0, 999))
def test_the_plan_covers_the_source_without_a_hole(duration_ms: int, chunk_ms: int, overlap_ms: int) -> None:
    plan = plan_chunks(duration_ms, chunk_ms, overlap_ms)
    assert plan[0].start_ms == 0
    assert plan[-1].end_ms == duration_ms
    assert [span.chunk for span in plan] == list(range(len(plan)))
    for before, after in pairwise(plan):
        assert after.start_ms == before.start_ms + chunk_ms
        assert before.end_ms == min(after.start_ms + overlap_ms, duration_ms)
        assert after.end_ms > before.end_ms
    assert all(span.start_ms < span.end_ms <= span.start_ms + chunk_ms + overlap_ms for span in plan)


@pytest.mark.parametrize("arguments", [(0,), (-5,), (1000, 500, 500), (1000, 500, -1)])
def test_a_plan_that_makes_no_sense_is_refused(arguments: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"a source without duration|the overlap"):
        plan_chunks(*arguments)
