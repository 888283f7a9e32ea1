"""What an uploaded selfie must be, checked without decoding a pixel.

The walk below finds files that are cut off or are no picture at all: a JPEG must have a frame, a scan and its end
marker, a PNG whole chunks with right checksums from IHDR to IEND. It does not decode: damage inside a JPEG's entropy
coded data, or a PNG whose checksums fit a broken deflate stream, passes here and ends the search as `failed`.
"""

import hashlib
import re
import zlib
from typing import NamedTuple

from api.envelope import ApiError
from api.settings import SelfieLimits
from schemas.image_header import ImageFormat, ImageHeader, ImageHeaderError, image_header

# Inside entropy coded data FF is followed by a stuffed 00, by a restart marker, or by more FFs that fill (T.81, B.1.1).
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_PNG_SIGNATURE_BYTES = 8
# Encoders write 10. A scan of 20 bytes makes a decoder pass over the whole picture, 17 ms at 50 megapixels (measured):
# a file of 10 MiB could ask for hours.
_MAX_SCANS = 100


class Selfie(NamedTuple):
    """A selfie that passed: its bytes, their SHA-256 in hex, its media type."""

    data: bytes
    sha256: str
    content_type: str


def check_selfie(data: bytes, limits: SelfieLimits) -> Selfie:
    """The selfie, if it may be one. Blocks for some milliseconds: call it off the loop.

    Raises:
        ApiError: 400 for an empty, foreign, oversized or cut-off picture; 413 for too many bytes.
    """
    if not data:
        raise ApiError(400, "the selfie file is empty")
    if len(data) > limits.max_bytes:
        raise too_large(limits)
    try:
        header = image_header(data)
    except ImageHeaderError as error:
        raise ApiError(400, "the selfie is not a JPEG or PNG picture") from error
    if header.width * header.height > limits.max_pixels:
        raise ApiError(400, f"the selfie has more than {limits.max_pixels // 1_000_000} megapixels")
    if not _whole(data, header):
        raise ApiError(
            400, "the selfie is damaged, cut off or of an unusual kind; save it anew and send the whole file"
        )
    return Selfie(data, hashlib.sha256(data).hexdigest(), f"image/{header.format}")


def too_large(limits: SelfieLimits) -> ApiError:
    """The answer to too many bytes."""
    return ApiError(413, f"the selfie is larger than {limits.max_bytes / 2**20:g} MiB")


def _whole(data: bytes, header: ImageHeader) -> bool:
    return jpeg_is_whole(data) if header.format is ImageFormat.JPEG else png_is_whole(data)


def jpeg_is_whole(data: bytes) -> bool:
    """Whether the first picture of a JPEG file runs from its start marker over a frame and scans to its end marker.

    One of more than 100 scans counts as broken.
    """
    place, frame, scans = 2, False, 0
    while (found := _NEXT_MARKER.search(data, place)) is not None:
        if not scans and found.start() != place and data[place : found.start()].strip(b"\xff"):
            return False  # before the first scan, markers follow each other without anything between them
        marker, place = data[found.start() + 1], found.end()
        if marker == _EOI:
            return frame and scans > 0
        if marker in (_SOI, _TEM):
            continue
        length = int.from_bytes(data[place : place + 2], "big")
        if length < 2 or place + length > len(data):
            return False
        frame = frame or marker in _FRAMES
        scans += marker == _SOS
        if scans > _MAX_SCANS:
            return False
        place += length
    return False


def png_is_whole(data: bytes) -> bool:
    """Whether a PNG file is whole chunks with right checksums, from IHDR over at least one IDAT to IEND."""
    place, pixels = _PNG_SIGNATURE_BYTES, False
    first = True
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        end = place + 8 + length
        if end + 4 > len(data) or zlib.crc32(data[place + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return False
        if first and kind != b"IHDR":
            return False
        if kind == b"IEND":
            return pixels
        first = False
        pixels = pixels or kind == b"IDAT"
        place = end + 4
    return False
