"""Copies the packets of a window into a clip whose edit list begins at the wanted picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from itertools import chain
from pathlib import Path

import av
from av.stream import Stream

from streams.media.clip_file import open_clip
from streams.media.mp4_boxes import read_movie, set_played_duration
from streams.media.sound import SoundEncoder
from streams.media.window import AnyPacket, PacketWindow, Source, checksum


class CopyFailed(Exception):
    """The packets could not be written; an encode may still work."""


@dataclass(frozen=True)
class WrittenPacket:
    """A packet as it was handed over: seconds since its track's first decoding time, and the CRC-32 of its bytes."""

    time_s: Fraction
    crc32: int


@dataclass(frozen=True)
class WrittenTrack:
    """What a track of the clip must hold.

    Attributes:
        packets: All of them, in decoding order.
        shown_from_s: The edit list's start, seconds since the first decoding time; below 0: the track starts late.
        extradata: The decoder's configuration, None when the clip's encoder made it.
    """

    packets: tuple[WrittenPacket, ...]
    shown_from_s: Fraction
    extradata: bytes | None


@dataclass(frozen=True)
class WrittenClip:
    """What a copied clip must be, to be checked against the file. ``played_ms`` is how long it plays."""

    video: WrittenTrack
    audio: WrittenTrack | None
    played_ms: int


def remux(
    source: Source, window: PacketWindow, path: Path, *, start: int, packets: int, played_ms: int, encode_audio: bool
) -> WrittenClip:
    """Writes a clip of the window's first ``packets`` pictures and the sound beside them. Uses the window up.

    The sound is carried from the keyframe too, under an edit list of its own, so that a player which ignores edit
    lists still has sound and picture in step.

    Args:
        source: The opened source.
        window: Its packets, from a keyframe on.
        path: The file to write.
        start: The first shown picture's time, ticks of the video stream.
        packets: How many pictures to copy.
        played_ms: How long the clip plays.
        encode_audio: Whether the sound is encoded as AAC; else its packets are copied.

    Raises:
        CopyFailed: The container cannot hold these packets.
    """
    start_s = start * source.timeline.time_base
    end_s = start_s + Fraction(played_ms, 1000)
    try:
        with open_clip(path) as output:
            video_out = output.add_stream_from_template(source.video)
            video, video_track = _copied(window.video[:packets], source.video, video_out, start_s)
            audio: list[AnyPacket] = []
            audio_track = None
            heard = [p for p in window.audio if _time_s(p) < end_s]
            if source.audio is not None and heard and not encode_audio:
                audio_out = output.add_stream_from_template(source.audio)
                audio, audio_track = _copied(heard, source.audio, audio_out, start_s)
            elif source.audio is not None and heard:
                encoder = SoundEncoder(source.audio, output, start_s, end_s)
                encoded = chain.from_iterable(encoder.encode(packet) for packet in heard)
                audio = list(chain(encoded, encoder.finish()))
                audio_track = _track(audio, None, Fraction(0))
            for packet in _interleaved(video, audio):
                output.mux(packet)
        movie = read_movie(path)
        ticks = played_ms * movie.timescale // 1000
        set_played_duration(path, movie, {"vide": ticks, "soun": ticks})
    except (av.FFmpegError, ValueError) as error:
        raise CopyFailed("The source's packets do not fit into an MP4 clip.") from error
    return WrittenClip(video_track, audio_track, played_ms)


def _copied(
    packets: Sequence[AnyPacket], source: Stream, target: Stream, start_s: Fraction
) -> tuple[list[AnyPacket], WrittenTrack]:
    """Moves packets onto the clip's clock and stream; says beforehand what they are."""
    track = _track(packets, source.codec_context.extradata, start_s)
    for packet in packets:
        shift = round(start_s / packet.time_base)
        packet.pts = (packet.pts or 0) - shift
        packet.dts = (packet.dts or 0) - shift
        packet.stream = target
    return list(packets), track


def _track(packets: Sequence[AnyPacket], extradata: bytes | None, start_s: Fraction) -> WrittenTrack:
    first_s = (packets[0].dts or 0) * packets[0].time_base
    return WrittenTrack(
        packets=tuple(WrittenPacket(_time_s(packet) - first_s, checksum(packet)) for packet in packets),
        shown_from_s=start_s - first_s,
        extradata=extradata,
    )


def _time_s(packet: AnyPacket) -> Fraction:
    return (packet.pts or 0) * packet.time_base


def _interleaved(video: Sequence[AnyPacket], audio: Sequence[AnyPacket]) -> Iterator[AnyPacket]:
    return merge(video, audio, key=lambda packet: (packet.dts or 0) * packet.time_base)
