import struct
import time
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.image_header import ImageFormat, ImageHeader, ImageHeaderError, image_header

PNG = b"\x89PNG\r\n\x1a\n"


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *extra: bytes) -> bytes:
    size = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return PNG + size + b"".join(extra) + png_chunk(b"IDAT", b"")


def exif(orientation: int, order: str = "<", kind: int = 3) -> bytes:
    mark = b"II" if order == "<" else b"MM"
    other = struct.pack(order + "HHII", 0x010F, 2, 4, 0)
    entry = struct.pack(order + "HHIHH", 0x0112, kind, 1, orientation, 0)
    return mark + struct.pack(order + "HIH", 42, 8, 2) + other + entry


def jpeg(width: int, height: int, *, marker: int = 0xC0, before: bytes = b"") -> bytes:
    frame = struct.pack(">BBHBHHB", 0xFF, marker, 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8" + before + frame


def app1(body: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(body) + 8) + b"Exif\0\0" + body


SAMPLES = (
    png(640, 480),
    png(3, 4, png_chunk(b"eXIf", exif(6, ">"))),
    jpeg(640, 480),
    jpeg(640, 480, before=app1(exif(8))),
)


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC2, 0xC9, 0xCF])
def test_a_jpeg_of_any_coding_gives_its_size(marker: int) -> None:
    assert image_header(jpeg(4000, 3000, marker=marker)) == ImageHeader(ImageFormat.JPEG, 4000, 3000, 1)


def test_tables_before_the_frame_are_no_frame() -> None:
    tables = b"\xff\xc4\x00\x04\x00\x00" + b"\xff\xff\xff\xdb\x00\x03\x00"
    assert image_header(jpeg(30, 20, before=tables)).width == 30


def test_a_png_gives_its_size() -> None:
    assert image_header(png(70_000, 3)) == ImageHeader(ImageFormat.PNG, 70_000, 3, 1)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_read_in_both_byte_orders(orientation: int, order: str) -> None:
    assert image_header(jpeg(4, 3, before=app1(exif(orientation, order)))).orientation == orientation
    assert image_header(png(4, 3, png_chunk(b"eXIf", exif(orientation, order)))).orientation == orientation


@pytest.mark.parametrize("body", [exif(0), exif(9), exif(6, kind=4), exif(6)[:-6], b"", b"XX" + exif(6)[2:]])
def test_an_invalid_orientation_counts_as_upright(body: bytes) -> None:
    assert image_header(jpeg(4, 3, before=app1(body))).orientation == 1


def test_megapixels_are_known_before_any_pixel() -> None:
    assert image_header(png(100_000, 100_000)).megapixels == 10_000


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", b"\xff\xd8", PNG, png(0, 4), jpeg(4, 0), jpeg(4, 3)[:-9], b"\xff\xd8\xff\xda\x00\x02"],
)
def test_other_bytes_are_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(ImageHeaderError, match=r"send|save"):
        image_header(data)


@pytest.mark.parametrize(
    "data",
    [b"\xff\xd8" + b"\xff" * 10_000_000, b"\xff\xd8" + b"\xff\xe0\x00\x02" * 2_500_000],
    ids=["fill bytes", "empty segments"],
)
def test_a_header_without_end_is_given_up_soon(data: bytes) -> None:
    began = time.process_time()
    with pytest.raises(ImageHeaderError):
        image_header(data)
    assert time.process_time() - began < 0.1


def is_read_or_refused(data: bytes) -> bool:
    try:
        header = image_header(data)
    except ImageHeaderError:
        return True
    return header.width > 0 and header.height > 0 and 1 <= header.orientation <= 8


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8", b"\xff\xd8\xff\xe1", PNG, png(4, 3)[:33]]))
@example(b"\xff" * 50, b"\xff\xd8")
def test_no_bytes_crash_it(tail: bytes, head: bytes) -> None:
    assert is_read_or_refused(head + tail)


@given(st.sampled_from(SAMPLES), st.data())
def test_no_damage_to_a_good_image_crashes_it(image: bytes, data: st.DataObject) -> None:
    damaged = bytearray(image[: data.draw(st.integers(0, len(image)))])
    for _ in range(data.draw(st.integers(0, 4))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    assert is_read_or_refused(bytes(damaged))
