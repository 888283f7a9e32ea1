"""Opening a source video by path or HTTP address, and its timeline."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from streams.media.errors import SourceUnreachable, SourceUnreadable
from streams.media.facts import Timeline
from streams.media.returned_memory import returning_large_blocks

# Footage is untrusted: a playlist that calls itself a video may name local files or inner addresses, so neither the
# formats that refer to other files nor any protocol beyond these can be opened.
FORMATS = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,h264,hevc,m4v"
HTTP_PROTOCOLS = "http,https,tcp,tls"
# FFmpeg sends its next request into a connection that the server has closed without a word, takes the failure for the
# end of the data, and goes on: pictures were missing without an error (seen with `moov` behind). So it asks again.
HTTP_OPTIONS = {"reconnect_on_network_error": "1", "reconnect_delay_max": "1", "reconnect_max_retries": "3"}
# Frames that are looked at before the first shown one is called unknown: more than any edit list of a camera hides.
MAX_LEAD_PACKETS = 3000
# Streams for broadcasting: FFmpeg's seek by time may leave out their first keyframe, a seek to byte 0 does not.
WITHOUT_INDEX = frozenset({"mpegts", "mpeg"})
# FFmpeg says "try again" behind damage in a transport stream, where more can be read at once. A few times in a file of
# random damage; endless trying must not be.
MAX_ASKED_AGAIN = 1_000
# AVFieldOrder: unknown, progressive. Else a packet may be one of the two fields of a picture.
PROGRESSIVE_FIELD_ORDERS = frozenset({0, 1})
_MICROSECONDS = 1_000_000


def is_http(url: str) -> bool:
    """Whether the source is read over HTTP; else it is a path."""
    return url.startswith(("http://", "https://"))


@contextmanager
def open_source(url: str, timeout_s: float) -> Iterator[InputContainer]:
    """Opens a video for reading; over HTTP only the byte ranges that are needed are asked for.

    Args:
        url: An ``http(s)`` address or a path.
        timeout_s: Limit of the opening and of every single read.

    Raises:
        SourceUnreadable: It cannot be opened, or has no video stream.
        SourceUnreachable: Its address did not answer.
    """
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    address = f"file:{url}"
    if is_http(url):
        options |= HTTP_OPTIONS | {"protocol_whitelist": HTTP_PROTOCOLS}
        address = url
    # No `request_size`: for 4 s out of a 61 MB file (4.2 MB with its keyframe) FFmpeg sent 2 to 4 requests and 5.0 to
    # 5.7 MB came; asking in pieces of 256 kB to 1 MB sent 7 to 25 requests for 5.1 to 6.5 MB (measured on a loopback).
    with source_errors(), returning_large_blocks():
        container = av.open(address, mode="r", options=options, timeout=timeout_s, metadata_errors="replace")
    with container:
        if not container.streams.video:
            raise SourceUnreadable("The source file has no picture.")
        yield container


@contextmanager
def source_errors() -> Iterator[None]:
    """Turns what FFmpeg says while a source is opened or read into this project's outcomes; wrap reads alone in it.

    The texts name no address: it may carry a signature.
    """
    try:
        yield
    except av.error.HTTPTooManyRequestsError as error:
        raise SourceUnreachable("The source video's address is busy.") from error
    except (av.error.HTTPClientError, av.error.FileNotFoundError) as error:
        raise SourceUnreadable("The source video is not there or may not be read.") from error
    except (av.error.HTTPError, OSError) as error:
        raise SourceUnreachable("The source video could not be reached or read to its end.") from error
    except (av.FFmpegError, ValueError) as error:
        raise SourceUnreadable("The source video is damaged, cut off before its index, or not a video file.") from error


def video_stream(container: InputContainer) -> VideoStream:
    """The stream that is shown: the first one that is no cover image.

    Raises:
        SourceUnreadable: There is none, it has no time base, or nothing can decode it.
    """
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic and stream.time_base is not None:
            if stream.codec_context is None:
                raise SourceUnreadable("The source video's picture is coded in a way that is not known.")
            return stream
    raise SourceUnreadable("The source file has no picture.")


def declared_end_ms(
    container: InputContainer, stream: VideoStream, timeline: Timeline, *, surely: bool = False
) -> int | None:
    """Where the last picture ends by the container's word, in ms of the timeline; None where it has none.

    Containers that name one length only name that of the longest stream. Of those that do not begin at 0 some (FFmpeg's
    Matroska) count from 0, others from their beginning: the later end holds, with `surely` the earlier.
    """
    if stream.duration:
        return timeline.to_ms((stream.start_time or 0) + stream.duration)
    if container.duration:
        start = container.start_time or 0
        start = min(0, start) if surely else start
        end_s = Fraction(start + container.duration, _MICROSECONDS)
        return max(0, timeline.to_ms(int(end_s / timeline.time_base)))
    return None


def read_packets(container: InputContainer, stream: VideoStream) -> "Iterator[Packet[VideoStream]]":
    """Yields the packets of a stream from where the container stands, and an empty one at the end, as `demux` does.

    Data that cannot be told into packets is the end too: what came before it counts.
    """
    for _ in range(MAX_ASKED_AGAIN):
        try:
            yield from container.demux(stream)
        except IndexError:
            return  # garbage was taken for one more stream, for which PyAV has no end to give: ours was given before
        except av.error.BlockingIOError:
            continue
        except av.error.InvalidDataError:
            break
        else:
            return
    end: Packet[Any] = Packet()
    end.stream = stream
    yield end


def read_timeline(container: InputContainer, stream: VideoStream) -> Timeline:
    """Finds the first shown picture. Leaves the container at the start of the stream: seek before reading on.

    Pictures that an edit list hides come first and are marked; in decoding order the first shown one may follow
    others, so reading goes on until no earlier one can come.

    Raises:
        SourceUnreadable: No picture is shown.
        SourceUnreachable: The connection broke.
    """
    first: int | None = None
    is_timed = True
    with source_errors():
        for count, packet in enumerate(read_packets(container, stream)):
            if count > MAX_LEAD_PACKETS or (first is not None and packet.dts is not None and packet.dts >= first):
                break
            is_timed = is_timed and (packet.pts is not None or not packet.size)
            if packet.pts is not None and not packet.is_discard:
                first = packet.pts if first is None else min(first, packet.pts)
    if first is None and not is_timed:
        raise SourceUnreadable("The source video says no times of its pictures; send it in a container, such as MP4.")
    if first is None or stream.time_base is None:
        raise SourceUnreadable("The source video shows no picture.")
    return Timeline(stream.time_base, first)
