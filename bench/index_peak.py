"""The peak memory of a real index worker with its children over one file.

The worker is `spotclip worker index` over real engines. Its work is put on its topics by hand: the split of the whole
file, then some spans spread over it. No ledger runs, so that a long file need not be indexed from end to end.
"""

import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from bench.footprint import Peaks, Watch
from infra.adapters.kafka import KafkaCommands
from infra.adapters.kafka_reader import KafkaLogReader
from infra.adapters.media import S3Media
from infra.embedded.guarded import GuardedProcess
from infra.provision import provision
from infra.settings import Settings
from schemas.base import Message
from schemas.codec import decode
from schemas.indexing import IndexChunk, SplitSource
from schemas.topics import VIDEO_FACTS
from schemas.videos import ChunkFailed, ChunkIndexed, ChunkSpan, SourceFailed, SourceObject, SourceSplit

ROOT = Path(__file__).resolve().parents[1]
SAMPLING_FPS = 5.0
_PIECE_BYTES = 4 * 1024 * 1024
_WITHIN_S = 300.0
_GRACE_S = 10.0
_TYPE = "video/mp4"
# Between two copies: decoding begins before the first picture is shown, and sound before that.
_GAP_MS = 200


@dataclass(frozen=True, kw_only=True)
class IndexPeak:
    """What one run over one file came to."""

    duration_ms: int
    spans: int
    samples: int
    faces: int
    seconds: float
    peaks: Peaks


def join_copies(source: Path, target: Path, *, length_ms: int) -> int:
    """Write copies of an MP4 end to end, without coding anything anew, until `length_ms` is reached.

    The header stands behind the pictures, as cameras write it. Returns the length in milliseconds.
    """
    with av.open(str(source)) as inside:
        copy_ms = round((inside.duration or 0) / 1000) + _GAP_MS
    copies = -(-length_ms // copy_ms)
    with av.open(str(target), "w", format="mp4") as out:
        with av.open(str(source)) as inside:
            streams = {s.index: out.add_stream_from_template(s) for s in (*inside.streams.video, *inside.streams.audio)}
        for copy in range(copies):
            with av.open(str(source)) as inside:
                for packet in inside.demux():
                    if packet.dts is None or packet.pts is None or packet.stream.index not in streams:
                        continue
                    shift = int(Fraction(copy * copy_ms, 1000) / packet.time_base)
                    packet.dts += shift
                    packet.pts += shift
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)
    return copies * copy_ms


def spread_spans(chunks: Sequence[ChunkSpan], *, count: int, span_ms: int | None) -> list[ChunkSpan]:
    """`count` spans of equal length, spread over the chunks that are not cut short by the end of the file.

    Of whole chunks, or of their first `span_ms`. A short file gives the same span more than once.
    """
    full_ms = max(chunk.end_ms - chunk.start_ms for chunk in chunks)
    full = [chunk for chunk in chunks if chunk.end_ms - chunk.start_ms == full_ms]
    spans = []
    for number in range(count):
        chunk = full[round(number * (len(full) - 1) / max(1, count - 1))]
        end_ms = chunk.end_ms if span_ms is None else min(chunk.end_ms, chunk.start_ms + span_ms)
        spans.append(ChunkSpan(chunk=number, start_ms=chunk.start_ms, end_ms=end_ms))
    return spans


async def index_peak(
    environment: Mapping[str, str], folder: Path, video: Path, *, spans: int, span_ms: int | None = None
) -> IndexPeak:
    """Run a fresh index worker over a file.

    Args:
        environment: `SPOTCLIP_*`, see `infra.local.environment_of`; of a namespace that nobody else uses.
        folder: For the worker's ready file and log.
        video: What is uploaded and indexed.
        spans: How many pieces of it are indexed, spread over its length; two at once.
        span_ms: Length of each; None for whole chunks.

    Raises:
        AssertionError: The worker ended, or a piece could not be indexed.
    """
    settings = Settings.from_environment(environment)
    provision(settings)
    ready, log = folder / f"{video.stem}.ready", folder / f"{video.stem}.log"
    worker = _start(environment, folder, ready, log)
    try:
        _wait(lambda: worker.pid() is not None, worker, log)
        with Watch({"worker": worker.pid() or 0}) as watch:
            _wait(ready.exists, worker, log)
            began = time.monotonic()
            source = await _upload(settings, video)
            duration_ms, indexed = await _index(settings, source, spans, span_ms)
            seconds = time.monotonic() - began
        assert worker.exit_code() is None, f"the worker ended by itself; see {log}"
    finally:
        worker.end()
    return IndexPeak(
        duration_ms=duration_ms,
        spans=len(indexed),
        samples=sum(each.samples for each in indexed),
        faces=sum(each.faces for each in indexed),
        seconds=seconds,
        peaks=watch.peaks,
    )


def _start(environment: Mapping[str, str], folder: Path, ready: Path, log: Path) -> GuardedProcess:
    return GuardedProcess(
        [sys.executable, "-m", "infra.cli", "worker", "index", "--ready-file", str(ready)],
        log=log,
        pid_file=folder / "index-worker.pid",
        grace_s=_GRACE_S,
        env=environment,
        cwd=ROOT,
    )


def _wait(ready: Callable[[], bool], worker: GuardedProcess, log: Path) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while not ready():
        assert worker.exit_code() is None, f"the worker ended by itself; see {log}"
        assert time.monotonic() < deadline, f"the worker does not become ready; see {log}"
        time.sleep(0.05)


async def _upload(settings: Settings, video: Path) -> SourceObject:
    media = S3Media(settings.s3)
    key = f"sources/bench/{video.name}"
    try:
        stored = await media.put_private_stream(key, _pieces(video), content_type=_TYPE)
    finally:
        await media.close()
    return SourceObject(object_key=key, sha256=stored.sha256, size_bytes=stored.size_bytes, content_type=_TYPE)


async def _pieces(video: Path) -> AsyncIterator[bytes]:
    with video.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


async def _index(
    settings: Settings, source: SourceObject, count: int, span_ms: int | None
) -> tuple[int, list[ChunkIndexed]]:
    split_work = SplitSource(
        event_id=1, source_video_key=Path(source.object_key).stem, generation=1, source=source, activate=True
    )
    reader = KafkaLogReader(settings.kafka)
    try:
        # One source, one partition of facts; whatever came before is not of this run.
        reader.assign(reader.end_offsets(reader.partitions([VIDEO_FACTS])))
        async with KafkaCommands(settings.kafka) as commands:
            await commands.publish(split_work)
            split = _facts(reader, 1)[0]
            assert isinstance(split, SourceSplit), split
            for span in spread_spans(split.chunks, count=count, span_ms=span_ms):
                work = IndexChunk(
                    event_id=split_work.event_id,
                    source_video_key=split_work.source_video_key,
                    generation=split_work.generation,
                    source=source,
                    span=span,
                    model=split.model,
                    sampling_fps=SAMPLING_FPS,
                )
                await commands.publish(work)
        indexed = _facts(reader, count)
    finally:
        reader.close()
    assert all(isinstance(each, ChunkIndexed) for each in indexed), indexed
    return split.duration_ms, [each for each in indexed if isinstance(each, ChunkIndexed)]


def _facts(reader: KafkaLogReader, count: int) -> list[Message]:
    found: list[Message] = []
    deadline = time.monotonic() + _WITHIN_S
    while len(found) < count:
        assert time.monotonic() < deadline, f"the worker reported {len(found)} of {count} facts"
        found += [decode(VIDEO_FACTS, record.value) for record in reader.poll(0.2).records]
        assert not any(isinstance(each, SourceFailed | ChunkFailed) for each in found), found
    return found
