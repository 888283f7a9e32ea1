"""Encodes a window anew: upright H.264 and AAC, to the picture and to the sample, for any browser."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from streams.media.clip_file import open_clip
from streams.media.errors import SourceUnreadable
from streams.media.mp4_boxes import read_movie, set_played_duration
from streams.media.picture import PictureEncoder, PictureTarget
from streams.media.sound import SoundEncoder
from streams.media.window import AnyPacket, Source, decoding_time, seek_before


class EncodeFailed(Exception):
    """The window could not be encoded; the text is a clause that says why."""


@dataclass(frozen=True)
class EncodedClip:
    """What was written: the source's times of what plays, and the longest time that one picture of it is shown."""

    start_ms: int
    end_ms: int
    longest_picture_ms: int


def encode(source: Source, path: Path, target: PictureTarget) -> EncodedClip:
    """Writes the target's ``[start_ms, end_ms)``, or what there is of it, as a clip.

    The picture on screen at ``start_ms`` is shown from there on; times between pictures are kept as they are. Damaged
    pictures are left out, the one before stands longer. The sound is encoded too and lasts as long as the window.

    Args:
        source: The opened source; it is read from the keyframe before the window on.
        path: The file to write; overwritten.
        target: The window and what the pictures become.

    Raises:
        EncodeFailed: There is no picture in the window, or it cannot be written.
        SourceUnreadable: No keyframe is found, or the source is damaged before the window.
        SourceUnreachable: The connection broke.
    """
    origin_s = source.timeline.origin * source.timeline.time_base
    start_s, end_s = (origin_s + Fraction(ms, 1000) for ms in (target.start_ms, target.end_ms))
    try:
        with open_clip(path) as output:
            picture = PictureEncoder(source, output, target)
            # The header is written with the first packet and must know both streams, the picture's first: what is heard
            # before the first picture waits for it.
            heard_early: list[AnyPacket] = []
            sound: SoundEncoder | None = None
            for packet in _window_packets(source, target.start_ms, end_s):
                if packet.stream is source.video:
                    pictures = list(picture.encode(packet))
                    if sound is None and source.audio is not None and picture.shown_until_ms is not None:
                        sound = SoundEncoder(source.audio, output, start_s, end_s)
                        output.mux([made for early in heard_early for made in sound.encode(early)])
                    output.mux(pictures)
                elif sound is not None:
                    output.mux(list(sound.encode(packet)))
                else:
                    heard_early.append(packet)
            pictures = list(picture.finish())
            if picture.shown_until_ms is None:
                raise EncodeFailed("the window shows no picture that can be decoded")
            if sound is None and source.audio is not None:
                sound = SoundEncoder(source.audio, output, start_s, end_s)
                output.mux([made for early in heard_early for made in sound.encode(early)])
            output.mux(pictures)
            if sound is not None:
                output.mux(list(sound.finish()))
        movie = read_movie(path)
        ticks = (picture.shown_until_ms - target.start_ms) * movie.timescale // 1000
        set_played_duration(path, movie, {"vide": ticks, "soun": ticks})
    except (av.FFmpegError, ValueError) as error:
        raise EncodeFailed("its pictures or sound do not fit into an MP4 file") from error
    return EncodedClip(target.start_ms, picture.shown_until_ms, picture.longest_ms)


def _window_packets(source: Source, start_ms: int, end_s: Fraction) -> Iterator[AnyPacket]:
    """Packets from the keyframe before the window until every stream is past its end. A break in the data ends it."""
    open_streams = {stream.index for stream in source.read_streams}
    packets = seek_before(source, start_ms)
    first = True
    while open_streams:
        try:
            packet = next(packets, None)
        except SourceUnreadable:
            if first:
                raise
            return
        if packet is None:
            return
        first = False
        time = decoding_time(packet)
        if time is None or packet.stream_index not in open_streams:
            continue
        if time * packet.time_base >= end_s:
            open_streams.discard(packet.stream_index)
        yield packet
