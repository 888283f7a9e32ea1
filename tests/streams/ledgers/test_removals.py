"""What is deleted is gone, however late workers are with it."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Message
from schemas.indexing import RemoveSource
from schemas.records import Outcome
from schemas.videos import ChunkIndexed, DeleteVideo, SourceRemoved, VideoState
from streams.ledgers.videos import decide
from tests.streams.ledgers.histories import Bench
from tests.streams.ledgers.index_workers import NAMES, Workers, record_of, register, run_on, run_plain
from tests.streams.ledgers.test_videos import reindex


def delete(command: str = "d1") -> DeleteVideo:
    return DeleteVideo(**NAMES, command_id=command, at_ms=3_000)


@dataclass
class LateBench(Bench):
    """With a store at its worst: rows come as late as their report, a removal as early as it was asked for.

    Attributes:
        rows: Generations that have rows.
    """

    rows: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        report = self.answer

        def answer(work: Message) -> list[Message]:
            if isinstance(work, RemoveSource):
                self.rows = {generation for generation in self.rows if generation > work.generation}
            return report(work)

        self.answer = answer

    def deliver(self, message: Message, *, crash_before_put: bool = False) -> None:
        if isinstance(message, ChunkIndexed) and message not in self.seen:
            self.rows.add(message.generation)
        super().deliver(message, crash_before_put=crash_before_put)


def begun(data: st.DataObject) -> LateBench:
    """A source whose chunks are under way, perhaps of two generations, and perhaps some of them done."""
    bench = LateBench(decide, Workers())
    bench.deliver(register("a"))
    bench.deliver(bench.under_way.pop(0))
    if data.draw(st.booleans(), label="reindexed"):
        bench.deliver(reindex(fps=10.0))
        bench.deliver(bench.under_way.pop())
    for _ in range(data.draw(st.integers(0, 2), label="done")):
        bench.deliver(bench.under_way.pop(0))
    return bench


@given(data=st.data())
def test_a_deletion_leaves_no_row_of_it_in_any_order(data: st.DataObject) -> None:
    bench = begun(data)
    bench.deliver(delete())
    bench.run([], data)
    record = record_of(bench)
    assert record.state is VideoState.DELETED
    assert record.removal is not None
    assert not record.removal.under_way
    assert bench.rows == set()


@given(data=st.data())
def test_a_source_that_comes_again_keeps_its_rows_and_none_of_before(data: st.DataObject) -> None:
    bench = begun(data)
    deleted = record_of(bench).generation
    for command in (delete(), register("a", command="c2")):
        bench.deliver(command)
    bench.run([], data)
    record = record_of(bench)
    assert record.verdict_on("c2") is Outcome.ACCEPTED
    assert (record.state, record.generation, record.active_generation) == (VideoState.INDEXED, deleted + 1, deleted + 1)
    assert bench.rows == {deleted + 1}


def test_a_deleted_source_says_nothing_any_more() -> None:
    bench = run_plain(Workers(damage=((0, 10),)), register("a"), register("b", command="c2"), delete())
    record = record_of(bench)
    assert record.verdict_on("d1") is Outcome.ACCEPTED
    assert (record.state, record.chunks, record.faces, record.error) == (VideoState.DELETED, (), 0, None)
    assert (record.active_generation, record.damaged_ms, record.past_objects) == (None, (), ())
    assert record.source.object_key == record.source.sha256 == ""
    [removed] = [work for work in bench.sent if isinstance(work, RemoveSource)]
    assert (removed.generation, removed.object_keys) == (2, ("sources/a", "sources/b"))


def test_a_deleted_source_is_not_known_to_later_commands_but_may_be_registered() -> None:
    bench = run_plain(Workers(), register("a"), delete(), delete("d2"), reindex())
    assert record_of(bench).verdict_on("d2") is record_of(bench).verdict_on("r1") is Outcome.UNKNOWN
    run_on(bench, register("a", command="c2"))
    assert record_of(bench).state is VideoState.INDEXED
    assert decide(None, delete()).record is None


def test_late_facts_are_followed_by_one_more_removal_at_a_time() -> None:
    bench = run_plain(Workers(), register("a"))
    bench.deliver(delete())
    [removed] = bench.under_way
    bench.under_way.clear()
    late = [
        ChunkIndexed(**NAMES, generation=1, at_ms=4_000, chunk=chunk, samples=1, faces=1, tracks=1)
        for chunk in range(3)
    ]
    for fact in late:
        bench.deliver(fact)
    assert len([work for work in bench.sent if isinstance(work, RemoveSource)]) == 1
    bench.deliver(removed)
    again = [work for work in bench.sent if isinstance(work, RemoveSource)][1:]
    assert [(work.generation, work.object_keys) for work in again] == [(1, ())]
    run_on(bench, SourceRemoved(**NAMES, generation=1, at_ms=5_000))
    record = record_of(bench)
    run_on(bench, SourceRemoved(**NAMES, generation=1, at_ms=6_000))
    assert record_of(bench) == record, "a repeat"
    assert len([work for work in bench.sent if isinstance(work, RemoveSource)]) == 2
