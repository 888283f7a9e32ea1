"""Finds what of a video is damaged or missing while it is being decoded, from what goes in and what comes out."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streams.damage import joined
from streams.media.disposable import IsDisposable
from streams.media.facts import Timeline
from streams.media.picture_times import PictureTimes
from streams.media.source import PROGRESSIVE_FIELD_ORDERS
from streams.media.units import is_broken, length_prefix_bytes

# Damage closer together than this is one range.
_JOIN_MS = 1_000
# Pictures that stop so long before the next one is due, or before the end that the container names, are missing. Sound
# commonly lasts some tenths of a second longer than the picture, and a container may name the longer of both.
_HOLE = Fraction(1)
# Checksums are checked where a video brings them, and what breaks a rule is refused. Measured on packets of six codecs,
# overwritten or left out: in HEVC it finds more and costs no picture. In H.264 it finds no more in a packet, and loses
# 165 pictures where 42 are lost without; in VP9, AV1, MPEG-2 and MPEG-4 it finds no more (docs/media.md).
_STRICT_OPTIONS = {"hevc": {"err_detect": "crccheck+explode"}}


def decode_strictly(stream: VideoStream) -> None:
    """Sets a stream up, before anything is decoded, so that damage is told and no picture is lost for that."""
    # FFmpeg marks damaged pictures reliably only with one thread.
    stream.thread_type = "NONE"
    stream.thread_count = 1
    stream.codec_context.options = _STRICT_OPTIONS.get(stream.codec_context.name, {})


@dataclass
class Damage:
    """What is wrong in a span of a video.

    Attributes:
        frames: pictures that did not come out of the decoder.
        ranges_ms: `[start, end)` in ms of the source's timeline, ascending and apart: where pictures are missing, or
            may be wrong. A wrong picture may spoil all up to the next keyframe, so that is where a range ends.
    """

    frames: int = 0
    ranges_ms: tuple[tuple[int, int], ...] = ()


@dataclass(eq=False)
class DamageWatch:
    """Watches one decoder. `restart` it with each seek, and ask it to `tell` at the end.

    A damaged picture is wrong, and so may be all up to the next keyframe, unless no other refers to it. Times inside
    are ticks.

    Attributes:
        stream: the decoded stream.
        timeline: of the source.
        start_ms: where the span begins.
        end_ms: where it ends, not behind the end that the container names.
        sure_end_ms: up to where the container surely says that there are pictures; None where it does not say.
        is_disposable: whether a packet's picture is one that no other refers to.
    """

    stream: VideoStream
    timeline: Timeline
    start_ms: int
    end_ms: int
    sure_end_ms: int | None
    is_disposable: IsDisposable

    def __post_init__(self) -> None:
        context = self.stream.codec_context
        self._codec = context.name
        self._length_bytes = length_prefix_bytes(context.name, context.extradata)
        self._is_progressive = int(context.field_order) in PROGRESSIVE_FIELD_ORDERS
        self._start = self.timeline.last_tick_at(self.start_ms)
        self.restart()

    def restart(self, *, at_start: bool = False) -> None:
        """Forgets everything.

        Args:
            at_start: whether reading begins where the video does. Elsewhere pictures may not come because what they
                refer to lies before: those before the first one that comes say nothing.
        """
        self._at_start = at_start
        self._is_at_end = False
        self._times = PictureTimes(self._start, int(_HOLE / self.timeline.time_base))
        self._keyframes: list[int] = []
        self._damaged: set[int] = set()
        self._awaited: set[int] = set()
        self._disposable_ends: dict[int, int] = {}
        self._came_from: int | None = None
        self._came_until: int | None = None

    def packets(self, packets: "Iterable[Packet[VideoStream]]") -> "Iterator[Packet[VideoStream]]":
        """Passes on all packets of the stream as they are read."""
        for packet in packets:
            if packet.pts is not None:
                self._note(packet, packet.pts)
            yield packet
        self._is_at_end = True

    def sent(self, packet: "Packet[VideoStream]") -> None:
        """Notes a packet that goes into the decoder: its picture must come out."""
        if packet.pts is None or packet.is_discard:
            return
        if self.is_disposable(memoryview(packet)):
            self._disposable_ends[packet.pts] = packet.pts + (packet.duration or 0)
        if self._is_progressive:
            self._awaited.add(packet.pts)

    def refused(self, packet: "Packet[VideoStream]") -> None:
        """Notes a packet that the decoder said is damaged."""
        if packet.pts is not None:
            self._damaged.add(packet.pts)

    def came(self, frame: VideoFrame) -> None:
        """Notes a picture that came out."""
        if frame.pts is None:
            return
        self._awaited.discard(frame.pts)
        self._came_from = frame.pts if self._came_from is None else min(self._came_from, frame.pts)
        self._came_until = frame.pts if self._came_until is None else max(self._came_until, frame.pts)
        if frame.is_corrupt:
            self._damaged.add(frame.pts)

    def tell(self, damage: Damage) -> None:
        """Writes down what is wrong in the span."""
        to_ms = self.timeline.to_ms
        lost = {tick for tick in self._awaited if self._is_at_end or tick < (self._came_until or tick)}
        keyframes, spoilt_from = sorted(self._keyframes), self._times.spoilt_from()
        sure_end = self.timeline.last_tick_at(self.sure_end_ms) if self.sure_end_ms and self._is_at_end else None
        ranges = [(to_ms(begin), to_ms(end)) for begin, end in self._times.holes(sure_end)]
        for tick in self._damaged | lost:
            if not self._at_start and self._came_from is not None and tick < self._came_from:
                continue
            end = self._disposable_ends.get(tick, self._first_keyframe_after(keyframes, tick))
            begin_ms = to_ms(tick if tick in self._disposable_ends else spoilt_from.get(tick, tick))
            ranges.append((begin_ms, self.end_ms if end is None else max(begin_ms + 1, to_ms(end))))
        inside = ((max(first, self.start_ms), min(last, self.end_ms)) for first, last in ranges)
        damage.frames = sum(self.start_ms <= to_ms(tick) < self.end_ms for tick in lost)
        damage.ranges_ms = tuple(joined((pair for pair in inside if pair[0] < pair[1]), gap_ms=_JOIN_MS))

    def _note(self, packet: "Packet[VideoStream]", shown: int) -> None:
        duration = packet.duration or 0
        self._times.add(shown, packet.dts if packet.dts is not None else shown, duration)
        if packet.is_keyframe:
            self._keyframes.append(shown)
            if shown <= self._start:
                self._damaged = {tick for tick in self._damaged if tick > shown}
                self._awaited = {tick for tick in self._awaited if tick > shown}
        if packet.is_corrupt or (self._length_bytes and is_broken(bytes(packet), self._length_bytes, self._codec)):
            self._damaged.add(shown)
            if self.is_disposable(memoryview(packet)):
                self._disposable_ends[shown] = shown + duration

    def _first_keyframe_after(self, keyframes: list[int], tick: int) -> int | None:
        at = bisect_right(keyframes, tick)
        return keyframes[at] if at < len(keyframes) else self._times.end
