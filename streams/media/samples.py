"""Samples of a video at a fixed grid of its own timeline, so that chunks and repeats see the same frames."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streams.media.damage import Damage, DamageWatch, decode_strictly
from streams.media.disposable import IsDisposable, disposable_test
from streams.media.facts import Timeline
from streams.media.interlace import one_field
from streams.media.sample import Sample
from streams.media.slots import NeededPackets, Slots
from streams.media.source import (
    PROGRESSIVE_FIELD_ORDERS,
    WITHOUT_INDEX,
    declared_end_ms,
    open_source,
    read_packets,
    read_timeline,
    source_errors,
    video_stream,
)

Frames = Iterator[tuple[int, VideoFrame]]

# Seeking goes by decoding times and may land behind the wanted frame: then again from this much earlier.
_SEEK_BACK_S = (0, 2, 10, 30)
# Sampling rates are numbers like 5, 2.5 or 29.97: taken as fractions, so that the grid is exact.
_MAX_FPS_DENOMINATOR = 1_001


def samples(
    url: str | Path, start_ms: int, end_ms: int, fps: float, *, damage: Damage | None = None, timeout_s: float = 30.0
) -> Generator[Sample, None, None]:
    """Yields the sampled frames of `[start_ms, end_ms)`, in order of time.

    The timeline is cut into slots of `1 / fps` seconds from its first shown frame on, and one frame of each slot is a
    sample: the first, or one of its first half that can be had for less (`streams.media.slots`). Where to start and end
    therefore never changes which frames are samples. One frame is held at a time, one thread decodes; decoding starts
    at the keyframe before `start_ms`. The source is closed with the generator.

    Args:
        url: path or http(s) address.
        start_ms: first time that counts.
        end_ms: first time that does not count any more.
        fps: samples per second at most; a slower video gives each of its frames.
        damage: takes what is wrong in the span, when the reading ends. Pictures that came out damaged are samples too:
            what is left of them shows faces at their true places (measured).
        timeout_s: limit of the opening and of each read.

    Raises:
        SourceUnreadable: not a video that can be decoded.
        SourceUnreachable: the address did not answer.
    """
    rate = Fraction(fps).limit_denominator(_MAX_FPS_DENOMINATOR)
    with open_source(str(url), timeout_s) as container, source_errors():
        stream = video_stream(container)
        decode_strictly(stream)  # on one thread: workers scale by processes
        timeline = read_timeline(container, stream)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        slots = Slots(timeline, rate)
        is_disposable = disposable_test(stream.codec_context.name, stream.codec_context.extradata)
        named_end_ms = declared_end_ms(container, stream, timeline)
        until_ms = end_ms if named_end_ms is None else min(end_ms, named_end_ms)
        sure_end_ms = declared_end_ms(container, stream, timeline, surely=True)
        watch = DamageWatch(stream, timeline, start_ms, until_ms, sure_end_ms, is_disposable)
        decoder = _Decoder(container, stream, slots, is_disposable, watch)
        first_slot = max(0, start_ms * rate.numerator // (1000 * rate.denominator))
        last_slot = -1
        for pts, frame in decoder.frames_from(first_slot / rate):
            time_ms = timeline.to_ms(pts)
            if time_ms >= end_ms:
                break
            slot = slots.of(pts)
            is_first_of_slot = slot > last_slot
            last_slot = max(slot, last_slot)
            if is_first_of_slot and time_ms >= start_ms:
                yield Sample(time_ms, one_field(frame) if frame.interlaced_frame else frame, aspect)
        if damage is not None:
            watch.tell(damage)


@dataclass(frozen=True, eq=False)
class _Decoder:
    """Decodes one opened stream under a watch."""

    container: InputContainer
    stream: VideoStream
    slots: Slots
    is_disposable: IsDisposable
    watch: DamageWatch

    @property
    def timeline(self) -> Timeline:
        """The source's."""
        return self.slots.timeline

    def frames_from(self, wanted_s: Fraction) -> Frames:
        """Seeks so that decoding starts at or before `wanted_s`, and decodes on from there."""
        for back_s in _SEEK_BACK_S:
            target = self.timeline.origin + max(0, int((wanted_s - back_s) / self.timeline.time_base))
            self.container.seek(target, stream=self.stream)
            self.watch.restart(at_start=target == self.timeline.origin)
            frames = self._decode()
            first = next(frames, None)
            if first is not None and self._seconds(first[0]) <= wanted_s:
                break
            if target == self.timeline.origin:
                if self.container.format.name in WITHOUT_INDEX:
                    self.container.seek(0, unsupported_byte_offset=True)
                    self.watch.restart(at_start=True)
                    frames = self._decode()
                    first = next(frames, None)
                break
        return chain([first] if first is not None else [], frames)

    def _decode(self) -> Frames:
        for packet in self._packets():
            self.watch.sent(packet)
            try:
                frames = self.stream.decode(packet)
            except av.error.InvalidDataError:
                self.watch.refused(packet)
                continue
            for frame in frames:
                self.watch.came(frame)
                if frame.pts is not None and frame.pts >= self.timeline.origin:
                    yield frame.pts, frame

    def _packets(self) -> "Iterator[Packet[VideoStream]]":
        packets = self.watch.packets(read_packets(self.container, self.stream))
        if int(self.stream.codec_context.field_order) not in PROGRESSIVE_FIELD_ORDERS:
            return packets
        return NeededPackets(self.slots, self.is_disposable).of(packets)

    def _seconds(self, pts: int) -> Fraction:
        return (pts - self.timeline.origin) * self.timeline.time_base
