"""Says what a source is: length, picture, codecs and keyframes."""

from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streams.media.errors import SourceUnreadable
from streams.media.facts import Timeline, VideoFacts
from streams.media.source import (
    declared_end_ms,
    open_source,
    read_packets,
    read_timeline,
    source_errors,
    video_stream,
)

# 8K UHD and a little more: a larger picture is a mistake or an attack, and its frames would not fit into memory limits.
_MAX_PIXELS = 8192 * 4608


def probe(url: str | Path, *, timeout_s: float = 30.0) -> VideoFacts:
    """Opens a path or an http(s) address, decodes one frame and returns the facts.

    Args:
        url: path or address.
        timeout_s: limit of the opening and of each read.

    Raises:
        SourceUnreadable: not a video that can be decoded, or its picture is larger than 8192x4608.
        SourceUnreachable: the address did not answer.
    """
    with open_source(str(url), timeout_s) as container, source_errors():
        stream = video_stream(container)
        if stream.width * stream.height > _MAX_PIXELS:
            raise SourceUnreadable(
                f"The video's picture is {stream.width}x{stream.height}: send one of at most 8192x4608."
            )
        timeline = read_timeline(container, stream)
        keyframes_ms = _keyframes_ms(stream, timeline)
        frame, delay_ms = _first_frame(container, stream, timeline)
        end_ms = declared_end_ms(container, stream, timeline)
        audio = next(iter(container.streams.audio), None)
        return VideoFacts(
            duration_ms=end_ms if end_ms is not None else _read_to_the_end_ms(container, stream, timeline),
            first_pts=timeline.origin,
            time_base=timeline.time_base,
            fps=float(stream.average_rate) if stream.average_rate else None,
            width=stream.width,
            height=stream.height,
            sample_aspect=stream.sample_aspect_ratio or Fraction(1),
            rotation_deg=frame.rotation % 360,
            codec=stream.codec_context.name,
            pix_fmt=frame.format.name,
            has_audio=audio is not None,
            audio_codec=audio.codec_context.name if audio is not None else None,
            keyframe_ms=tuple(time + delay_ms for time in keyframes_ms if time + delay_ms >= 0),
        )


def _first_frame(container: InputContainer, stream: VideoStream, timeline: Timeline) -> tuple[VideoFrame, int]:
    """Returns the first frame that can be decoded, and how long the first keyframe waits for its turn, in ms."""
    container.seek(timeline.origin, stream=stream)
    delay_ms: int | None = None
    for packet in read_packets(container, stream):
        if delay_ms is None and packet.is_keyframe and packet.pts is not None and packet.dts is not None:
            delay_ms = timeline.to_ms(packet.pts) - timeline.to_ms(packet.dts)
        try:
            frames = stream.decode(packet)
        except av.error.InvalidDataError:
            continue  # a damaged start: a later frame tells the same
        if frames:
            return frames[0], delay_ms or 0
    raise SourceUnreadable("The video has no picture that can be decoded.")


def _read_to_the_end_ms(container: InputContainer, stream: VideoStream, timeline: Timeline) -> int:
    """For recordings that were cut off before their length was written; reads the whole rest of the file."""
    end = timeline.origin
    for packet in read_packets(container, stream):
        if packet.pts is not None:
            end = max(end, packet.pts + (packet.duration or 0))
    return timeline.to_ms(end)


def _keyframes_ms(stream: VideoStream, timeline: Timeline) -> list[int]:
    return sorted(
        {
            timeline.to_ms(entry.timestamp)
            for entry in stream.index_entries
            if entry.is_keyframe and not entry.is_discard
        }
    )
