"""The few boxes of an MP4 file that decide when a clip starts and ends: read them, and set their times in place.

Box layouts: ISO/IEC 14496-12 (mvhd 8.2.2, tkhd 8.3.2, mdhd 8.4.2, hdlr 8.4.3, elst 8.6.6). Integers are big-endian.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CONTAINERS = frozenset({b"trak", b"edts", b"mdia"})
# A clip's own header is some tens of kilobytes; more than this is no header that this program wrote.
MAX_MOOV_BYTES = 64 * 1024 * 1024


class Mp4Error(ValueError):
    """The file is not an MP4 of the expected shape; the message says what is missing."""


@dataclass(frozen=True)
class Box:
    """A box's four-letter kind, its offset, the length of its header and its whole size, in bytes."""

    kind: bytes
    offset: int
    header_bytes: int
    size: int

    @property
    def body(self) -> int:
        """Offset of the first byte after the header."""
        return self.offset + self.header_bytes

    @property
    def end(self) -> int:
        """Offset of the first byte after the box."""
        return self.offset + self.size


@dataclass(frozen=True)
class Field:
    """Where an unsigned time stands in the file: absolute offset and width (4 or 8 bytes)."""

    offset: int
    width: int


@dataclass(frozen=True)
class Edit:
    """One entry of an edit list: ``duration`` in movie ticks; ``media_time`` in track ticks, -1 for an empty edit."""

    duration: int
    media_time: int
    duration_field: Field


@dataclass(frozen=True)
class Track:
    """Times of one track. ``handler`` is ``vide`` or ``soun``; ``duration`` (tkhd) is in movie ticks."""

    handler: str
    timescale: int
    duration: int
    duration_field: Field
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Movie:
    """Times of a file. ``moov_first`` says that the header stands before the media data."""

    moov_first: bool
    timescale: int
    duration: int
    duration_field: Field
    tracks: tuple[Track, ...]

    def track(self, handler: str) -> Track | None:
        """The first track of this handler, or None."""
        return next((track for track in self.tracks if track.handler == handler), None)


def read_movie(path: Path) -> Movie:
    """Reads the times of an MP4 file.

    Raises:
        Mp4Error: The file has no ``moov`` or ``mdat``, or a box is cut short.
    """
    with path.open("rb") as file:
        boxes = list(_top_boxes(file))
        kinds = [box.kind for box in boxes]
        if b"moov" not in kinds or b"mdat" not in kinds:
            raise Mp4Error("the file has no moov or no mdat box")
        moov = boxes[kinds.index(b"moov")]
        if moov.size > MAX_MOOV_BYTES:
            raise Mp4Error("the moov box is too large")
        file.seek(moov.offset)
        data = _Window(file.read(moov.size), moov.offset)
    try:
        return _movie(data, moov, moov_first=kinds.index(b"moov") < kinds.index(b"mdat"))
    except struct.error as error:
        raise Mp4Error("a box of the header is cut short") from error


def set_played_duration(path: Path, movie: Movie, played: dict[str, int]) -> None:
    """Makes each track end where ``played`` says, by overwriting its edit list's and header's durations in place.

    Args:
        path: The file that ``movie`` was read from.
        movie: Its times.
        played: Per handler, the wanted length from the movie's start, in movie ticks. A track that is shorter by
            itself keeps its length.

    Raises:
        Mp4Error: A track has no edit list to set, or would end before its first shown sample.
    """
    ends: list[int] = []
    with path.open("r+b") as file:
        for track in movie.tracks:
            if not track.edits:
                raise Mp4Error("a track has no edit list")
            before = sum(edit.duration for edit in track.edits[:-1])
            last = track.edits[-1]
            wanted = min(played[track.handler], before + last.duration)
            if wanted <= before:
                raise Mp4Error("a track would end before its first shown sample")
            _write(file, last.duration_field, wanted - before)
            _write(file, track.duration_field, wanted)
            ends.append(wanted)
        _write(file, movie.duration_field, max(ends))


class _Window:
    """Bytes that know at which offset of the file they start."""

    def __init__(self, data: bytes, offset: int) -> None:
        self.data = data
        self.offset = offset

    def unpack(self, layout: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(layout, self.data, at - self.offset)

    def boxes(self, start: int, end: int) -> Iterator[Box]:
        at = start
        while at + 8 <= end:
            size, kind = self.unpack(">I", at)[0], bytes(self.data[at - self.offset + 4 : at - self.offset + 8])
            if size < 8 or at + size > end:
                raise Mp4Error(f"box {kind!r} has an impossible size")
            yield Box(kind, at, 8, size)
            at += size


def _top_boxes(file: BinaryIO) -> Iterator[Box]:
    end = file.seek(0, 2)
    at = 0
    while at + 8 <= end:
        file.seek(at)
        header = file.read(16)
        size, kind = struct.unpack(">I4s", header[:8])
        header_bytes = 8
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack(">Q", header[8:])
            header_bytes = 16
        elif size == 0:
            size = end - at
        if size < header_bytes or at + size > end:
            raise Mp4Error(f"box {kind!r} has an impossible size")
        yield Box(kind, at, header_bytes, size)
        at += size


def _movie(data: _Window, moov: Box, *, moov_first: bool) -> Movie:
    tracks: list[Track] = []
    header: tuple[int, int, Field] | None = None
    for box in data.boxes(moov.body, moov.end):
        if box.kind == b"mvhd":
            header = _timescale_and_duration(data, box)
        elif box.kind == b"trak":
            tracks.append(_track(data, box))
    if header is None:
        raise Mp4Error("the file has no mvhd box")
    timescale, duration, duration_field = header
    return Movie(moov_first, timescale, duration, duration_field, tuple(tracks))


def _track(data: _Window, trak: Box) -> Track:
    found = {box.kind: box for box in _descend(data, trak)}
    missing = {b"tkhd", b"mdhd", b"hdlr"} - found.keys()
    if missing:
        raise Mp4Error(f"a track has no {min(missing).decode()} box")
    tkhd = found[b"tkhd"]
    version = data.unpack(">B", tkhd.body)[0]
    field = Field(tkhd.body + (28 if version == 1 else 20), 8 if version == 1 else 4)
    handler = struct.pack(">I", data.unpack(">I", found[b"hdlr"].body + 8)[0]).decode("latin-1")
    edits = tuple(_edits(data, found[b"elst"])) if b"elst" in found else ()
    timescale, _, _ = _timescale_and_duration(data, found[b"mdhd"])
    return Track(handler, timescale, _read(data, field), field, edits)


def _descend(data: _Window, parent: Box) -> Iterator[Box]:
    for box in data.boxes(parent.body, parent.end):
        yield box
        if box.kind in CONTAINERS:
            yield from _descend(data, box)


def _timescale_and_duration(data: _Window, box: Box) -> tuple[int, int, Field]:
    """Of mvhd and mdhd, which begin alike."""
    version = data.unpack(">B", box.body)[0]
    timescale_at = box.body + (20 if version == 1 else 12)
    field = Field(timescale_at + 4, 8 if version == 1 else 4)
    timescale = data.unpack(">I", timescale_at)[0]
    if timescale == 0:
        raise Mp4Error("a timescale is 0")
    return timescale, _read(data, field), field


def _edits(data: _Window, elst: Box) -> Iterator[Edit]:
    version = data.unpack(">B", elst.body)[0]
    count = data.unpack(">I", elst.body + 4)[0]
    width, layout = (8, ">Qq") if version == 1 else (4, ">Ii")
    for n in range(count):
        at = elst.body + 8 + n * (2 * width + 4)
        duration, media_time = data.unpack(layout, at)
        yield Edit(duration, media_time, Field(at, width))


def _read(data: _Window, field: Field) -> int:
    return data.unpack(">Q" if field.width == 8 else ">I", field.offset)[0]


def _write(file: BinaryIO, field: Field, value: int) -> None:
    file.seek(field.offset)
    file.write(value.to_bytes(field.width, "big"))
