"""The API's side of a real S3 obeys the port's rules."""

import asyncio
import dataclasses
import hashlib
import os
from collections.abc import AsyncIterator

import pytest

from api.ports import StoreUnavailable
from infra.adapters.media import S3Media
from infra.adapters.s3 import S3Client
from infra.adapters.s3_upload import PART_BYTES
from infra.adapters.settings import S3Settings
from infra.settings import Settings
from tests.ports.media_suite import BodyFailed, MediaSuite, MediaUnderTest, pieces, private_key

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def s3(settings: Settings) -> S3Settings:
    return settings.s3


@pytest.fixture(scope="module")
async def store(s3: S3Settings) -> AsyncIterator[S3Media]:
    store = S3Media(s3)
    yield store
    await store.close()


@pytest.fixture(scope="module")
async def client(s3: S3Settings) -> AsyncIterator[S3Client]:
    async with S3Client(s3) as client:
        yield client


class TestS3Media(MediaSuite):
    """The API's side of the store."""

    @pytest.fixture
    def media(self, s3: S3Settings, store: S3Media, client: S3Client) -> MediaUnderTest:
        """A store on a real S3."""

        async def put_public(key: str, data: bytes) -> None:
            await client.send("PUT", s3.public_bucket, key, headers={"content-type": "video/mp4"}, content=data)

        async def read_private(key: str) -> bytes | None:
            response = await client.send("GET", s3.private_bucket, key, allowed=(404,))
            return None if response.status_code == 404 else response.content

        return MediaUnderTest(store, put_public, read_private)


async def unfinished(client: S3Client, s3: S3Settings, key: str) -> bool:
    listed = await client.send("GET", s3.private_bucket, query={"uploads": ""})
    return key in listed.text


@pytest.mark.parametrize("size", [PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 7], ids=lambda size: f"{size} bytes")
async def test_body_of_several_parts_is_put_together(
    s3: S3Settings, store: S3Media, client: S3Client, size: int
) -> None:
    """Around the size of a part, nothing is lost and nothing is doubled."""
    key, data = private_key(), os.urandom(size)
    stored = await store.put_private_stream(key, pieces(data, 1_000_000), content_type="video/mp4")
    assert (stored.size_bytes, stored.sha256) == (size, hashlib.sha256(data).hexdigest())
    async with client.open("GET", s3.private_bucket, key) as response:
        assert hashlib.sha256(await response.aread()).hexdigest() == stored.sha256
        assert response.headers["content-type"] == "video/mp4"


async def test_broken_body_gives_its_parts_back(s3: S3Settings, store: S3Media, client: S3Client) -> None:
    """An upload that has begun is ended, so that nobody pays for parts that no one sees."""
    key = private_key()
    body = pieces(os.urandom(PART_BYTES + 10), 1_000_000, fail_at_end=True)
    with pytest.raises(BodyFailed):
        await store.put_private_stream(key, body, content_type="video/mp4")
    assert not await unfinished(client, s3, key)


async def test_cancelled_upload_gives_its_parts_back(s3: S3Settings, store: S3Media, client: S3Client) -> None:
    """The client has gone in the middle of a body."""
    key, stuck = private_key(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield os.urandom(PART_BYTES + 1)
        stuck.set()
        await asyncio.Event().wait()

    upload = asyncio.create_task(store.put_private_stream(key, body(), content_type="video/mp4"))
    await stuck.wait()
    assert await unfinished(client, s3, key)
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert not await unfinished(client, s3, key)


class TestOutage:
    """Down, refused or not provisioned: the port's error, saying what to do."""

    async def test_it_is_told(self, broken_s3: tuple[S3Settings, str]) -> None:
        store = S3Media(broken_s3[0])
        with pytest.raises(StoreUnavailable, match=broken_s3[1]):
            await store.check()
        with pytest.raises(StoreUnavailable, match=broken_s3[1]):
            await store.open_public("vids/1", method="GET", headers={})
        await store.close()

    async def test_nothing_can_be_put(self, s3: S3Settings, closed_port: int) -> None:
        """Small bytes and bodies. (Some stores make a missing bucket when something is put there.)"""
        store = S3Media(dataclasses.replace(s3, endpoint=f"127.0.0.1:{closed_port}"))
        with pytest.raises(StoreUnavailable):
            await store.put_private("selfies/1", b"x", content_type="image/jpeg")
        with pytest.raises(StoreUnavailable):
            await store.put_private_stream("sources/1", pieces(b"x", 1), content_type="video/mp4")
        await store.close()


def test_secrets_stay_out_of_repr(s3: S3Settings) -> None:
    """A settings group may land in a traceback."""
    assert s3.secret_key not in repr(s3)
    assert s3.access_key not in repr(s3)
