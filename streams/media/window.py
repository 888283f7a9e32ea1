"""Reads the packets of a window out of an opened source, and what a cut plan has to know about them."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from streams.media.errors import SourceUnreadable
from streams.media.facts import PacketFacts, StreamFacts, Timeline
from streams.media.h264 import DecoderConfig, parse_config, read_units
from streams.media.source import PROGRESSIVE_FIELD_ORDERS, WITHOUT_INDEX, read_timeline, source_errors, video_stream

# In quotes: the class takes parameters for type checkers only.
AnyPacket: TypeAlias = "Packet[Stream]"

# A seek goes by decoding times and may land on a keyframe that is shown after the wanted time: each further try goes
# before where the last one landed, and in the end by seconds, since containers without an index land anywhere. A
# source that still gives none has a wrong index, or a single keyframe far away.
_SEEK_BACK_S = (0, 0, 0, 2, 10, 30, 120, 600)


class WindowTooLarge(Exception):
    """The packets of the window take more memory than allowed."""


@dataclass(frozen=True, eq=False)
class Source:
    """An opened source: the streams that a clip is made of, and its timeline. Valid while its container is open."""

    container: InputContainer
    video: VideoStream
    audio: AudioStream | None
    timeline: Timeline

    @property
    def read_streams(self) -> list[Stream]:
        """The streams to demux."""
        return [self.video] if self.audio is None else [self.video, self.audio]


@dataclass(frozen=True, eq=False)
class PacketWindow:
    """Packets from a keyframe on, in decoding order; the sound from about the same moment on."""

    video: list[AnyPacket] = field(default_factory=list)
    audio: list[AnyPacket] = field(default_factory=list)


def read_source(container: InputContainer) -> Source:
    """Chooses the streams and finds the first shown picture.

    Raises:
        SourceUnreadable: There is no picture.
        SourceUnreachable: The connection broke.
    """
    video = video_stream(container)
    audio = next((stream for stream in container.streams.audio if stream.codec_context is not None), None)
    return Source(container, video, audio, read_timeline(container, video))


def stream_facts(source: Source) -> StreamFacts:
    """What the container says about the streams."""
    context = source.video.codec_context
    config = parse_config(context.extradata)
    return StreamFacts(
        container=source.container.format.name,
        video_codec=context.name,
        video_tag=context.codec_tag,
        pix_fmt=context.pix_fmt,
        interlaced=int(context.field_order) not in PROGRESSIVE_FIELD_ORDERS,
        h264_profile=config.profile if config is not None else None,
        audio_codec=source.audio.codec_context.name if source.audio is not None else None,
    )


def seek_before(source: Source, start_ms: int) -> Iterator[AnyPacket]:
    """Moves to the last keyframe shown at or before ``start_ms`` and yields all packets from there on.

    Raises:
        SourceUnreadable: No keyframe is found, or the data is damaged.
        SourceUnreachable: The connection broke.
    """
    latest = source.timeline.last_tick_at(max(0, start_ms))
    target = latest
    for back_s in _SEEK_BACK_S:
        target -= int(back_s / source.timeline.time_base)
        with source_errors():
            source.container.seek(target, stream=source.video)
            held, found_at = _keyframe(source, latest)
        if held:
            return _with_rest(source, held)
        target = min(target, found_at) - 1
    if source.container.format.name in WITHOUT_INDEX:
        with source_errors():
            source.container.seek(0, unsupported_byte_offset=True)
            held, _ = _keyframe(source, latest)
        if held:
            return _with_rest(source, held)
    raise SourceUnreadable("The source video has no keyframe before the window.")


def _keyframe(source: Source, latest: int) -> tuple[list[AnyPacket], int]:
    """Reads on to the next keyframe; gives the packets from there on if it is shown at or before ``latest``.

    The second value is where the reading began, in ticks of the video's decoding time, for the next try to go before.
    """
    began: int | None = None
    held: list[AnyPacket] = []
    for packet in source.container.demux(source.read_streams):
        held.append(packet)
        time = decoding_time(packet)
        if packet.stream is not source.video or time is None:
            continue
        began = time if began is None else began
        shown = packet.pts if packet.pts is not None else time
        if packet.is_keyframe and shown <= latest:
            return held, began
        if packet.is_keyframe or time > latest:
            break
    return [], latest if began is None else began


def decoding_time(packet: AnyPacket) -> int | None:
    """In ticks; where the container tells only when it is shown, that. None for the mark at a stream's end."""
    return packet.dts if packet.dts is not None else packet.pts


def read_window(source: Source, start_ms: int, end_ms: int, *, max_hidden_ms: int, max_bytes: int) -> PacketWindow:
    """Reads what a copy of ``[start_ms, end_ms)`` needs.

    The pictures end with the first one decoded at or after ``end_ms``, the sound with the first packet at or after it.
    When the keyframe lies more than ``max_hidden_ms`` before ``start_ms``, only that keyframe is read: such a window
    is not copied.

    Raises:
        WindowTooLarge: The packets take more than ``max_bytes``.
        SourceUnreadable: No keyframe is found, or the data is damaged.
        SourceUnreachable: The connection broke.
    """
    window = PacketWindow()
    end_s = Fraction(end_ms, 1000) + source.timeline.origin * source.timeline.time_base
    video_done, audio_done = False, source.audio is None
    read_bytes = 0
    for packet in seek_before(source, start_ms):
        if packet.dts is None or packet.pts is None:
            continue
        past = packet.dts * packet.time_base >= end_s
        if packet.stream is source.video:
            if not video_done:
                window.video.append(packet)
                video_done = past
            if len(window.video) == 1 and start_ms - source.timeline.to_ms(packet.pts) > max_hidden_ms:
                break
        elif not audio_done:
            window.audio.append(packet)
            audio_done = past
        read_bytes += packet.size
        if read_bytes > max_bytes:
            raise WindowTooLarge("the window is too large to be held")
        if video_done and audio_done:
            break
    return window


def packet_facts(source: Source, window: PacketWindow) -> list[PacketFacts]:
    """What the plan has to know about the window's pictures, in decoding order."""
    config = parse_config(source.video.codec_context.extradata)
    return [_facts(packet, config) for packet in window.video]


def checksum(packet: AnyPacket) -> int:
    """CRC-32 of a packet's bytes."""
    return zlib.crc32(memoryview(packet))


def _facts(packet: AnyPacket, config: DecoderConfig | None) -> PacketFacts:
    units = read_units(memoryview(packet), config.length_bytes) if config is not None else None
    return PacketFacts(
        pts=packet.pts,
        dts=packet.dts,
        duration=packet.duration or 0,
        sync=packet.is_keyframe,
        idr=units is not None and units.has_idr,
        hidden=packet.is_discard,
        whole=units is not None and units.whole and not packet.is_corrupt,
        own_parameter_sets=(
            units is not None and config is not None and not units.parameter_sets <= config.parameter_sets
        ),
    )


def _with_rest(source: Source, held: list[AnyPacket]) -> Iterator[AnyPacket]:
    yield from held
    with source_errors():
        yield from source.container.demux(source.read_streams)
