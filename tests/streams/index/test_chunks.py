"""index: the faces of one chunk into the store."""

import random
from pathlib import Path

import pytest

from infra.demo_media import find_media, move_moov
from infra.embedded.ports import free_port
from schemas.videos import ChunkFailed, ChunkIndexed, OtherModels
from streams.index.chunks import ChunkIndexer, ChunkPoint, chunk_failed, face_rows
from streams.index.tracks import ChunkFaces, Face, TrackFaces
from streams.media.errors import SourceUnreachable
from streams.outcomes import Unavailable
from streams.vision.box import Box
from streams.vision.models.model_set import ModelSet
from streams.vision.selfie_outcome import Selfie
from tests.face_video import Placed, compose, cutout, write_video
from tests.ports.faces_suite import MODEL, unlike
from tests.streams.work import (
    CHUNK,
    EVENT,
    GENERATION,
    NOW_MS,
    SOURCE_KEY,
    SOURCE_OBJECT,
    World,
    index_chunk,
    new_world,
)

# `face_noface.mov` shows the man from 0 to 2.4 s.
SEEN_UNTIL_MS = 1_000


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = new_world(tmp_path)
    world.objects.private[SOURCE_OBJECT] = find_media("face_noface.mov").read_bytes()
    return world


@pytest.fixture
def indexer(world: World, model_set: ModelSet) -> ChunkIndexer:
    tools = world.tools
    return ChunkIndexer(
        objects=tools.objects,
        children=tools.children,
        faces=world.faces,
        models=model_set,
        clock=tools.clock,
        failpoint=tools.failpoint,
    )


async def test_the_faces_of_a_chunk_are_stored_and_counted(
    world: World, indexer: ChunkIndexer, model_set: ModelSet, man: Selfie
) -> None:
    [fact] = await indexer(index_chunk(0, SEEN_UNTIL_MS, model=indexer.models.version))
    assert fact == ChunkIndexed(
        event_id=EVENT,
        source_video_key=SOURCE_KEY,
        generation=GENERATION,
        at_ms=NOW_MS,
        chunk=CHUNK,
        samples=5,
        faces=5,
        tracks=1,
        skipped_frames=0,
        model=model_set.version,
        damaged_ms=(),
    )
    assert world.points == list(ChunkPoint)
    await world.faces.activate(
        event_id=EVENT,
        source_video_key=SOURCE_KEY,
        model=MODEL,
        generation=GENERATION,
        object_key=SOURCE_OBJECT,
        duration_ms=9_000,
    )
    [found] = await world.faces.find(EVENT, MODEL, [man.vector], [0.5])
    [sighting] = found.sightings
    assert (sighting.start_ms, sighting.end_ms, sighting.sample_times_ms) == (0, 800, (0, 200, 400, 600, 800))
    assert sighting.track.startswith(f"{CHUNK}/")


async def test_damage_of_a_chunk_is_reported_with_what_could_be_read(world: World, indexer: ChunkIndexer) -> None:
    """The film's last third is missing; its header, and with it its length of 6.4 s, is there."""
    film = world.folder / "film.mp4"
    move_moov(find_media("face_noface.mov"), film, moov_first=True)
    data = film.read_bytes()
    world.objects.private[SOURCE_OBJECT] = data[: len(data) * 2 // 3]
    [fact] = await indexer(index_chunk(0, 6_400, model=indexer.models.version))
    assert isinstance(fact, ChunkIndexed)
    assert (fact.faces, fact.tracks) == (12, 1)
    [(first, last)] = fact.damaged_ms
    assert 3_500 < first < 5_500
    assert last == 6_400
    assert fact.samples == pytest.approx(first / 200, abs=2)


async def test_far_faces_are_looked_for_where_the_work_says(world: World, indexer: ChunkIndexer) -> None:
    """The man's face is 42 px wide in a picture of 5376 px, that is 10 px in one of 1280."""
    far = world.folder / "far.mp4"
    write_video(far, [compose((5376, 3024), [Placed(cutout("man"), 900, 500, 42)])] * 10)
    world.objects.private[SOURCE_OBJECT] = far.read_bytes()
    found = []
    for far_faces in (False, True):
        [fact] = await indexer(index_chunk(0, 2_000, far_faces=far_faces, model=indexer.models.version))
        assert isinstance(fact, ChunkIndexed)
        found.append(fact.faces)
    assert found[0] < 5
    assert found[1] == 10


async def test_a_chunk_without_faces_is_indexed_too(world: World, indexer: ChunkIndexer) -> None:
    """The ledger counts chunks, not faces."""
    [fact] = await indexer(index_chunk(4_000, 4_400, model=indexer.models.version))
    assert isinstance(fact, ChunkIndexed)
    assert (fact.samples, fact.faces, fact.tracks) == (2, 0, 0)
    assert world.faces.put == [(EVENT, SOURCE_KEY, GENERATION, CHUNK)]


async def test_a_source_that_cannot_be_read_costs_this_chunk(world: World, indexer: ChunkIndexer) -> None:
    world.objects.private[SOURCE_OBJECT] = b"no video at all"
    [fact] = await indexer(index_chunk(0, SEEN_UNTIL_MS, model=indexer.models.version))
    assert isinstance(fact, ChunkFailed)
    assert (fact.chunk, fact.generation) == (CHUNK, GENERATION)
    assert "not a video file" in fact.error
    assert world.faces.put == []


async def test_a_source_out_of_reach_is_tried_later(world: World, indexer: ChunkIndexer) -> None:
    world.objects.unreachable = f"http://127.0.0.1:{free_port(random.SystemRandom())}/source"
    with pytest.raises(SourceUnreachable):
        await indexer(index_chunk(0, SEEN_UNTIL_MS, model=indexer.models.version))
    world.objects.down = True
    with pytest.raises(Unavailable):
        await indexer(index_chunk(0, SEEN_UNTIL_MS, model=indexer.models.version))


async def test_nothing_is_reported_that_is_not_stored(world: World, indexer: ChunkIndexer) -> None:
    world.faces.down = True
    with pytest.raises(Unavailable):
        await indexer(index_chunk(0, 400, model=indexer.models.version))
    assert world.points == [ChunkPoint.ADDRESSED, ChunkPoint.SEEN]


async def test_a_worker_with_other_models_stores_nothing_and_says_so(world: World, indexer: ChunkIndexer) -> None:
    [fact] = await indexer(index_chunk(0, SEEN_UNTIL_MS, model="others"))
    assert fact == OtherModels(
        event_id=EVENT,
        source_video_key=SOURCE_KEY,
        generation=GENERATION,
        at_ms=NOW_MS,
        model=indexer.models.version,
    )
    assert (world.faces.put, world.children.jobs, world.points) == ([], [], [])


def test_a_track_becomes_a_row_for_each_of_its_faces() -> None:
    """Each row has the span and times of the whole track."""
    faces = [Face(time_ms, Box(1, 2, 3, 4), 0.9 - time_ms / 10_000, unlike(time_ms)) for time_ms in (400, 200)]
    track = TrackFaces(track=7, first_ms=0, last_ms=600, sample_times=(0, 200, 400, 600), faces=tuple(faces))
    rows = face_rows(ChunkFaces((track,), samples=4, faces_seen=4, skipped_frames=0, damaged_ms=()))
    assert [(row.time_ms, row.quality) for row in rows] == [(400, 0.86), (200, 0.88)]
    assert all((row.track, row.track_start_ms, row.track_end_ms) == (7, 0, 600) for row in rows)
    assert all(row.sample_times_ms == (0, 200, 400, 600) for row in rows)
    assert all((row.vector == face.vector).all() for row, face in zip(rows, faces, strict=True))


def test_the_failure_fact_is_of_the_chunk() -> None:
    assert chunk_failed(index_chunk(0, 1), "why", 5) == ChunkFailed(
        event_id=EVENT, source_video_key=SOURCE_KEY, generation=GENERATION, at_ms=5, chunk=CHUNK, error="why"
    )
