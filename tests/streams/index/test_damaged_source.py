"""A damaged source through the real stages and the ledger: indexed as far as it can be read, and it says so."""

import asyncio
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from schemas.base import Message
from schemas.indexing import IndexChunk, SplitSource
from schemas.videos import RegisterVideo, VideoRecord, VideoState
from streams.index.chunks import ChunkIndexer
from streams.index.sources import SourceKeeper
from streams.ledgers.videos import decide
from streams.vision.models.model_set import ModelSet
from streams.vision.selfie_outcome import Selfie
from tests.damaged_video import all_foreign, lose_bytes, remuxed, spoil_packets
from tests.face_video import Placed, compose, cutout, write_video
from tests.streams.ledgers.histories import Bench
from tests.streams.work import EVENT, SOURCE, SOURCE_KEY, SOURCE_OBJECT, World, new_world

SIZE = (320, 180)
STEP_MS = 1_000
LENGTH_MS = 69_040  # of 70 pictures; the last one stands for 40 ms. Two chunks: 0 to 61 s, and from 60 s on


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The man for 70 s, a picture a second, a keyframe every 10 s; the header stands in front."""
    folder = tmp_path_factory.mktemp("intact")
    pictures = [compose(SIZE, [Placed(cutout("man"), 120 + n, 100, 90)]) for n in range(2)] * 35
    plain = write_video(folder / "plain.mkv", pictures, times_ms=[Fraction(STEP_MS * n) for n in range(70)])
    return remuxed(plain, folder / "intact.mp4", moov_first=True)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return new_world(tmp_path)


@pytest.fixture
def index(world: World, model_set: ModelSet) -> Callable[[Path], VideoRecord]:
    """Registers a file and delivers everything until nothing is under way."""
    keeper = SourceKeeper(
        objects=world.objects,
        children=world.children,
        faces=world.faces,
        models=model_set,
        clock=world.tools.clock,
        failpoint=world.tools.failpoint,
    )
    chunks = ChunkIndexer(
        objects=world.objects,
        children=world.children,
        faces=world.faces,
        models=model_set,
        clock=world.tools.clock,
        failpoint=world.tools.failpoint,
    )

    def answer(work: Message) -> list[Message]:
        if isinstance(work, IndexChunk):
            return list(asyncio.run(chunks(work)))
        assert isinstance(work, SplitSource)
        return list(asyncio.run(keeper(work)))

    def run(path: Path) -> VideoRecord:
        world.objects.private[SOURCE_OBJECT] = path.read_bytes()
        bench = Bench(decide, answer)
        bench.under_way.append(
            RegisterVideo(
                command_id="c",
                at_ms=1,
                event_id=EVENT,
                source_video_key=SOURCE_KEY,
                org_id=1,
                source=SOURCE,
                sampling_fps=1.0,
                deadline_ms=60_000,
            )
        )
        while bench.under_way:
            bench.deliver(bench.under_way.pop(0))
        assert isinstance(bench.record, VideoRecord)
        return bench.record

    return run


def sample_times(world: World, model_set: ModelSet, man: Selfie) -> list[int]:
    """When the man is found in what is searchable."""
    [found] = asyncio.run(world.faces.find(EVENT, model_set.version, [man.vector], [0.5]))
    return sorted({time for sighting in found.sightings for time in sighting.sample_times_ms})


def test_an_intact_source_has_nothing_to_say(
    intact: Path, index: Callable[[Path], VideoRecord], world: World, model_set: ModelSet, man: Selfie
) -> None:
    record = index(intact)
    assert (record.state, record.duration_ms, record.error, record.damaged_ms) == (
        VideoState.INDEXED,
        LENGTH_MS,
        None,
        (),
    )
    assert sample_times(world, model_set, man) == list(range(0, LENGTH_MS, STEP_MS))


def test_a_file_cut_off_at_about_half_names_what_is_missing(
    intact: Path,
    tmp_path: Path,
    index: Callable[[Path], VideoRecord],
    world: World,
    model_set: ModelSet,
    man: Selfie,
) -> None:
    """Its header still says 69 s; the second chunk lies behind its end."""
    record = index(lose_bytes(intact, tmp_path / "cut.mp4", 0.55, 1))
    assert (record.state, record.progress, record.duration_ms) == (VideoState.INDEXED, 1.0, LENGTH_MS)
    [(first, last)] = record.damaged_ms
    assert 30_000 < first < 45_000
    assert last == LENGTH_MS
    assert record.error == f"pictures are damaged or missing: {first / 1000:.1f}-69.0 s"
    # All that is whole is found; the picture that the cut goes through is damaged, and may show him still.
    seen = sample_times(world, model_set, man)
    assert [time for time in seen if time < first] == list(range(0, first, STEP_MS))
    assert all(time <= first for time in seen)


def test_damage_in_both_chunks_is_told_once_each_in_order(
    intact: Path,
    tmp_path: Path,
    index: Callable[[Path], VideoRecord],
    world: World,
    model_set: ModelSet,
    man: Selfie,
) -> None:
    """A range lasts to the next keyframe, or to the end where there is none."""
    path = tmp_path / "damaged.mp4"
    for at_ms in (12_000, 60_000):
        hit = spoil_packets(path if path.exists() else intact, path, at_ms, at_ms, all_foreign)
        assert hit == [at_ms]
    record = index(path)
    assert record.state is VideoState.INDEXED
    assert record.damaged_ms == ((12_000, 20_000), (60_000, LENGTH_MS))
    assert record.error == "pictures are damaged or missing: 12.0-20.0 s, 60.0-69.0 s"
    seen = set(sample_times(world, model_set, man))
    assert seen >= set(range(0, 60_000, STEP_MS)) - {12_000}
