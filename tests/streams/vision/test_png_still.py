import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.vision.png_still import png_still

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PICTURE = np.random.default_rng(5).integers(0, 255, (9, 7, 3), np.uint8)


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


HEAD = chunk(b"IHDR", struct.pack(">IIBBBBB", 7, 9, 8, 2, 0, 0, 0))
DATA = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in PICTURE)))
END = chunk(b"IEND")
PLAIN = SIGNATURE + HEAD + DATA + END


def test_a_plain_picture_stays_as_it_is() -> None:
    assert png_still(PLAIN) == PLAIN
    decoded = cv2.imdecode(np.frombuffer(PLAIN, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert decoded is not None
    np.testing.assert_array_equal(decoded, PICTURE)


def test_notes_animation_and_what_follows_the_end_are_left_out() -> None:
    noisy = SIGNATURE + HEAD + chunk(b"acTL", bytes(8)) + chunk(b"eXIf", b"II") + DATA + chunk(b"fdAT", b"x") + END
    assert png_still(noisy + b"more") == PLAIN


@pytest.mark.parametrize(
    "data",
    [
        b"",
        SIGNATURE,
        SIGNATURE + DATA + END,
        SIGNATURE + HEAD + HEAD + DATA + END,
        SIGNATURE + HEAD + DATA,
        PLAIN[:-1],
        SIGNATURE + HEAD + struct.pack(">I", 2**31) + DATA[4:] + END,
    ],
    ids=["empty", "signature", "no header", "two headers", "no end", "cut", "huge chunk"],
)
def test_a_broken_chain_of_chunks_is_refused(data: bytes) -> None:
    assert png_still(data) is None


@given(st.binary(max_size=120))
def test_the_result_is_never_longer_than_the_file(tail: bytes) -> None:
    still = png_still(SIGNATURE + HEAD + tail)
    assert still is None or len(still) <= len(SIGNATURE + HEAD + tail)
