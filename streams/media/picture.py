"""Encodes the pictures of a window as H.264: upright, 8-bit 4:2:0, square pixels, shown at the times they had."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av.codec.context import Flags
from av.container import OutputContainer
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streams.media.facts import Timeline
from streams.media.window import AnyPacket, Source

TICKS_PER_S = 90_000
TIME_BASE = Fraction(1, TICKS_PER_S)
# 9 to 14 cpu-s for 10 s of 1080p (measured on 2 cores). Slower presets are for films: encoded once and seen often.
PRESET = "veryfast"
# Fixed, since the number of threads changes x264's bytes, and a clip's bytes must be the same on every machine.
ENCODER_THREADS = 2
DECODER_THREADS = 2
# Without it x264's bytes differ between processors, and differed between runs on one (AVX-512; 6 runs, 6 results). It
# cost no time that could be measured.
X264_PARAMS = "cpu-independent=1"
UNSPECIFIED_COLOUR = frozenset({0, 2})  # ITU-T H.273: 2 is unspecified; 0 is reserved, or RGB for a matrix
# By how many quarters counter-clockwise a stored picture is turned to be upright: FFmpeg's transpose filters for it.
TURNS: dict[int, tuple[str, ...]] = {0: (), 1: ("cclock",), 2: ("cclock", "cclock"), 3: ("clock",)}


@dataclass(frozen=True, kw_only=True)
class PictureTarget:
    """What the pictures become.

    Attributes:
        start_ms: The clip's time 0 on the source's timeline.
        end_ms: Where it ends, not included.
        quality: x264's constant rate factor, lower is better.
        max_long_side_px: Larger pictures are scaled down to this.
    """

    start_ms: int
    end_ms: int
    quality: int
    max_long_side_px: int


@dataclass
class _Waiting:
    """A decoded picture whose end is not known before the next one comes."""

    frame: VideoFrame
    tick: int


class PictureEncoder:
    """Takes packets of the source's picture, gives packets of the clip's.

    The picture on screen at the start is shown from time 0 on. ``shown_until_ms`` is where the last one so far ends, on
    the source's timeline, None before the first; ``longest_ms`` is the longest time that one stands.
    """

    def __init__(self, source: Source, output: OutputContainer, target: PictureTarget) -> None:
        self._video = source.video
        self._timeline: Timeline = source.timeline
        self._output = output
        self._target = target
        self._waiting: _Waiting | None = None
        self._stages: tuple[Graph, VideoStream] | None = None
        self.shown_until_ms: int | None = None
        self.longest_ms = 0
        source.video.thread_type = "AUTO"
        source.video.codec_context.thread_count = DECODER_THREADS

    def encode(self, packet: AnyPacket) -> Iterator[AnyPacket]:
        """Takes one packet; a damaged one is left out and the picture before it stands longer."""
        try:
            frames = self._video.decode(packet)
        except av.error.InvalidDataError:
            return
        for frame in frames:
            yield from self._take(frame)

    def finish(self) -> Iterator[AnyPacket]:
        """Gives what is left."""
        for frame in self._video.decode(None):
            yield from self._take(frame)
        if self._waiting is not None:
            yield from self._show(self._waiting, self._waiting.tick + (self._waiting.frame.duration or 0))
            self._waiting = None
        if self._stages is not None:
            graph, stream = self._stages
            graph.push(None)
            yield from self._drain(graph, stream)
            yield from stream.encode(None)

    def _take(self, frame: VideoFrame) -> Iterator[AnyPacket]:
        if frame.pts is None or (self._waiting is not None and frame.pts <= self._waiting.tick):
            return
        tick = frame.pts
        if self._waiting is not None:
            yield from self._show(self._waiting, tick)
        self._waiting = _Waiting(frame, tick) if self._timeline.to_ms(tick) < self._target.end_ms else None

    def _show(self, picture: _Waiting, until_tick: int) -> Iterator[AnyPacket]:
        target, timeline = self._target, self._timeline
        until_ms = min(timeline.to_ms(until_tick), target.end_ms)
        if until_ms <= target.start_ms:
            return
        first = self.shown_until_ms is None
        at = Fraction(0) if first else self._clip_ticks(picture.tick)
        until = min(self._clip_ticks(until_tick), Fraction((target.end_ms - target.start_ms) * TICKS_PER_S, 1000))
        self.shown_until_ms = until_ms
        self.longest_ms = max(self.longest_ms, round((until - at) * 1000 / TICKS_PER_S))
        frame = picture.frame
        if self._stages is None:
            self._stages = self._open(frame)
        graph, stream = self._stages
        frame.time_base = TIME_BASE
        frame.pts, frame.duration = round(at), round(until) - round(at)
        graph.push(frame)
        yield from self._drain(graph, stream)

    def _clip_ticks(self, tick: int) -> Fraction:
        seconds = (tick - self._timeline.origin) * self._timeline.time_base - Fraction(self._target.start_ms, 1000)
        return seconds * TICKS_PER_S

    @staticmethod
    def _drain(graph: Graph, stream: VideoStream) -> Iterator[AnyPacket]:
        while True:
            try:
                frame = graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            frame.pict_type = 0  # the source's picture types are not the encoder's business
            yield from stream.encode(frame)

    def _open(self, frame: VideoFrame) -> tuple[Graph, VideoStream]:
        """The filters and the encoder, made for the first picture shown."""
        turn = round(frame.rotation / 90) % 4
        width, height = _clip_size(self._video, frame, turned=turn % 2 == 1, limit=self._target.max_long_side_px)
        graph = Graph()
        chain = [graph.add_buffer(template=self._video, time_base=TIME_BASE)]
        if frame.interlaced_frame:
            chain.append(graph.add("bwdif", "mode=send_frame:deint=interlaced"))
        chain += [graph.add("transpose", way) for way in TURNS[turn]]
        chain.append(graph.add("scale", f"w={width}:h={height}:out_range=tv"))
        chain += [graph.add("setsar", "1"), graph.add("format", "yuv420p"), graph.add("buffersink")]
        graph.link_nodes(*chain).configure()
        stream: VideoStream = self._output.add_stream(
            "libx264",
            rate=self._video.average_rate or Fraction(25),
            options={"crf": str(self._target.quality), "preset": PRESET, "x264-params": X264_PARAMS},
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = TIME_BASE
        stream.codec_context.thread_count = ENCODER_THREADS
        stream.codec_context.flags |= Flags.bitexact
        for name in ("color_primaries", "color_trc", "colorspace"):
            value = int(getattr(frame, name))
            if value not in UNSPECIFIED_COLOUR:
                setattr(stream.codec_context, name, value)
        return graph, stream


def _clip_size(video: VideoStream, frame: VideoFrame, *, turned: bool, limit: int) -> tuple[int, int]:
    """Width and height upright, in square pixels, both even as 4:2:0 needs, the longer one at most ``limit``."""
    aspect = video.sample_aspect_ratio or Fraction(1)
    width, height = frame.width * aspect, Fraction(frame.height)
    if turned:
        width, height = height, width
    scale = min(Fraction(1), limit / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
