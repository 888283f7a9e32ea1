"""The check that a clip passes before anyone hears of it.

A copy is compared with what was read: it costs two hundredths of an encode and caught every defect that was made for
the purpose, but for damage that is already in the source. An encode is decoded at both ends.
"""

from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Stream

from streams.media.h264 import parse_config, read_units
from streams.media.mp4_boxes import Movie, Mp4Error, Track, read_movie
from streams.media.remux import WrittenClip, WrittenPacket, WrittenTrack
from streams.media.window import checksum

# With the edit list ignored, a packet's time is its place in the track. Nothing is decoded, also not to look at the
# streams: that alone took 36 of the proof's 45 cpu-ms (1080p, 8 Mb/s).
RAW_OPTIONS = {
    "ignore_editlist": "1",
    "probesize": "4096",
    "analyzeduration": "0",
    "fpsprobesize": "0",
    "skip_frame": "all",
}


class ProofFailed(Exception):
    """The clip is not what was planned; the text says in what."""


def prove_copy(path: Path, written: WrittenClip) -> None:
    """Checks a copied clip against what was read from the source.

    The header stands first, edit lists and durations are as planned, the first picture is an IDR, the parameter sets
    are the source's, and every packet has the time and the bytes that were read.

    Raises:
        ProofFailed: Something differs.
    """
    try:
        movie = read_movie(path)
        _check_header(movie, written)
        with av.open(str(path), "r", options=RAW_OPTIONS) as container:
            _check_packets(container, written)
    except (av.FFmpegError, Mp4Error) as error:
        raise ProofFailed("the clip cannot be read back") from error


def prove_encode(path: Path, played_ms: int, frame_ms: int) -> None:
    """Checks an encoded clip: the header stands first, its first and last pictures decode, its length is right.

    Args:
        path: The clip.
        played_ms: How long it must play.
        frame_ms: The longest time that one picture of it stands: how far the length and the last picture may be off.

    Raises:
        ProofFailed: Something differs.
    """
    try:
        movie = read_movie(path)
        _require(movie.moov_first, "the header does not stand first")
        video = movie.track("vide")
        _require(video is not None, "the clip has no picture")
        length_ms = movie.duration * 1000 / movie.timescale
        _require(abs(length_ms - played_ms) <= frame_ms, "the clip's length is wrong")
        with av.open(str(path), "r") as container:
            first_ms, last_ms = _decoded_ends_ms(container)
    except (av.FFmpegError, Mp4Error) as error:
        raise ProofFailed("the clip cannot be decoded") from error
    _require(first_ms == 0, "the first picture is not shown at the start")
    _require(played_ms - last_ms <= frame_ms + 1, "the last pictures are missing")


def _check_header(movie: Movie, written: WrittenClip) -> None:
    _require(movie.moov_first, "the header does not stand first")
    tracks = [("vide", written.video)] + ([("soun", written.audio)] if written.audio is not None else [])
    _require(len(movie.tracks) == len(tracks), "the clip has other tracks than planned")
    played = Fraction(written.played_ms, 1000)
    for handler, expected in tracks:
        track = movie.track(handler)
        if track is None:
            raise ProofFailed("a track is missing")
        _check_edits(track, expected, movie.timescale, played)
    video = movie.track("vide")
    shown = Fraction(video.duration, movie.timescale) if video is not None else Fraction(0)
    _require(abs(shown - played) <= Fraction(1, movie.timescale), "the picture does not last as long as planned")
    _require(movie.duration == max(track.duration for track in movie.tracks), "the clip's length is not its tracks'")


def _check_edits(track: Track, expected: WrittenTrack, movie_timescale: int, played: Fraction) -> None:
    edits = track.edits
    late = max(Fraction(0), -expected.shown_from_s)
    _require(len(edits) == (2 if late else 1), "an edit list has other entries than planned")
    if late:
        _require(edits[0].media_time == -1, "a late track does not begin with an empty edit")
        _require(
            abs(Fraction(edits[0].duration, movie_timescale) - late) <= Fraction(1, movie_timescale),
            "a late track begins at the wrong time",
        )
    media_time_s = Fraction(edits[-1].media_time, track.timescale)
    wanted_s = max(Fraction(0), expected.shown_from_s)
    _require(abs(media_time_s - wanted_s) <= Fraction(1, track.timescale), "an edit list begins at the wrong time")
    total = Fraction(sum(edit.duration for edit in edits), movie_timescale)
    _require(total == Fraction(track.duration, movie_timescale), "an edit list and its header differ in length")
    _require(total <= played, "a track lasts longer than planned")


def _check_packets(container: InputContainer, written: WrittenClip) -> None:
    video = container.streams.video[0]
    expected: dict[Stream, WrittenTrack] = {video: written.video}
    if written.audio is not None:
        expected[container.streams.audio[0]] = written.audio
    for stream, track in expected.items():
        if track.extradata is not None:
            _require(stream.codec_context.extradata == track.extradata, "the parameter sets are not the source's")
    config = parse_config(video.codec_context.extradata)
    found: dict[int, list[WrittenPacket]] = {stream.index: [] for stream in expected}
    for packet in container.demux(list(expected)):
        if packet.pts is None:
            continue
        packets = found[packet.stream.index]
        if packet.stream is video and not packets:
            units = read_units(memoryview(packet), config.length_bytes) if config is not None else None
            _require(packet.is_keyframe and units is not None and units.has_idr, "the first picture is no IDR")
        packets.append(WrittenPacket(packet.pts * packet.time_base, checksum(packet)))
    for stream, track in expected.items():
        _compare(found[stream.index], track)


def _compare(found: list[WrittenPacket], track: WrittenTrack) -> None:
    _require(len(found) == len(track.packets), "packets are missing")
    for packet, wanted in zip(found, track.packets, strict=True):
        _require(packet.crc32 == wanted.crc32, "a packet's bytes differ")
        _require(packet.time_s == wanted.time_s, "a packet's time differs")


def _decoded_ends_ms(container: InputContainer) -> tuple[float, float]:
    video = container.streams.video[0]
    first = next(container.decode(video), None)
    if first is None:
        raise ProofFailed("the clip shows no picture")
    container.seek(container.duration or 0, backward=True)
    last_s = max((frame.time for frame in container.decode(video)), default=first.time)
    return first.time * 1000, last_s * 1000


def _require(holds: bool, reason: str) -> None:  # noqa: FBT001 - what is required is a truth value
    if not holds:
        raise ProofFailed(reason)
