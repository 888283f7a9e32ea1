"""A generation is made with one set of models, whatever workers there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.indexing import ActivateGeneration, IndexChunk, SplitSource
from schemas.videos import OtherModels, VideoRecord, VideoState
from streams.ledgers.generations import MAX_RESTARTS
from streams.ledgers.videos import decide
from tests.streams.ledgers.histories import Bench
from tests.streams.ledgers.index_workers import MODEL, NAMES, Workers, record_of, register, run_on, run_plain

NEW = "models-2"


def other_models(generation: int, model: str = NEW) -> OtherModels:
    return OtherModels(**NAMES, generation=generation, at_ms=2_000, model=model)


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
    assert {(work.model, work.superseded, work.give_up_at_ms) for work in chunks} == {(MODEL, (), 32_000)}
    [split] = [work for work in begun.sent if isinstance(work, SplitSource)]
    assert (split.model, split.superseded, split.give_up_at_ms) == (None, (), 31_000)


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
