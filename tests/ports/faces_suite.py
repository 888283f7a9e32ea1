"""What every store of faces must do: `streams.ports.FaceStore`, adapters and fakes alike.

A subclass gives a fixture `faces`: a store that may hold other tests' events; a test looks at an event of its own.
"""

import uuid

import numpy as np
import pytest

from streams.ports import FaceRow, FaceStore, Vector

LIMIT = 0.5
MODEL = "model-a"


def event_of_its_own() -> int:
    """An event that no other test uses."""
    return uuid.uuid4().int >> 75


def unlike(seed: int) -> Vector:
    """A vector about 1.6 away from every other one's."""
    return np.random.default_rng(seed).normal(0, 0.1, 128).astype(np.float32)


def near(vector: Vector, distance: float) -> Vector:
    """A vector at this Euclidean distance."""
    moved = vector.copy()
    moved[0] += np.float32(distance)
    return moved


def face(vector: Vector, *, track: int = 1, times: tuple[int, ...] = (200, 400, 600), time_ms: int = 400) -> FaceRow:
    """A face of a track that spans its sample times."""
    return FaceRow(
        track=track,
        track_start_ms=times[0],
        track_end_ms=times[-1],
        sample_times_ms=times,
        time_ms=time_ms,
        quality=0.9,
        vector=vector,
    )


class FacesSuite:
    """The rules."""

    @pytest.fixture
    def event(self) -> int:
        """This test's own."""
        return event_of_its_own()

    async def test_event_without_faces_has_no_nearest_distance(self, faces: FaceStore, event: int) -> None:
        """Nobody was ever seen there."""
        (found,) = await faces.find(event, MODEL, [unlike(1)], [LIMIT])
        assert (found.sightings, found.sources, found.truncated, found.nearest_distance) == ((), (), False, None)

    async def test_no_selfie_no_answer(self, faces: FaceStore, event: int) -> None:
        assert await faces.find(event, MODEL, [], []) == []

    async def test_sighting_is_the_whole_track_with_its_source(self, faces: FaceStore, event: int) -> None:
        """Span and times are the track's, the distance that of its nearest face."""
        me = unlike(1)
        rows = [face(near(me, 0.3)), face(near(me, 0.2), time_ms=600), face(unlike(2), time_ms=200)]
        await _chunk(faces, event, rows, chunk=7)
        await _activate(faces, event)
        (found,) = await faces.find(event, MODEL, [me], [LIMIT])
        (sighting,) = found.sightings
        assert sighting.source_video_key == "cam-1"
        assert (sighting.start_ms, sighting.end_ms, sighting.sample_times_ms) == (200, 600, (200, 400, 600))
        assert sighting.distance == pytest.approx(0.2, abs=1e-5)
        assert found.nearest_distance == sighting.distance
        (source,) = found.sources
        assert (source.source_video_key, source.generation) == ("cam-1", 1)
        assert (source.object_key, source.duration_ms) == ("sources/cam-1", 90_000)

    async def test_limit_is_inclusive_and_exact(self, faces: FaceStore, event: int) -> None:
        """A track is found at its distance, and not under it."""
        me = unlike(1)
        await _chunk(faces, event, [face(near(me, 0.4))])
        await _activate(faces, event)
        (at,), (under,) = await faces.find(event, MODEL, [me], [0.4001]), await faces.find(event, MODEL, [me], [0.3999])
        assert len(at.sightings) == 1
        assert not under.sightings

    async def test_nearest_distance_is_told_without_a_match(self, faces: FaceStore, event: int) -> None:
        """How near it was helps whoever chose the limit."""
        me = unlike(1)
        await _chunk(faces, event, [face(near(me, 0.7)), face(near(me, 0.9), track=2)])
        await _activate(faces, event)
        (found,) = await faces.find(event, MODEL, [me], [LIMIT])
        assert not found.sightings
        assert not found.sources
        assert found.nearest_distance == pytest.approx(0.7, abs=1e-5)

    async def test_each_selfie_gets_its_own_answer(self, faces: FaceStore, event: int) -> None:
        """One scan for several, each under its own limit, in the order asked."""
        one, two = unlike(1), unlike(2)
        rows = [face(near(one, 0.3), track=1), face(near(two, 0.3), track=2), face(near(two, 0.45), track=3)]
        await _chunk(faces, event, rows)
        await _activate(faces, event)
        strangers, strict, loose = await faces.find(event, MODEL, [unlike(3), two, two], [LIMIT, 0.4, LIMIT])
        assert [s.track for s in strict.sightings] == ["0/2"]
        assert [s.track for s in loose.sightings] == ["0/2", "0/3"]
        assert not strangers.sightings
        assert strangers.nearest_distance is not None
        assert strangers.nearest_distance > LIMIT

    async def test_best_comes_first(self, faces: FaceStore, event: int) -> None:
        me = unlike(1)
        distances = [0.4, 0.1, 0.3]
        await _chunk(faces, event, [face(near(me, d), track=number) for number, d in enumerate(distances)])
        await _activate(faces, event)
        (found,) = await faces.find(event, MODEL, [me], [LIMIT])
        assert [s.distance for s in found.sightings] == pytest.approx(sorted(distances), abs=1e-5)

    async def test_repeat_of_a_chunk_changes_nothing(self, faces: FaceStore, event: int) -> None:
        """Work is done at least once; an answer is the same after the second time."""
        me = unlike(1)
        rows = [face(near(me, 0.2)), face(near(me, 0.3), track=2, times=(800, 1000))]
        await _chunk(faces, event, rows)
        await _activate(faces, event)
        once = await faces.find(event, MODEL, [me], [LIMIT])
        await _chunk(faces, event, rows)
        assert await faces.find(event, MODEL, [me], [LIMIT]) == once

    async def test_only_the_active_generation_is_seen(self, faces: FaceStore, event: int) -> None:
        """Neither what is not active yet, nor what was before; matched or not."""
        me = unlike(1)
        await _chunk(faces, event, [face(near(me, 0.4))], generation=1)
        await _chunk(faces, event, [face(near(me, 0.6), track=2)], generation=2)
        assert (await faces.find(event, MODEL, [me], [LIMIT]))[0].nearest_distance is None
        await _activate(faces, event, generation=1)
        assert (await faces.find(event, MODEL, [me], [LIMIT]))[0].nearest_distance == pytest.approx(0.4, abs=1e-5)
        await _activate(faces, event, generation=2)
        (found,) = await faces.find(event, MODEL, [me], [LIMIT])
        assert not found.sightings
        assert found.nearest_distance == pytest.approx(0.6, abs=1e-5)

    async def test_older_generation_never_becomes_active_again(self, faces: FaceStore, event: int) -> None:
        """A worker that wakes up late changes nothing."""
        me = unlike(1)
        await _chunk(faces, event, [face(me)], generation=2)
        await _activate(faces, event, generation=2)
        await _activate(faces, event, generation=1)
        (found,) = await faces.find(event, MODEL, [me], [LIMIT])
        assert [source.generation for source in found.sources] == [2]

    async def test_chunks_added_to_the_active_generation_are_seen(self, faces: FaceStore, event: int) -> None:
        """A first registration becomes searchable chunk by chunk."""
        me = unlike(1)
        await _activate(faces, event)
        await _chunk(faces, event, [face(me)], chunk=0)
        await _chunk(faces, event, [face(me)], chunk=1)
        (found,) = await faces.find(event, MODEL, [me], [LIMIT])
        assert sorted(s.track for s in found.sightings) == ["0/1", "1/1"]

    async def test_events_and_sources_are_told_apart(self, faces: FaceStore, event: int) -> None:
        """Another event's faces are never found; each source of this one has its own sightings."""
        me, other = unlike(1), event_of_its_own()
        for place in (event, other):
            await _chunk(faces, place, [face(me)])
            await _activate(faces, place)
        await _chunk(faces, event, [face(near(me, 0.1))], source="cam-2")
        await _activate(faces, event, source="cam-2")
        (found,) = await faces.find(event, MODEL, [me], [LIMIT])
        assert [s.source_video_key for s in found.sightings] == ["cam-1", "cam-2"]
        assert [s.source_video_key for s in found.sources] == ["cam-1", "cam-2"]

    async def test_chunk_without_faces_is_stored_as_nothing(self, faces: FaceStore, event: int) -> None:
        await _chunk(faces, event, [])
        await _activate(faces, event)
        assert (await faces.find(event, MODEL, [unlike(1)], [LIMIT]))[0].nearest_distance is None

    async def test_a_model_sees_its_own_generations(self, faces: FaceStore, event: int) -> None:
        """Vectors of two models are never compared: each has an active generation, and neither hides the other's."""
        me = unlike(1)
        await _chunk(faces, event, [face(near(me, 0.1))], generation=1)
        await _activate(faces, event, generation=1)
        await _chunk(faces, event, [face(near(me, 0.2))], generation=2)
        await _activate(faces, event, generation=2, model="model-b")
        (old,), (new,) = (
            await faces.find(event, MODEL, [me], [LIMIT]),
            await faces.find(event, "model-b", [me], [LIMIT]),
        )
        assert [s.distance for s in (*old.sightings, *new.sightings)] == pytest.approx([0.1, 0.2], abs=1e-5)
        assert [s.generation for s in (*old.sources, *new.sources)] == [1, 2]
        assert (old.other_models, new.other_models) == (0, 0)

    async def test_sources_of_other_models_are_counted(self, faces: FaceStore, event: int) -> None:
        """So that an empty answer can say why it is empty."""
        me = unlike(1)
        for source, model in (("cam-1", MODEL), ("cam-1", "model-b"), ("cam-2", "model-b"), ("cam-3", "model-c")):
            await _activate(faces, event, source=source, model=model)
        for model, others in ((MODEL, 2), ("model-b", 1), ("model-c", 2), ("model-d", 3)):
            (found,) = await faces.find(event, model, [me], [LIMIT])
            assert (found.sightings, found.nearest_distance, found.other_models) == ((), None, others)

    async def test_removed_source_is_gone_whatever_its_model(self, faces: FaceStore, event: int) -> None:
        """Those of others stay, as does what of it comes later in a newer generation."""
        me = unlike(1)
        for source in ("cam-1", "cam-2"):
            for generation, model in ((1, "model-b"), (2, MODEL)):
                await _chunk(faces, event, [face(me)], source=source, generation=generation)
                await _activate(faces, event, source=source, generation=generation, model=model)
        await faces.remove_source(event_id=event, source_video_key="cam-1", generation=2)
        for model in (MODEL, "model-b"):
            (found,) = await faces.find(event, model, [me], [LIMIT])
            assert [s.source_video_key for s in found.sightings] == ["cam-2"]
            assert found.other_models == 0
        await _chunk(faces, event, [face(me)], generation=3)
        await _activate(faces, event, generation=3)
        (found,) = await faces.find(event, MODEL, [me], [LIMIT])
        assert {s.source_video_key: s.generation for s in found.sources} == {"cam-1": 3, "cam-2": 2}

    async def test_removed_generations_never_come_back(self, faces: FaceStore, event: int) -> None:
        """Neither by a late chunk, nor by a late activation, nor by an older removal that comes again."""
        me = unlike(1)
        await _chunk(faces, event, [face(me)], generation=2)
        await _activate(faces, event, generation=1)
        await faces.remove_source(event_id=event, source_video_key="cam-1", generation=2)
        await faces.remove_source(event_id=event, source_video_key="cam-1", generation=1)
        for generation in (1, 2):
            await _chunk(faces, event, [face(me)], generation=generation)
            await _activate(faces, event, generation=generation)
            (found,) = await faces.find(event, MODEL, [me], [LIMIT])
            assert (found.sightings, found.nearest_distance, found.other_models) == ((), None, 0)

    async def test_sweep_takes_nothing_that_a_search_sees(self, faces: FaceStore, event: int) -> None:
        """Not of another source, nor of another model, nor of a generation that is not there yet."""
        me = unlike(1)
        for source in ("cam-1", "cam-2"):
            for generation, model in ((1, "model-b"), (2, MODEL), (3, MODEL)):
                await _chunk(faces, event, [face(me)], source=source, generation=generation)
                await _activate(faces, event, source=source, generation=generation, model=model)
        await _chunk(faces, event, [face(me)], generation=4)
        await faces.sweep_source(event_id=event, source_video_key="cam-1", generation=3)
        for model, seen in ((MODEL, 3), ("model-b", 1)):
            (found,) = await faces.find(event, model, [me], [LIMIT])
            assert {s.source_video_key: s.generation for s in found.sources} == {"cam-1": seen, "cam-2": seen}
            assert len(found.sightings) == 2
        await _activate(faces, event, generation=4)
        (found,) = await faces.find(event, MODEL, [me], [LIMIT])
        assert {s.source_video_key: s.generation for s in found.sources} == {"cam-1": 4, "cam-2": 3}

    async def test_removed_event_is_gone_for_good(self, faces: FaceStore, event: int) -> None:
        """With all that comes later; the others stay."""
        me, other = unlike(1), event_of_its_own()
        for place in (event, other):
            await _chunk(faces, place, [face(me)])
            await _activate(faces, place)
        await faces.remove_event(event)
        for _ in range(2):
            (gone,), (stays,) = [await faces.find(place, MODEL, [me], [LIMIT]) for place in (event, other)]
            assert (gone.sightings, gone.nearest_distance) == ((), None)
            assert len(stays.sightings) == 1
            await _chunk(faces, event, [face(me)], source="cam-2", generation=7)
            await _activate(faces, event, source="cam-2", generation=7)


async def _chunk(
    faces: FaceStore,
    event: int,
    rows: list[FaceRow],
    *,
    source: str = "cam-1",
    generation: int = 1,
    chunk: int = 0,
) -> None:
    await faces.put_chunk(event_id=event, source_video_key=source, generation=generation, chunk=chunk, faces=rows)


async def _activate(
    faces: FaceStore, event: int, *, source: str = "cam-1", model: str = MODEL, generation: int = 1
) -> None:
    await faces.activate(
        event_id=event,
        source_video_key=source,
        model=model,
        generation=generation,
        object_key=f"sources/{source}",
        duration_ms=90_000,
    )
