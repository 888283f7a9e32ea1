"""Clips to play: ranges, validators and caching as players and browsers want them; no key."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Literal, cast

import pytest
from litestar.types import HTTPDisconnectEvent, Message, Scope

from api.controllers.media import MediaAnswer
from api.ports import MediaResponse, StoreUnavailable
from schemas.ids import clip_path
from tests.api.door import EVENT, Door, open_door, settings
from tests.fakes.memory_media import MemoryMedia

DATA = bytes(range(250)) * 20
KEY_OF_CLIP = clip_path(EVENT, str(uuid.uuid4()), str(uuid.uuid4()))
URL = f"/{KEY_OF_CLIP}"


@pytest.fixture
def clip(door: Door) -> Door:
    """A door with one clip of 5000 bytes."""
    door.media.public[KEY_OF_CLIP] = DATA
    return door


async def test_whole_clip(clip: Door) -> None:
    """200, `video/mp4`, cacheable for ever, ranges offered."""
    response = await clip.client.get(URL)
    assert (response.status_code, response.content) == (200, DATA)
    assert response.headers["content-type"] == "video/mp4"
    assert response.headers["content-length"] == "5000"
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["etag"].startswith('"')
    assert response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("asked", "content_range", "expected"),
    [
        ("bytes=0-0", "bytes 0-0/5000", DATA[:1]),
        ("bytes=0-", "bytes 0-4999/5000", DATA),
        ("bytes=4000-9999", "bytes 4000-4999/5000", DATA[4000:]),
        ("bytes=-100", "bytes 4900-4999/5000", DATA[4900:]),
    ],
)
async def test_range(clip: Door, asked: str, content_range: str, expected: bytes) -> None:
    """206 with exactly these bytes."""
    response = await clip.client.get(URL, headers={"Range": asked})
    assert (response.status_code, response.content) == (206, expected)
    assert response.headers["content-range"] == content_range
    assert response.headers["content-length"] == str(len(expected))


async def test_range_behind_the_end(clip: Door) -> None:
    """416 in the envelope, with the clip's length."""
    response = await clip.client.get(URL, headers={"Range": "bytes=5000-"})
    assert response.status_code == 416
    assert response.headers["content-range"] == "bytes */5000"
    assert response.json()["responseType"] == "error"


async def test_known_clip_is_not_sent_again(clip: Door) -> None:
    """304 without a body, with its validators."""
    etag = (await clip.client.get(URL)).headers["etag"]
    response = await clip.client.get(URL, headers={"If-None-Match": etag})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == etag
    assert "content-length" not in response.headers


async def test_if_range_of_this_clip_gives_the_range(clip: Door) -> None:
    """206."""
    etag = (await clip.client.get(URL)).headers["etag"]
    response = await clip.client.get(URL, headers={"Range": "bytes=1-2", "If-Range": etag})
    assert (response.status_code, response.content) == (206, DATA[1:3])


@pytest.mark.parametrize("validator", ['"another"', "Tue, 24 Nov 2020 12:00:00 GMT"])
async def test_if_range_of_something_else_gives_the_whole(clip: Door, validator: str) -> None:
    """200: a range of something else would be a broken clip."""
    response = await clip.client.get(URL, headers={"Range": "bytes=1-2", "If-Range": validator})
    assert (response.status_code, response.content) == (200, DATA)


async def test_head_has_the_headers_and_no_body(clip: Door) -> None:
    """As the GET would."""
    response = await clip.client.head(URL)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == "5000"
    assert response.headers["content-type"] == "video/mp4"


@pytest.mark.parametrize(
    "path",
    [
        f"/vids/{EVENT}/motion/selfie/{uuid.uuid4()}/{uuid.uuid4()}.mp4",
        f"{URL}.mp4",
        URL.removesuffix(".mp4"),
        URL.upper().replace("VIDS", "vids").replace("MOTION", "motion").replace("SELFIE", "selfie"),
        f"/vids/{EVENT}/motion/selfie/..%2F..%2Fsecret/{uuid.uuid4()}.mp4",
        f"/vids/{EVENT + 1}/motion/selfie/{URL.split('/', 5)[-1]}",
    ],
    ids=["unknown", "two endings", "no ending", "capitals", "a way up", "another event"],
)
async def test_no_such_clip(clip: Door, path: str) -> None:
    """404 in the envelope."""
    response = await clip.client.get(path)
    assert response.status_code == 404
    assert response.json()["responseType"] == "error"


async def test_store_out_of_reach(clip: Door) -> None:
    """500: nobody can say that there is no such clip."""
    clip.media.down = True
    assert (await clip.client.get(URL)).status_code == 500


async def test_every_answer_of_the_store_is_given_back(clip: Door) -> None:
    """Else its connections run out."""
    for headers in ({}, {"Range": "bytes=9000-"}, {"Range": "bytes=0-1", "If-Range": '"x"'}, {"Range": "bytes=0-1"}):
        await clip.client.get(URL, headers=headers)
    await clip.client.head(URL)
    await clip.client.get(f"/{clip_path(EVENT, str(uuid.uuid4()), str(uuid.uuid4()))}")
    assert clip.media.opened == clip.media.closed > 0


class BreakingMedia(MemoryMedia):
    """A store that breaks off in the middle of a clip."""

    async def open_public(
        self, object_key: str, *, method: Literal["GET", "HEAD"], headers: Mapping[str, str]
    ) -> MediaResponse:
        """Answer with a body that breaks off."""
        whole = await super().open_public(object_key, method=method, headers=headers)

        async def half() -> AsyncIterator[bytes]:
            yield DATA[:1000]
            raise StoreUnavailable("broke off")

        return MediaResponse(whole.status, whole.headers, half(), whole.close)


async def test_store_that_breaks_off_ends_the_response_unfinished(tmp_path: Path) -> None:
    """The client must see that it has not got the whole; the store's answer is given back."""
    media = BreakingMedia()
    media.public[KEY_OF_CLIP] = DATA
    async with open_door(settings(tmp_path / "r.sqlite"), media=media) as door:
        with pytest.raises(Exception, match="after response started"):
            await door.client.get(URL)
    assert media.opened == media.closed == 1


async def test_client_that_goes_away_ends_the_reading() -> None:
    """The rest of a clip that nobody takes is not fetched; the store's answer is given back."""
    closed = asyncio.Event()
    gone = asyncio.Event()
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0)
            yield b"piece"

    async def close() -> None:
        closed.set()

    async def receive() -> HTTPDisconnectEvent:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal sent
        sent += message["type"] == "http.response.body"
        if sent == 3:
            gone.set()

    answer = MediaAnswer(MediaResponse(200, {}, endless(), close))
    async with asyncio.timeout(5):
        await answer(cast("Scope", {"type": "http"}), receive, send)
    assert closed.is_set()
    assert 3 <= sent < 100
