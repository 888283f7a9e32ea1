"""Reads format, size and orientation of a JPEG or PNG from its header, before any pixel is decoded.

Sources: ITU-T T.81 annex B (JPEG markers), W3C PNG (third edition) sections 5 and 11, Exif 2.32 section 4.6.
"""

import struct
from dataclasses import dataclass
from enum import StrEnum

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EXIF_SIGNATURE = b"Exif\0\0"
_ORIENTATION_TAG = 0x0112
_TYPE_SHORT = 3
_UPRIGHT = 1

_MARKER = 0xFF
_APP1 = 0xE1
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
# Far above what any camera or editor writes in front of the pixels; keeps a hostile file from taking longer than 10 ms.
_MAX_PARTS = 10_000
# Markers without a length: TEM and the restart markers.
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD8)})
# Start of frame: 0xC0 to 0xCF without the Huffman, reserved and arithmetic tables.
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class ImageFormat(StrEnum):
    """The formats that are taken."""

    JPEG = "jpeg"
    PNG = "png"


class ImageHeaderError(ValueError):
    """The bytes are not the beginning of a JPEG or PNG with a size; the text says what to send."""


@dataclass(frozen=True)
class ImageHeader:
    """What a header says.

    Attributes:
        format: JPEG or PNG.
        width: pixels in a row as stored.
        height: rows as stored.
        orientation: Exif's 1 to 8; 1 is upright. 5 to 8 swap width and height when shown.
    """

    format: ImageFormat
    width: int
    height: int
    orientation: int

    @property
    def megapixels(self) -> float:
        """Number of pixels in millions."""
        return self.width * self.height / 1e6


def image_header(data: bytes) -> ImageHeader:
    """Returns the header of `data`; the rest of the image may be damaged or missing.

    Raises:
        ImageHeaderError: for any other bytes; nothing else is ever raised.
    """
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if data.startswith(_PNG_SIGNATURE):
            return _png(data)
    except (struct.error, IndexError) as error:
        raise ImageHeaderError("The image is cut off: send the whole JPEG or PNG file.") from error
    raise ImageHeaderError("The file is not a JPEG or PNG image: send one of these.")


def _jpeg(data: bytes) -> ImageHeader:
    orientation = _UPRIGHT
    at = 2
    for _ in range(_MAX_PARTS):
        if data[at] == _MARKER and data[at + 1] == _MARKER:
            at += 1  # a fill byte; any number of them may stand before a marker
            continue
        if data[at] != _MARKER or data[at + 1] in (0, _START_OF_SCAN, _END_OF_IMAGE):
            break
        marker = data[at + 1]
        at += 2
        if marker in _BARE_MARKERS:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, at + 3)
            return _header(ImageFormat.JPEG, width, height, orientation)
        if marker == _APP1 and data[at + 2 : at + 8] == _EXIF_SIGNATURE:
            orientation = _exif_orientation(data[at + 8 : at + length])
        at += max(2, length)
    raise ImageHeaderError("The JPEG has no size in its header: save it again or send another.")


def _png(data: bytes) -> ImageHeader:
    length, kind = struct.unpack_from(">I4s", data, 8)
    if kind != b"IHDR" or length != 13:
        raise ImageHeaderError("The PNG has no size in its header: save it again or send another.")
    width, height = struct.unpack_from(">II", data, 16)
    orientation = _UPRIGHT
    at = 8 + 12 + length
    for _ in range(_MAX_PARTS):
        if at + 8 > len(data):
            break  # the rest may be missing: the size is known already
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IDAT":
            break
        if kind == b"eXIf":
            orientation = _exif_orientation(data[at + 8 : at + 8 + length])
        at += 12 + length
    return _header(ImageFormat.PNG, width, height, orientation)


def _header(image_format: ImageFormat, width: int, height: int, orientation: int) -> ImageHeader:
    if width == 0 or height == 0:
        raise ImageHeaderError("The image has no size in its header: save it again or send another.")
    return ImageHeader(image_format, width, height, orientation)


def _exif_orientation(exif: bytes) -> int:
    """Returns the orientation of a TIFF block, or upright where it says none that is valid."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return _UPRIGHT
    try:
        (directory,) = struct.unpack_from(order + "I", exif, 4)
        (entries,) = struct.unpack_from(order + "H", exif, directory)
        for entry in range(entries):
            tag, kind, count, value = struct.unpack_from(order + "HHIH", exif, directory + 2 + 12 * entry)
            if tag == _ORIENTATION_TAG and kind == _TYPE_SHORT and count == 1:
                return value if 1 <= value <= 8 else _UPRIGHT
    except struct.error:
        pass  # a damaged note about the image does not spoil the image
    return _UPRIGHT
