import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.indexing import IndexChunk, RemoveSource, SplitSource, SweepSource
from schemas.records import Outcome
from schemas.videos import ReindexVideo, SweepVideo, VideoState
from streams.ledgers.generations import PAST_OBJECTS_KEPT, SWEEP_AFTER_MS
from streams.ledgers.videos import decide, expire
from tests.streams.ledgers.histories import Bench
from tests.streams.ledgers.index_workers import LIMIT_MS, NAMES, Workers, record_of, register, run_on, run_plain


def reindex(*, command: str = "r1", fps: float = 5.0) -> ReindexVideo:
    return ReindexVideo(
        **NAMES, command_id=command, at_ms=1_500, sampling_fps=fps, far_faces=False, deadline_ms=LIMIT_MS
    )


ENDS = [
    (Workers(), VideoState.INDEXED),
    (Workers(broken=frozenset({1})), VideoState.INDEXED),
    (Workers(broken=frozenset({0, 1, 2})), VideoState.FAILED),
    (Workers(unreadable=True), VideoState.FAILED),
    (Workers(damage=((100, 200), (59_000, 60_000))), VideoState.INDEXED),
]


@pytest.mark.parametrize(("workers", "state"), ENDS, ids=str)
@given(data=st.data())
def test_any_order_repeat_and_crash_gives_the_end_state_of_the_plain_run(
    workers: Workers, state: VideoState, data: st.DataObject
) -> None:
    bench = Bench(decide, workers)
    bench.run([register()], data)
    plain = record_of(run_plain(workers, register()))
    assert msgspec.structs.replace(record_of(bench), version=plain.version) == plain
    assert record_of(bench).state is state


@given(data=st.data())
def test_generations_never_mix(data: st.DataObject) -> None:
    bench = Bench(decide, Workers())
    for n, sha in enumerate(data.draw(st.lists(st.sampled_from("xyz"), min_size=1, max_size=4))):
        bench.run([register(sha, command=f"c{n}")], data)
    record = record_of(bench)
    assert record.state is VideoState.INDEXED
    assert record.active_generation == record.generation
    assert (record.faces, record.tracks, record.done) == (21, 6, (0, 1, 2))


def test_a_reindexed_source_keeps_its_old_generation_searchable_until_the_new_one_is_whole() -> None:
    bench = run_plain(Workers(), register("a"))
    bench.deliver(register("b", command="c2"))
    split, *_ = bench.under_way
    bench.under_way.clear()
    bench.deliver(split)
    assert (record_of(bench).active_generation, record_of(bench).generation) == (1, 2)
    assert not [work for work in bench.sent if isinstance(work, SplitSource) and work.generation == 2 and work.activate]
    while bench.under_way:
        bench.deliver(bench.under_way.pop(0))
    assert record_of(bench).active_generation == 2


def test_the_same_bytes_again_are_cached() -> None:
    bench = run_plain(Workers(), register("a"), register("a", command="c2"))
    assert record_of(bench).verdict_on("c2") is Outcome.CACHED
    assert record_of(bench).generation == 1


def test_the_same_bytes_are_looked_at_again_for_far_faces() -> None:
    far = msgspec.structs.replace(register("a", command="c2"), far_faces=True)
    bench = run_plain(Workers(), register("a"), far)
    assert (record_of(bench).generation, record_of(bench).far_faces) == (2, True)
    asked = [work for work in bench.sent if isinstance(work, IndexChunk)]
    assert {(work.generation, work.far_faces) for work in asked} == {(1, False), (2, True)}


def test_the_missing_parts_are_named_in_order_whatever_came_first() -> None:
    bench = run_plain(Workers(broken=frozenset({0, 2})), register())
    assert record_of(bench).error == "0-60 s: damaged; 120-180 s: damaged"
    assert record_of(bench).progress == 1.0


def test_silence_past_the_deadline_fails_the_source_and_every_fact_moves_the_deadline() -> None:
    bench = Bench(decide, Workers())
    bench.deliver(register())
    bench.deliver(bench.under_way.pop(0))
    record = record_of(bench)
    assert record.deadline_at_ms == 2_000 + LIMIT_MS
    assert expire(record, record.deadline_at_ms) is None
    command = expire(record, record.deadline_at_ms + 1)
    assert command is not None
    bench.deliver(command)
    assert record_of(bench).state is VideoState.FAILED
    assert expire(record_of(bench), record.deadline_at_ms + 2) is None


def test_damaged_ranges_are_collected_and_told() -> None:
    """Those of neighbouring chunks that touch are one."""
    record = record_of(run_plain(Workers(damage=((0, 1_200), (59_000, 60_000)), broken=frozenset({2})), register()))
    assert record.damaged_ms == ((0, 1_200), (59_000, 61_200), (119_000, 120_000))
    assert record.error == "120-180 s: damaged; pictures are damaged or missing: 0.0-1.2 s, 59.0-61.2 s, 119.0-120.0 s"
    assert record.state is VideoState.INDEXED


def test_a_reindex_is_another_generation_of_the_same_bytes() -> None:
    bench = run_plain(Workers(), register("a"), reindex())
    record = record_of(bench)
    assert record.verdict_on("r1") is Outcome.ACCEPTED
    assert (record.state, record.generation, record.active_generation) == (VideoState.INDEXED, 2, 2)
    assert (record.source, record.org_id, record.faces) == (register("a").source, 903, 21)
    [first, second] = [work for work in bench.sent if isinstance(work, SplitSource)]
    assert (first.source, second.activate) == (second.source, False)


def test_a_reindex_while_the_same_is_under_way_begins_nothing() -> None:
    bench = Bench(decide, Workers())
    bench.deliver(register("a"))
    bench.deliver(reindex())
    assert record_of(bench).verdict_on("r1") is Outcome.CACHED
    bench.deliver(reindex(command="r2", fps=10.0))
    assert record_of(bench).verdict_on("r2") is Outcome.ACCEPTED
    assert [work.generation for work in bench.sent if isinstance(work, SplitSource)] == [1, 2]


def test_a_failed_source_is_indexed_again() -> None:
    bench = run_plain(Workers(unreadable=True), register("a"))
    bench.answer = Workers()
    run_on(bench, reindex())
    assert record_of(bench).state is VideoState.INDEXED


def test_a_reindex_of_nothing_changes_nothing() -> None:
    assert decide(None, reindex()).record is None


def test_the_oldest_bytes_go_once_newer_ones_are_seen() -> None:
    """Those just replaced stay for a while: clips may yet be cut of them."""
    uploads = PAST_OBJECTS_KEPT + 3
    bench = run_plain(Workers(), *(register(str(n), command=f"c{n}") for n in range(uploads)))
    assert record_of(bench).past_objects == tuple(f"sources/{n}" for n in range(2, uploads - 1))
    forgotten = [work for work in bench.sent if isinstance(work, RemoveSource)]
    assert [(work.generation, work.object_keys) for work in forgotten] == [(0, ("sources/0",)), (0, ("sources/1",))]
    assert record_of(bench).removal is None


def test_replaced_rows_are_swept_once_no_search_reads_them_any_more() -> None:
    bench = run_plain(Workers(), register("a"))
    assert record_of(bench).sweep_at_ms is None
    run_on(bench, reindex())
    due_at_ms = 2_000 + SWEEP_AFTER_MS
    assert expire(record_of(bench), due_at_ms) is None
    sweep = expire(record_of(bench), due_at_ms + 1)
    assert isinstance(sweep, SweepVideo)
    for _ in range(2):
        run_on(bench, sweep)
    asked = [work for work in bench.sent if isinstance(work, SweepSource)]
    assert [work.generation for work in asked] == [2]
    assert expire(record_of(bench), due_at_ms + 2) is None


def test_nothing_is_swept_while_the_next_generation_is_made() -> None:
    bench = run_plain(Workers(), register("a"), reindex())
    sweep = expire(record_of(bench), 10 * SWEEP_AFTER_MS)
    assert sweep is not None
    bench.deliver(reindex(command="r2"))
    bench.deliver(sweep)
    assert not [work for work in bench.sent if isinstance(work, SweepSource)]
