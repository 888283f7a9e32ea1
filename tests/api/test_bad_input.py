"""Forms and pictures that are not what they should be: a status for each, never a 500, and nothing is stored."""

import struct
import uuid
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.envelope import ApiError
from api.selfie import check_selfie, jpeg_is_whole, png_is_whole
from api.settings import SelfieLimits
from tests.api.door import KEY, Door, clip_search_path, picture

JPEG, PNG = picture(), picture(kind=".png")
PATH = f"{clip_search_path()}/search-by-selfie"
LIMITS = SelfieLimits()


def huge_png(width: int, height: int) -> bytes:
    """A whole PNG whose header promises this size; there are hardly any pixels in it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def progressive(extra_scans: int = 0) -> bytes:
    """A progressive JPEG of ten scans; its last one is repeated, each time a pass over the whole picture."""
    pixels = np.random.default_rng(1).integers(0, 255, (40, 30, 3), dtype=np.uint8)
    whole = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert whole.count(b"\xff\xda") == 10
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + extra_scans * last + whole[-2:]


@pytest.mark.parametrize(
    ("selfie", "status"),
    [
        (b"", 400),
        (b"hello", 400),
        (b"GIF89a" + bytes(100), 400),
        (b"RIFF\0\0\0\0WEBPVP8 " + bytes(100), 400),
        (b"\xff\xd8", 400),
        (b"\xff\xd8\xff\xd9", 400),
        (JPEG[: len(JPEG) // 2], 400),
        (JPEG[:-2], 400),
        (progressive(extra_scans=91), 400),
        (PNG[: len(PNG) // 2], 400),
        (PNG[:-1], 400),
        (PNG[:60] + bytes([PNG[60] ^ 1]) + PNG[61:], 400),
        (huge_png(1001, 1000), 400),
        (JPEG + bytes(200_000), 413),
        (bytes(3_000_000), 413),
        (huge_png(1000, 1000), 200),
        (JPEG, 200),
        (progressive(), 200),
        (progressive(extra_scans=90), 200),
        (JPEG + b"a phone's trailer", 200),
        (PNG, 200),
    ],
    ids=[
        "empty",
        "text",
        "GIF",
        "WebP",
        "JPEG of a marker",
        "JPEG of two markers",
        "half a JPEG",
        "JPEG without its end",
        "JPEG of 101 scans",
        "half a PNG",
        "PNG without its last byte",
        "PNG with a flipped bit",
        "over the megapixels",
        "over the bytes by a little",
        "over the bytes by far",
        "just within the megapixels",
        "JPEG",
        "progressive JPEG",
        "JPEG of 100 scans",
        "JPEG with a trailer",
        "PNG",
    ],
)
async def test_selfie(door: Door, selfie: bytes, status: int) -> None:
    """The file decides; a refused one is stored nowhere."""
    response = await door.post(selfie)
    assert response.status_code == status, response.text
    assert bool(door.media.private) == (status == 200)


FORM = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="request_id"\r\n'


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        pytest.param(b"", FORM, id="empty body"),
        pytest.param(b"--x", FORM, id="a boundary's begin"),
        pytest.param(b"nothing of the kind", FORM, id="no boundary in the body"),
        pytest.param(PART + b"\r\nabc", FORM, id="cut off in a part"),
        pytest.param(b"--x\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--x--\r\n", FORM, id="part without a name"),
        pytest.param(PART + b"\r\n\xff\xfe\r\n--x--\r\n", FORM, id="text that is not UTF-8"),
        pytest.param(
            PART + b"Content-Type: text/plain; charset=klingon\r\n\r\nabc\r\n--x--\r\n",
            FORM,
            id="charset that does not exist",
        ),
        pytest.param(b"--x--\r\n", "multipart/form-data", id="no boundary in the header"),
        pytest.param(b'{"request_id": "x"}', "application/json", id="JSON"),
        pytest.param(b"request_id=x", "application/x-www-form-urlencoded", id="a form of the other kind"),
        pytest.param(b"anything", "text/plain", id="text"),
        pytest.param(b"anything", "", id="no type"),
    ],
)
async def test_malformed_form(door: Door, content: bytes, content_type: str) -> None:
    """Every one is the caller's fault."""
    headers = {"X-API-Key": KEY} | ({"Content-Type": content_type} if content_type else {})
    response = await door.client.post(PATH, content=content, headers=headers)
    assert response.status_code == 400, response.text
    assert response.json()["data"] is None


@pytest.mark.parametrize(
    "parts",
    [
        [("file", ("a.jpg", JPEG)), ("file", ("b.jpg", JPEG))],
        [("request_id", (None, str(uuid.uuid4()))), ("request_id", (None, str(uuid.uuid4())))],
        [("file", ("a.jpg", JPEG)), ("name", (None, "x"))],
        [("file", ("a.jpg", JPEG)), ("request_id", (None, str(uuid.uuid4()))), ("name", (None, "x"))],
        [("file", (None, "text"))],
        [("request_id", ("id.txt", str(uuid.uuid4()).encode()))],
    ],
    ids=["two files", "two ids", "a stranger's part", "a third part", "file as text", "id as a file"],
)
async def test_wrong_parts(door: Door, parts: list[tuple[str, tuple[str | None, bytes | str]]]) -> None:
    """Only `file` and `request_id`, each once, each of its kind."""
    response = await door.client.post(PATH, files=parts, headers={"X-API-Key": KEY})
    assert response.status_code == 400, response.text
    assert not door.media.private


async def test_too_large_body_is_refused_before_it_has_come(door: Door) -> None:
    """A body of unknown length is read up to the limit and no further."""
    taken = 0

    async def endless() -> object:
        nonlocal taken
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        while True:
            taken += 65_536
            assert taken < 2_000_000, "the body is read to its end"
            yield bytes(65_536)

    headers = {"X-API-Key": KEY, "Content-Type": "multipart/form-data; boundary=x"}
    response = await door.client.post(PATH, content=endless(), headers=headers)  # type: ignore[arg-type]
    assert response.status_code == 413
    assert not door.media.private


async def test_default_limits_are_those_of_the_contract() -> None:
    """10 MiB and 50 megapixels."""
    for data, status in ((bytes(10 * 2**20 + 1), 413), (huge_png(50_001, 1000), 400)):
        with pytest.raises(ApiError) as refused:
            check_selfie(data, LIMITS)
        assert refused.value.status == status
    assert check_selfie(huge_png(50_000, 1000), LIMITS).content_type == "image/png"


@pytest.mark.parametrize("whole", [JPEG, PNG], ids=["JPEG", "PNG"])
def test_no_cut_file_is_whole(whole: bytes) -> None:
    """At whatever byte it is cut."""
    walk = jpeg_is_whole if whole is JPEG else png_is_whole
    assert walk(whole)
    assert not any(walk(whole[:length]) for length in range(len(whole)))


@given(st.binary(max_size=300), st.sampled_from([b"", JPEG[:200], PNG[:60]]))
def test_any_bytes_but_a_picture_are_refused(data: bytes, begin: bytes) -> None:
    """With a 400, and with nothing else."""
    with pytest.raises(ApiError) as refused:
        check_selfie(begin + data, LIMITS)
    assert refused.value.status == 400


async def test_refusal_repeats_nothing_of_the_selfie(door: Door) -> None:
    """An answer may end in a log; a picture may not."""
    response = await door.post(b"secret picture")
    assert "secret" not in response.text
