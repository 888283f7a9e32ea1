"""What every object store must do that the API is given: `MediaStore`, adapters and fakes alike.

A subclass gives a fixture `media`: a `MediaUnderTest`.
"""

import hashlib
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import pytest

from api.ports import MediaResponse, MediaStore


@dataclass
class MediaUnderTest:
    """A store, and ways around it to see what it did.

    Attributes:
        put_public: Puts an object into the public bucket.
        read_private: The bytes of a private object; None when there is none.
    """

    store: MediaStore
    put_public: Callable[[str, bytes], Awaitable[None]]
    read_private: Callable[[str], Awaitable[bytes | None]]


class BodyFailed(Exception):
    """A body that broke off."""


async def pieces(data: bytes, size: int, *, fail_at_end: bool = False) -> AsyncIterator[bytes]:
    """The data in pieces of this size."""
    for first in range(0, len(data), size):
        yield data[first : first + size]
    if fail_at_end:
        raise BodyFailed


async def whole(response: MediaResponse) -> bytes:
    """The body, and the response given back."""
    data = b"".join([piece async for piece in response.body])
    await response.close()
    return data


def private_key() -> str:
    """A key that no other test uses."""
    return f"sources/1/suite/{uuid.uuid4()}"


class MediaSuite:
    """The rules."""

    @pytest.fixture
    async def clip(self, media: MediaUnderTest) -> tuple[str, bytes]:
        """A public object: its key and its bytes."""
        key, data = f"vids/1/motion/selfie/{uuid.uuid4()}/{uuid.uuid4()}.mp4", os.urandom(5000)
        await media.put_public(key, data)
        return key, data

    async def test_small_bytes_are_stored_and_overwritten(self, media: MediaUnderTest) -> None:
        """A repeat stands in place of the first."""
        key = private_key()
        await media.store.put_private(key, b"first", content_type="image/jpeg")
        await media.store.put_private(key, b"second", content_type="image/jpeg")
        assert await media.read_private(key) == b"second"

    @pytest.mark.parametrize("size", [0, 1, 70_000, 12_000_000], ids=lambda size: f"{size} bytes")
    async def test_streamed_body_is_stored_as_it_came(self, media: MediaUnderTest, size: int) -> None:
        """Size and SHA-256 are those of the bytes in the bucket."""
        key, data = private_key(), os.urandom(size)
        stored = await media.store.put_private_stream(key, pieces(data, 65_536), content_type="video/mp4")
        assert (stored.size_bytes, stored.sha256) == (size, hashlib.sha256(data).hexdigest())
        assert (await media.read_private(key) or b"") == data

    @pytest.mark.parametrize("size", [1000, 12_000_000], ids=lambda size: f"after {size} bytes")
    async def test_body_that_breaks_off_leaves_nothing(self, media: MediaUnderTest, size: int) -> None:
        """Its own exception comes out, and no half object stays."""
        key = private_key()
        body = pieces(os.urandom(size), 65_536, fail_at_end=True)
        with pytest.raises(BodyFailed):
            await media.store.put_private_stream(key, body, content_type="video/mp4")
        assert await media.read_private(key) is None

    async def test_deleted_object_is_gone_and_a_repeat_is_no_error(self, media: MediaUnderTest) -> None:
        """Deleting is done twice."""
        key = private_key()
        await media.store.put_private(key, b"bytes", content_type="video/mp4")
        await media.store.delete_private(key)
        await media.store.delete_private(key)
        assert await media.read_private(key) is None

    async def test_whole_object(self, media: MediaUnderTest, clip: tuple[str, bytes]) -> None:
        """200, its length, its entity tag."""
        key, data = clip
        response = await media.store.open_public(key, method="GET", headers={})
        assert response.status == 200
        assert response.headers["content-length"] == str(len(data))
        assert response.headers["etag"].startswith('"')
        assert await whole(response) == data

    @pytest.mark.parametrize(
        ("asked", "first", "last"),
        [("bytes=0-0", 0, 0), ("bytes=100-199", 100, 199), ("bytes=4990-", 4990, 4999), ("bytes=-10", 4990, 4999)],
    )
    async def test_range(
        self, media: MediaUnderTest, clip: tuple[str, bytes], asked: str, first: int, last: int
    ) -> None:
        """206 with exactly these bytes."""
        key, data = clip
        response = await media.store.open_public(key, method="GET", headers={"range": asked})
        assert response.status == 206
        assert response.headers["content-range"] == f"bytes {first}-{last}/{len(data)}"
        assert response.headers["content-length"] == str(last - first + 1)
        assert await whole(response) == data[first : last + 1]

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_unknown_object_is_404(self, media: MediaUnderTest, method: str) -> None:
        """An answer, not an exception."""
        response = await media.store.open_public("vids/1/none.mp4", method=_method(method), headers={})
        assert response.status == 404
        await response.close()

    async def test_range_behind_the_end_is_416(self, media: MediaUnderTest, clip: tuple[str, bytes]) -> None:
        """An answer, not an exception."""
        response = await media.store.open_public(clip[0], method="GET", headers={"range": "bytes=5000-"})
        assert response.status == 416
        await response.close()

    async def test_known_entity_tag_is_304(self, media: MediaUnderTest, clip: tuple[str, bytes]) -> None:
        """Nothing is sent again."""
        headers = await self._head(media, clip[0])
        response = await media.store.open_public(clip[0], method="GET", headers={"if-none-match": headers["etag"]})
        assert response.status == 304
        assert await whole(response) == b""

    async def test_head_has_the_headers_and_no_body(self, media: MediaUnderTest, clip: tuple[str, bytes]) -> None:
        """As the GET would."""
        response = await media.store.open_public(clip[0], method="HEAD", headers={})
        assert response.status == 200
        assert response.headers["content-length"] == str(len(clip[1]))
        assert await whole(response) == b""

    async def test_response_may_be_given_back_unread(self, media: MediaUnderTest, clip: tuple[str, bytes]) -> None:
        """More often than any pool of connections is large."""
        for _ in range(150):
            response = await media.store.open_public(clip[0], method="GET", headers={})
            await response.close()
        assert await whole(await media.store.open_public(clip[0], method="GET", headers={})) == clip[1]

    async def test_store_that_is_up_passes_its_check(self, media: MediaUnderTest) -> None:
        """No exception."""
        await media.store.check()

    async def _head(self, media: MediaUnderTest, key: str) -> Mapping[str, str]:
        response = await media.store.open_public(key, method="HEAD", headers={})
        await response.close()
        return response.headers


def _method(name: str) -> Literal["GET", "HEAD"]:
    return "HEAD" if name == "HEAD" else "GET"
