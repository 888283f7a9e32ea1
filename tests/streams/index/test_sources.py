"""split and activate: a source as a whole."""

import random
from pathlib import Path
from typing import Any

import pytest

from infra.embedded.ports import free_port
from schemas.indexing import ActivateGeneration, RemoveEvent, RemoveSource, SweepSource
from schemas.videos import GenerationActivated, OtherModels, SourceFailed, SourceRemoved, SourceSplit
from streams.index.sources import RemovalPoint, SourceKeeper, SourcePoint, source_failed
from streams.index.split import plan_chunks
from streams.media.errors import SourceUnreachable
from streams.outcomes import Unavailable
from streams.vision.models.model_set import ModelSet
from tests.numbered_video import Recipe, build, regular_times
from tests.ports.faces_suite import face, unlike
from tests.streams.work import (
    ABOUT_SOURCE,
    EVENT,
    GENERATION,
    NOW_MS,
    SOURCE,
    SOURCE_KEY,
    SOURCE_OBJECT,
    World,
    new_world,
    split_source,
)

LENGTH_MS = 2_000
ABOUT: dict[str, Any] = dict(ABOUT_SOURCE)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return new_world(tmp_path)


@pytest.fixture
def keeper(world: World, model_set: ModelSet) -> SourceKeeper:
    tools = world.tools
    return SourceKeeper(
        objects=tools.objects,
        children=tools.children,
        faces=world.faces,
        models=model_set,
        clock=tools.clock,
        failpoint=tools.failpoint,
    )


@pytest.fixture
def stored(world: World, tmp_path: Path) -> None:
    """A video of two seconds."""
    path = build(tmp_path / "source.mp4", Recipe(times_ms=regular_times(LENGTH_MS / 1000)))
    world.objects.private[SOURCE_OBJECT] = path.read_bytes()


@pytest.mark.usefixtures("stored")
async def test_a_source_is_cut_into_chunks(world: World, keeper: SourceKeeper, model_set: ModelSet) -> None:
    [fact] = await keeper(split_source())
    assert fact == SourceSplit(
        event_id=EVENT,
        source_video_key=SOURCE_KEY,
        generation=GENERATION,
        at_ms=NOW_MS,
        duration_ms=LENGTH_MS,
        chunks=plan_chunks(LENGTH_MS),
        model=model_set.version,
    )
    assert world.points == list(SourcePoint)


@pytest.mark.usefixtures("stored")
async def test_the_first_generation_is_searchable_before_it_is_indexed(
    world: World, keeper: SourceKeeper, model_set: ModelSet
) -> None:
    await keeper(split_source(activate=True))
    active = world.faces.active[EVENT, SOURCE_KEY, model_set.version]
    assert (active.generation, active.object_key, active.duration_ms) == (GENERATION, SOURCE_OBJECT, LENGTH_MS)


@pytest.mark.usefixtures("stored")
async def test_a_later_generation_stays_hidden_until_it_is_whole(world: World, keeper: SourceKeeper) -> None:
    [fact] = await keeper(split_source(activate=False))
    assert isinstance(fact, SourceSplit)
    assert world.faces.active == {}
    assert world.points == [SourcePoint.ADDRESSED, SourcePoint.PROBED]


async def test_a_whole_generation_is_shown_and_that_is_told(
    world: World, keeper: SourceKeeper, model_set: ModelSet
) -> None:
    """Nothing of the source is read for it."""
    work = ActivateGeneration(
        event_id=EVENT,
        source_video_key=SOURCE_KEY,
        generation=GENERATION,
        source=SOURCE,
        duration_ms=7_000,
        model=model_set.version,
    )
    [fact] = await keeper(work)
    assert fact == GenerationActivated(event_id=EVENT, source_video_key=SOURCE_KEY, generation=GENERATION, at_ms=NOW_MS)
    active = world.faces.active[EVENT, SOURCE_KEY, model_set.version]
    assert (active.generation, active.object_key, active.duration_ms) == (GENERATION, SOURCE_OBJECT, 7_000)
    assert world.children.jobs == []
    assert world.points == [SourcePoint.ACTIVATED]


@pytest.mark.parametrize(
    ("data", "sentence"), [(b"no video at all", "not a video file"), (None, "is not there")], ids=["no video", "gone"]
)
async def test_a_source_that_cannot_be_read_fails_with_a_sentence(
    world: World, keeper: SourceKeeper, data: bytes | None, sentence: str
) -> None:
    """It is not shown to searches either."""
    if data is not None:
        world.objects.private[SOURCE_OBJECT] = data
    [fact] = await keeper(split_source())
    assert isinstance(fact, SourceFailed)
    assert sentence in fact.error
    assert world.faces.active == {}


async def test_a_source_out_of_reach_is_tried_later(world: World, keeper: SourceKeeper) -> None:
    world.objects.unreachable = f"http://127.0.0.1:{free_port(random.SystemRandom())}/source"
    with pytest.raises(SourceUnreachable):
        await keeper(split_source())
    assert world.objects.checks == 1


@pytest.mark.usefixtures("stored")
async def test_a_store_of_faces_that_is_down_makes_the_work_wait(world: World, keeper: SourceKeeper) -> None:
    world.faces.down = True
    with pytest.raises(Unavailable):
        await keeper(split_source())


async def test_a_generation_of_other_models_is_not_shown(world: World, keeper: SourceKeeper) -> None:
    work = ActivateGeneration(**ABOUT, source=SOURCE, duration_ms=7_000, model="others")
    [fact] = await keeper(work)
    assert fact == OtherModels(**ABOUT, at_ms=NOW_MS, model=keeper.models.version)
    assert world.faces.active == {}


async def test_a_removal_takes_the_faces_and_then_the_bytes(world: World, keeper: SourceKeeper) -> None:
    """A repeat finds nothing left and says the same; what was removed never comes back."""
    await world.faces.put_chunk(**ABOUT, chunk=0, faces=[face(unlike(1))])
    world.objects.private |= {SOURCE_OBJECT: b"now", "sources/456/cam-1/before": b"before", "sources/456/cam-2/u": b"x"}
    work = RemoveSource(**ABOUT, object_keys=("sources/456/cam-1/before", SOURCE_OBJECT))
    for _ in range(2):
        assert await keeper(work) == [SourceRemoved(**ABOUT, at_ms=NOW_MS)]
        assert (world.faces.rows, list(world.objects.private)) == ({}, ["sources/456/cam-2/u"])
    assert world.points[:3] == [RemovalPoint.FACES_REMOVED, *[RemovalPoint.OBJECT_DELETED] * 2]
    await world.faces.activate(**ABOUT, model="m", object_key=SOURCE_OBJECT, duration_ms=1)
    [found] = await world.faces.find(EVENT, "m", [unlike(1)], [0.5])
    assert found.nearest_distance is None


async def test_bytes_of_before_are_removed_without_the_faces(world: World, keeper: SourceKeeper) -> None:
    await world.faces.put_chunk(**ABOUT, chunk=0, faces=[face(unlike(1))])
    world.objects.private["old"] = b"old"
    [fact] = await keeper(RemoveSource(event_id=EVENT, source_video_key=SOURCE_KEY, generation=0, object_keys=("old",)))
    assert isinstance(fact, SourceRemoved)
    assert (world.objects.private, len(world.faces.rows)) == ({}, 1)


async def test_a_removal_waits_for_the_store_and_is_given_up_by_nobody(world: World, keeper: SourceKeeper) -> None:
    world.objects.private["old"] = b"old"
    world.faces.down = True
    work = RemoveSource(**ABOUT, object_keys=("old",))
    with pytest.raises(Unavailable):
        await keeper(work)
    assert world.objects.private == {"old": b"old"}
    assert source_failed(work, "why", 5) is None
    assert source_failed(RemoveEvent(event_id=EVENT), "why", 5) is None


async def test_replaced_faces_are_swept_and_no_ledger_hears_of_it(world: World, keeper: SourceKeeper) -> None:
    for generation in (GENERATION - 1, GENERATION):
        await world.faces.put_chunk(**ABOUT | {"generation": generation}, chunk=0, faces=[face(unlike(1))])
    assert await keeper(SweepSource(**ABOUT)) == []
    assert [place.generation for place in world.faces.rows] == [GENERATION]


async def test_an_events_faces_are_removed_and_no_ledger_hears_of_it(world: World, keeper: SourceKeeper) -> None:
    for key in ("cam-1", "cam-2"):
        await world.faces.put_chunk(
            event_id=EVENT, source_video_key=key, generation=1, chunk=0, faces=[face(unlike(1))]
        )
    assert await keeper(RemoveEvent(event_id=EVENT)) == []
    assert (world.faces.rows, world.points) == ({}, [RemovalPoint.FACES_REMOVED])


def test_the_failure_fact_is_of_the_generation() -> None:
    assert source_failed(split_source(), "why", 5) == SourceFailed(
        event_id=EVENT, source_video_key=SOURCE_KEY, generation=GENERATION, at_ms=5, error="why"
    )
