"""render: one clip cut, proved and stored."""

import hashlib
import random
from pathlib import Path

import av
import pytest

from infra.embedded.ports import free_port
from schemas.ids import clip_path
from schemas.searches import ClipFailed, ClipReady
from streams.media.errors import SourceUnreachable
from streams.outcomes import Unavailable
from streams.ports import StoredClip
from streams.render.clips import ClipPoint, ClipRenderer, clip_failed
from tests.numbered_video import Recipe, build, regular_times
from tests.streams.work import (
    ATTEMPT,
    CLIP_ID,
    EVENT,
    NOW_MS,
    REQUEST,
    SOURCE_KEY,
    SOURCE_OBJECT,
    World,
    new_world,
    render_clip,
)

OBJECT_KEY = clip_path(EVENT, REQUEST, CLIP_ID)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Its source has three seconds."""
    world = new_world(tmp_path)
    path = build(tmp_path / "source.mp4", Recipe(times_ms=regular_times(3)))
    world.objects.private[SOURCE_OBJECT] = path.read_bytes()
    return world


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    path = tmp_path / "scratch"
    path.mkdir()
    return path


@pytest.fixture
def renderer(world: World, scratch: Path) -> ClipRenderer:
    tools = world.tools
    return ClipRenderer(
        objects=tools.objects,
        children=tools.children,
        scratch=scratch,
        clock=tools.clock,
        failpoint=tools.failpoint,
    )


def left_in(scratch: Path) -> list[Path]:
    return list(scratch.iterdir())


def length_ms(data: bytes, folder: Path) -> float:
    path = folder / "stored.mp4"
    path.write_bytes(data)
    with av.open(str(path)) as container:
        return (container.duration or 0) / 1000


async def test_a_clip_is_cut_and_stored_and_told_as_it_plays(
    world: World, renderer: ClipRenderer, scratch: Path, tmp_path: Path
) -> None:
    [fact] = await renderer(render_clip(500, 2_000))
    assert isinstance(fact, ClipReady)
    data, kept = world.objects.clips[OBJECT_KEY]
    assert (fact.event_id, fact.request_id, fact.attempt, fact.at_ms) == (EVENT, REQUEST, ATTEMPT, NOW_MS)
    assert (fact.clip_id, fact.source_video_key, fact.object_key) == (CLIP_ID, SOURCE_KEY, OBJECT_KEY)
    assert (fact.size_bytes, fact.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (fact.start_ms, fact.end_ms, fact.method) == (kept.start_ms, kept.end_ms, kept.method)
    assert (fact.start_ms, fact.end_ms) == (480, 2_000)  # from the picture that is shown at 500
    assert length_ms(data, tmp_path) == pytest.approx(1_520, abs=50)
    assert world.points == list(ClipPoint)
    assert left_in(scratch) == []


async def test_a_clip_that_is_already_there_is_reported_and_not_cut_again(world: World, renderer: ClipRenderer) -> None:
    """A repeat after a kill behind the upload, also when the source is gone by now."""
    there = StoredClip(size_bytes=4, start_ms=480, end_ms=2_040, sha256="ab" * 32, method="encode")
    world.objects.clips[OBJECT_KEY] = (b"clip", there)
    world.objects.private.clear()
    [fact] = await renderer(render_clip(500, 2_000))
    assert isinstance(fact, ClipReady)
    assert (fact.start_ms, fact.end_ms, fact.size_bytes) == (480, 2_040, 4)
    assert (fact.sha256, fact.method) == ("ab" * 32, "encode")
    assert world.children.jobs == []
    assert world.points == [ClipPoint.LOOKED]


async def test_a_repeat_reports_the_same(world: World, renderer: ClipRenderer) -> None:
    first = await renderer(render_clip(500, 2_000))
    assert await renderer(render_clip(500, 2_000)) == first
    assert world.children.jobs == ["cut_clip"]


async def test_a_kill_before_the_upload_gives_the_same_bytes_again(world: World, renderer: ClipRenderer) -> None:
    first = await renderer(render_clip(500, 2_000))
    world.objects.clips.clear()
    assert await renderer(render_clip(500, 2_000)) == first


@pytest.mark.parametrize(
    ("source", "start_ms", "sentence"),
    [
        (None, 500, "is not there"),
        (b"no video at all", 500, "not a video file"),
        ("as it is", 60_000, "The clip could not be cut"),
    ],
    ids=["gone", "no video", "behind the end"],
)
async def test_a_clip_that_cannot_be_cut_is_told_with_its_sentence(
    world: World, renderer: ClipRenderer, scratch: Path, source: bytes | str | None, start_ms: int, sentence: str
) -> None:
    """A result, not a dead letter; nothing is stored and nothing stays behind."""
    if source is None:
        world.objects.private.clear()
    elif isinstance(source, bytes):
        world.objects.private[SOURCE_OBJECT] = source
    [fact] = await renderer(render_clip(start_ms, start_ms + 1_000))
    assert isinstance(fact, ClipFailed)
    assert sentence in fact.error
    assert (fact.clip_id, fact.source_video_key, fact.attempt) == (CLIP_ID, SOURCE_KEY, ATTEMPT)
    assert world.objects.clips == {}
    assert left_in(scratch) == []


async def test_a_source_out_of_reach_is_tried_later_and_leaves_nothing(
    world: World, renderer: ClipRenderer, scratch: Path
) -> None:
    world.objects.unreachable = f"http://127.0.0.1:{free_port(random.SystemRandom())}/source"
    with pytest.raises(SourceUnreachable):
        await renderer(render_clip(500, 2_000))
    assert world.objects.checks == 1
    assert left_in(scratch) == []


async def test_an_upload_to_a_store_that_went_down_leaves_nothing_in_scratch(world: World, scratch: Path) -> None:
    """The work waits and is done again."""

    def go_down(point: str) -> None:
        world.objects.down = point == ClipPoint.CUT

    tools = world.tools
    renderer = ClipRenderer(
        objects=tools.objects, children=tools.children, scratch=scratch, clock=tools.clock, failpoint=go_down
    )
    with pytest.raises(Unavailable):
        await renderer(render_clip(500, 2_000))
    assert left_in(scratch) == []


def test_the_failure_fact_is_of_the_clip() -> None:
    assert clip_failed(render_clip(0, 1), "why", 5) == ClipFailed(
        event_id=EVENT,
        request_id=REQUEST,
        attempt=ATTEMPT,
        at_ms=5,
        clip_id=CLIP_ID,
        source_video_key=SOURCE_KEY,
        error="why",
    )
