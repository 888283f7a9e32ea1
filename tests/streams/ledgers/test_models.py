"""A generation is made with one set of models, whatever workers there are."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.indexing import ActivateGeneration, IndexChunk, SplitSource
from schemas.videos import ChunkSpan, OtherModels, SourceSplit, VideoRecord, VideoState
from streams.ledgers.generations import MAX_RESTARTS
from streams.ledgers.videos import decide
from tests.streams.ledgers.histories import Bench
from tests.streams.ledgers.index_workers import MODEL, NAMES, Workers, record_of, register, run_on, run_plain

NEW = "models-2"


def other_models(generation: int, model: str = NEW) -> OtherModels:
    return OtherModels(**NAMES, generation=generation, at_ms=2_000, model=model)


def split_with(generation: int, model: str) -> SourceSplit:
    spans = (ChunkSpan(chunk=0, start_ms=0, end_ms=60_000),)
    return SourceSplit(**NAMES, generation=generation, at_ms=2_000, duration_ms=60_000, chunks=spans, model=model)


def made_with(workers: Workers, record: VideoRecord) -> set[str | None]:
    """The models of the rows that searches see."""
    return {model for generation, model in workers.worked if generation == record.active_generation}


@given(data=st.data())
def test_any_mixture_of_workers_ends_in_a_generation_of_one_model(data: st.DataObject) -> None:
    """In any order of facts, with repeats and crashes; begun anew once for each other model at most."""
    workers = Workers(fleet=lambda: data.draw(st.sampled_from(["a", "b", "c"]), label="worker"))
    bench = Bench(decide, workers)
    bench.run([register()], data)
    record = record_of(bench)
    assert record.state is VideoState.INDEXED
    assert record.active_generation == record.generation
    assert made_with(workers, record) == {record.model}
    assert record.restarts == len(record.superseded) <= 2
    assert record.done == (0, 1, 2)
    assert record.faces == 21


@given(data=st.data())
def test_workers_that_stay_mixed_end_in_one_model_or_in_a_sentence(data: st.DataObject) -> None:
    """Whoever waits in vain to be replaced does its part; nobody's rows are mixed, and nothing goes on for ever."""
    workers = Workers(
        fleet=lambda: data.draw(st.sampled_from(["a", "b"]), label="worker"),
        stays=lambda: data.draw(st.booleans(), label="stays"),
    )
    bench = Bench(decide, workers)
    bench.run([register()], data)
    record = record_of(bench)
    assert record.restarts <= MAX_RESTARTS
    assert record.model not in record.superseded
    if record.state is VideoState.INDEXED:
        assert made_with(workers, record) == {record.model}
    else:
        assert (record.state, "different face models" in (record.error or "")) == (VideoState.FAILED, True)


@given(data=st.data())
def test_workers_of_before_versions_are_never_mixed_with_others_and_it_ends(data: st.DataObject) -> None:
    workers = Workers(fleet=lambda: data.draw(st.sampled_from([None, "a"]), label="worker"))
    bench = Bench(decide, workers)
    bench.run([register()], data)
    record = record_of(bench)
    assert record.restarts <= MAX_RESTARTS
    if record.state is VideoState.INDEXED:
        assert made_with(workers, record) == {record.model}
    else:
        assert "different face models" in (record.error or "")


def test_a_fleet_of_before_versions_goes_on_as_it_did() -> None:
    record = record_of(run_plain(Workers(fleet=lambda: None), register()))
    assert (record.state, record.model, record.restarts) == (VideoState.INDEXED, None, 0)


@pytest.fixture
def begun() -> Bench:
    """A source whose first generation is being indexed, and seen meanwhile; nobody works on it."""
    bench = Bench(decide, Workers())
    bench.deliver(register())
    bench.deliver(bench.under_way.pop(0))
    assert record_of(bench).active_generation == 1
    bench.under_way.clear()
    bench.answer = lambda _work: []
    return bench


def test_all_work_names_its_models_and_the_end_of_waiting(begun: Bench) -> None:
    chunks = [work for work in begun.sent if isinstance(work, IndexChunk)]
    assert {(work.model, work.superseded, work.give_up_at_ms) for work in chunks} == {(MODEL, (), 17_000)}
    [split] = [work for work in begun.sent if isinstance(work, SplitSource)]
    assert (split.model, split.superseded, split.give_up_at_ms) == (None, (), 16_000)


@pytest.mark.parametrize(
    ("deadline_s", "waits_s"), [(3_600, [15, 15, 30, 60, 120, 240, 480, 960, 1_800]), (60, [15, 15, 30, 30])]
)
def test_each_wait_is_twice_as_long_and_half_the_deadline_at_most(deadline_s: int, waits_s: list[int]) -> None:
    bench = Bench(decide, Workers())
    bench.answer = lambda _work: []
    bench.deliver(msgspec.structs.replace(register(), deadline_ms=deadline_s * 1_000))
    for generation in range(1, len(waits_s)):
        bench.deliver(other_models(generation, f"models-{generation}"))
    begun_at_ms = [1_000] + [2_000] * (len(waits_s) - 1)
    ends = [work.give_up_at_ms for work in bench.sent if isinstance(work, SplitSource)]
    assert [end - begun for end, begun in zip(ends, begun_at_ms, strict=True)] == [1_000 * wait for wait in waits_s]


def test_models_that_come_back_are_superseded_no_longer(begun: Bench) -> None:
    """Whether a chunk was refused for them, or the source is split with them."""
    begun.deliver(other_models(1))
    assert record_of(begun).superseded == (MODEL,)
    begun.deliver(split_with(2, NEW))
    begun.deliver(other_models(2, MODEL))
    assert record_of(begun).superseded == (NEW,)
    begun.deliver(split_with(3, NEW))
    record = record_of(begun)
    assert (record.superseded, record.model) == ((), NEW)
    chunks = [work for work in begun.sent if isinstance(work, IndexChunk) and work.generation == 3]
    assert {(work.model, work.superseded) for work in chunks} == {(NEW, ())}


def test_a_worker_with_other_models_makes_the_next_generation(begun: Bench) -> None:
    """What was seen of the first one ends, and the next one is seen at once."""
    begun.deliver(other_models(1))
    record = record_of(begun)
    assert (record.state, record.generation, record.active_generation) == (VideoState.QUEUED, 2, None)
    assert (record.model, record.superseded, record.done, record.error) == (None, (MODEL,), (), None)
    split = begun.sent[-1]
    assert isinstance(split, SplitSource)
    assert (split.generation, split.activate, split.superseded) == (2, True, (MODEL,))
    begun.deliver(other_models(1))
    assert record_of(begun) == record, "the fact of the generation before, again"


def test_searches_keep_the_whole_generation_of_before_until_the_new_one_is_whole() -> None:
    """Also where the activation meets other models."""
    bench = run_plain(Workers(), register("a"))
    bench.deliver(register("b", command="c2"))
    while not any(isinstance(work, ActivateGeneration) for work in bench.sent):
        bench.deliver(bench.under_way.pop(0))
    bench.under_way.clear()
    bench.answer = Workers(fleet=lambda: NEW)
    run_on(bench, other_models(2))
    record = record_of(bench)
    seen = [work.activate for work in bench.sent if isinstance(work, SplitSource) and work.generation == 3]
    assert seen == [False]
    assert (record.active_generation, record.model) == (3, NEW)


def test_a_registration_begins_without_superseded_models(begun: Bench) -> None:
    """The change may have been undone."""
    begun.deliver(other_models(1))
    begun.answer = Workers()
    run_on(begun, register("b", command="c2"))
    record = record_of(begun)
    assert (record.superseded, record.restarts, record.model) == ((), 0, MODEL)


def test_workers_that_never_agree_fail_the_source(begun: Bench) -> None:
    for turn in range(MAX_RESTARTS + 1):
        begun.deliver(other_models(1 + turn, f"models-{turn + 2}"))
    record = record_of(begun)
    assert (record.state, record.restarts) == (VideoState.FAILED, MAX_RESTARTS)
    assert "give all of them the same" in (record.error or "")
