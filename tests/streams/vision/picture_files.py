"""Pictures as files of every kind that a selfie may come in."""

import struct
import zlib

import cv2
import numpy as np

from tests.streams.vision.pictures import Image

# How a camera stores an upright picture so that the orientation turns it back.
STORED_AS = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, 1),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: np.rot90(p, -1),
}


def exif(orientation: int) -> bytes:
    return b"II" + struct.pack("<HIH", 42, 8, 1) + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)


def as_png(rgb: Image, orientation: int = 1) -> bytes:
    """Eight bits a channel, with an Exif note."""
    encoded = cv2.imencode(".png", np.ascontiguousarray(rgb[..., ::-1]))[1].tobytes()
    body = b"eXIf" + exif(orientation)
    note = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return encoded[:33] + note + encoded[33:]


def as_jpeg(rgb: Image, orientation: int = 1) -> bytes:
    """Baseline, with an Exif note."""
    encoded = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    note = b"Exif\0\0" + exif(orientation)
    return encoded[:2] + b"\xff\xe1" + struct.pack(">H", len(note) + 2) + note + encoded[2:]


def as_progressive_jpeg(rgb: Image) -> bytes:
    return cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[
        1
    ].tobytes()


def as_grey_jpeg(rgb: Image) -> bytes:
    return cv2.imencode(".jpg", _grey(rgb), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def as_grey_png(rgb: Image) -> bytes:
    return cv2.imencode(".png", _grey(rgb))[1].tobytes()


def as_png_of_16_bits(rgb: Image) -> bytes:
    return cv2.imencode(".png", rgb[..., ::-1].astype(np.uint16) * 257)[1].tobytes()


def as_png_with_alpha(rgb: Image) -> bytes:
    """Half transparent on the left, opaque on the right."""
    alpha = np.full(rgb.shape[:2], 255, np.uint8)
    alpha[:, : rgb.shape[1] // 2] = 128
    return cv2.imencode(".png", np.dstack([rgb[..., ::-1], alpha]))[1].tobytes()


def as_png_with_palette(rgb: Image) -> bytes:
    """Of 216 colours: six steps of each channel."""
    steps = (rgb.astype(np.int32) * 5 + 127) // 255
    rows = (steps @ np.array([36, 6, 1])).astype(np.uint8)
    colours = np.indices((6, 6, 6)).reshape(3, -1).T * 51
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", rgb.shape[1], rgb.shape[0], 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", colours.astype(np.uint8).tobytes()), (b"IDAT", zlib.compress(raw)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in (*chunks, (b"IEND", b"")))


def as_cmyk_jpeg(rgb: Image) -> bytes:
    """As Photoshop writes it: inks inverted, so that red, green and blue stand for cyan, magenta and yellow.

    Each plane is coded as a grey JPEG; their scans stand one after the other in one frame of four components.
    """
    planes = [*np.moveaxis(rgb, 2, 0), np.full(rgb.shape[:2], 255, np.uint8)]
    parts = [_segments(cv2.imencode(".jpg", plane, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()) for plane in planes]
    adobe = b"\xff\xee" + struct.pack(">H", 14) + b"Adobe" + struct.pack(">HHHB", 100, 0, 0, 0)
    size = struct.pack(">HH", *rgb.shape[:2])
    components = b"".join(bytes([number, 0x11, 0]) for number in range(1, 5))
    frame = b"\xff\xc0" + struct.pack(">HB", 8 + len(components), 8) + size + b"\x04" + components
    tables = b"".join(body for marker, body in parts[0] if marker in (0xDB, 0xC4))
    scans = b""
    for number, segments in enumerate(parts, start=1):
        [scan] = [body for marker, body in segments if marker == 0xDA]
        scans += scan[:5] + bytes([number]) + scan[6:]
    return b"\xff\xd8" + adobe + tables + frame + scans + b"\xff\xd9"


def _segments(jpeg: bytes) -> list[tuple[int, bytes]]:
    """Marker and bytes of each segment; a scan's data belong to it."""
    found = []
    place = 2
    while (marker := jpeg[place + 1]) != 0xD9:
        end = place + 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")
        end = len(jpeg) - 2 if marker == 0xDA else end
        found.append((marker, jpeg[place:end]))
        place = end
    return found


def _grey(rgb: Image) -> Image:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
