from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Message
from schemas.records import Outcome
from schemas.videos import (
    ActivateGeneration,
    ChunkFailed,
    ChunkIndexed,
    ChunkSpan,
    GenerationActivated,
    IndexChunk,
    RegisterVideo,
    SourceFailed,
    SourceObject,
    SourceSplit,
    SplitSource,
    VideoRecord,
    VideoState,
)
from streams.ledgers.videos import decide, expire
from tests.streams.ledgers.histories import Bench

NAMES = {"event_id": 456, "source_video_key": "12"}
LIMIT_MS = 30_000


def register(sha: str = "a", *, command: str = "c1") -> RegisterVideo:
    source = SourceObject(object_key=f"sources/{sha}", sha256=sha, size_bytes=5, content_type="video/mp4")
    return RegisterVideo(
        **NAMES, command_id=command, at_ms=1_000, org_id=903, source=source, sampling_fps=5.0, deadline_ms=LIMIT_MS
    )


@dataclass(frozen=True)
class Workers:
    """What index workers would report of a source of `chunks` minutes."""

    chunks: int = 3
    broken: frozenset[int] = frozenset()
    unreadable: bool = False

    def __call__(self, work: Message) -> list[Message]:
        about = {**NAMES, "at_ms": 2_000}
        match work:
            case SplitSource() if self.unreadable:
                return [SourceFailed(**about, generation=work.generation, error="not a video")]
            case SplitSource():
                spans = tuple(
                    ChunkSpan(chunk=n, start_ms=60_000 * n, end_ms=60_000 * (n + 1)) for n in range(self.chunks)
                )
                duration_ms = 60_000 * self.chunks
                return [SourceSplit(**about, generation=work.generation, duration_ms=duration_ms, chunks=spans)]
            case IndexChunk() if work.span.chunk in self.broken:
                return [ChunkFailed(**about, generation=work.generation, chunk=work.span.chunk, error="damaged")]
            case IndexChunk():
                found = {"samples": 300, "faces": 7, "tracks": 2}
                return [ChunkIndexed(**about, generation=work.generation, chunk=work.span.chunk, **found)]
            case ActivateGeneration():
                return [GenerationActivated(**about, generation=work.generation)]
        return []


def record_of(bench: Bench) -> VideoRecord:
    assert isinstance(bench.record, VideoRecord)
    return bench.record


def run_plain(workers: Workers, *commands: RegisterVideo) -> Bench:
    bench = Bench(decide, workers)
    for command in commands:
        bench.under_way.append(command)
        while bench.under_way:
            bench.deliver(bench.under_way.pop(0))
    return bench


ENDS = [
    (Workers(), VideoState.INDEXED),
    (Workers(broken=frozenset({1})), VideoState.INDEXED),
    (Workers(broken=frozenset({0, 1, 2})), VideoState.FAILED),
    (Workers(unreadable=True), VideoState.FAILED),
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
