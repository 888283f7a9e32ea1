"""The adapters for S3 obey the ports' rules."""

import asyncio
import dataclasses
import hashlib
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.ports import StoreUnavailable
from infra.adapters.objects import S3Media, S3Objects
from infra.adapters.s3 import S3Client
from infra.adapters.s3_upload import PART_BYTES
from infra.adapters.settings import S3Settings
from infra.settings import Settings
from streams.outcomes import Invalid, TryLater, Unavailable
from streams.ports import StoredClip
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
async def objects(s3: S3Settings) -> AsyncIterator[S3Objects]:
    objects = S3Objects(s3)
    yield objects
    await objects.close()


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


async def test_private_object_is_read_up_to_the_limit(store: S3Media, objects: S3Objects) -> None:
    """A byte more is refused, as is an object that is not there."""
    key = private_key()
    await store.put_private(key, b"12345", content_type="image/jpeg")
    assert await objects.read_private(key, limit_bytes=5) == b"12345"
    with pytest.raises(Invalid, match="smaller"):
        await objects.read_private(key, limit_bytes=4)
    with pytest.raises(Invalid, match="again"):
        await objects.read_private(private_key(), limit_bytes=5)


async def test_private_url_opens_ranges_without_a_key(store: S3Media, objects: S3Objects) -> None:
    """As a child opens a source."""
    key = private_key()
    await store.put_private(key, b"0123456789", content_type="video/mp4")
    async with httpx.AsyncClient(trust_env=False) as anybody:
        url = await objects.private_url(key)
        assert (await anybody.get(url, headers={"range": "bytes=2-4"})).content == b"234"
        assert (await anybody.get(url.partition("?")[0])).status_code == 403


@pytest.fixture
def clip_file(tmp_path: Path) -> tuple[Path, StoredClip]:
    data = os.urandom(3_000_000)
    path = tmp_path / "clip.mp4"
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return path, StoredClip(size_bytes=len(data), start_ms=1500, end_ms=9999, sha256=digest, method="copy")


def clip_key() -> str:
    return f"vids/1/motion/selfie/{uuid.uuid4()}/{uuid.uuid4()}.mp4"


async def test_clip_is_found_as_it_was_put(
    s3: S3Settings, objects: S3Objects, client: S3Client, clip_file: tuple[Path, StoredClip]
) -> None:
    """Bytes, type, caching and what is written beside them."""
    key, (path, clip) = clip_key(), clip_file
    assert await objects.find_clip(key) is None
    await objects.put_clip(key, path, clip)
    assert await objects.find_clip(key) == clip
    response = await client.send("GET", s3.public_bucket, key)
    assert response.content == path.read_bytes()
    assert response.headers["content-type"] == "video/mp4"
    assert "immutable" in response.headers["cache-control"]


async def test_clip_file_that_is_too_short_leaves_nothing(
    objects: S3Objects, clip_file: tuple[Path, StoredClip]
) -> None:
    """Whole or not at all."""
    key, (path, clip) = clip_key(), clip_file
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TryLater):
        await objects.put_clip(key, path, clip)
    assert await objects.find_clip(key) is None


class TestOutage:
    """Down, refused or not provisioned: each side's own error, saying what to do."""

    @pytest.fixture(params=["nobody listens", "wrong secret", "no bucket"])
    def broken(self, request: pytest.FixtureRequest, s3: S3Settings, closed_port: int) -> tuple[S3Settings, str]:
        none = f"none-{uuid.uuid4()}"
        return {
            "nobody listens": (dataclasses.replace(s3, endpoint=f"127.0.0.1:{closed_port}"), "SPOTCLIP_S3_ENDPOINT"),
            "wrong secret": (dataclasses.replace(s3, secret_key="no such secret"), "SPOTCLIP_S3_ACCESS_KEY"),
            "no bucket": (
                dataclasses.replace(s3, private_bucket=none, public_bucket=none),
                "spotclip provision",
            ),
        }[request.param]

    async def test_stages_are_told(self, broken: tuple[S3Settings, str]) -> None:
        objects = S3Objects(broken[0])
        with pytest.raises(Unavailable, match=broken[1]) as raised:
            await objects.read_private("selfies/1", limit_bytes=10)
        assert raised.value.dependency == "s3"
        await objects.close()

    async def test_api_is_told(self, broken: tuple[S3Settings, str]) -> None:
        store = S3Media(broken[0])
        with pytest.raises(StoreUnavailable, match=broken[1]):
            await store.check()
        with pytest.raises(StoreUnavailable, match=broken[1]):
            await store.open_public("vids/1", method="GET", headers={})
        await store.close()

    async def test_api_cannot_put(self, s3: S3Settings, closed_port: int) -> None:
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
