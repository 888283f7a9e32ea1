"""split and activate: a source as a whole."""

import random
from pathlib import Path

import pytest

from infra.embedded.ports import free_port
from schemas.videos import ActivateGeneration, GenerationActivated, SourceFailed, SourceSplit
from streams.index.sources import SourceKeeper, SourcePoint, source_failed
from streams.index.split import plan_chunks
from streams.media.errors import SourceUnreachable
from streams.outcomes import Unavailable
from streams.vision.models.model_set import ModelSet
from tests.numbered_video import Recipe, build, regular_times
from tests.streams.work import (
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
async def test_a_source_is_cut_into_chunks(world: World, keeper: SourceKeeper) -> None:
    [fact] = await keeper(split_source())
    assert fact == SourceSplit(
        event_id=EVENT,
        source_video_key=SOURCE_KEY,
        generation=GENERATION,
        at_ms=NOW_MS,
        duration_ms=LENGTH_MS,
        chunks=plan_chunks(LENGTH_MS),
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
        event_id=EVENT, source_video_key=SOURCE_KEY, generation=GENERATION, source=SOURCE, duration_ms=7_000
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


def test_the_failure_fact_is_of_the_generation() -> None:
    assert source_failed(split_source(), "why", 5) == SourceFailed(
        event_id=EVENT, source_video_key=SOURCE_KEY, generation=GENERATION, at_ms=5, error="why"
    )
