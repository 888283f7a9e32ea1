"""The stages' side of a real S3 obeys the port's rules."""

import dataclasses
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from infra.adapters.objects import S3Objects
from infra.adapters.s3 import S3Client
from infra.adapters.settings import S3Settings
from infra.settings import Settings
from streams.outcomes import Unavailable
from tests.ports.objects_suite import ObjectsSuite, ObjectsUnderTest, written

pytestmark = pytest.mark.engines


class TestS3Objects(ObjectsSuite):
    """The adapter."""

    @pytest.fixture
    async def under_test(self, settings: Settings, closed_port: int) -> AsyncIterator[ObjectsUnderTest]:
        """An open store, and one whose endpoint nobody listens on."""
        s3 = settings.s3
        store, down = S3Objects(s3), S3Objects(dataclasses.replace(s3, endpoint=f"127.0.0.1:{closed_port}"))
        async with S3Client(s3) as client, httpx.AsyncClient(trust_env=False) as anybody:

            async def put_private(key: str, data: bytes) -> None:
                await client.send("PUT", s3.private_bucket, key, content=data)

            async def open_url(url: str) -> bytes | None:
                response = await anybody.get(url)
                return None if response.status_code == 404 else response.raise_for_status().content

            async def read_public(key: str) -> bytes | None:
                response = await client.send("GET", s3.public_bucket, key, allowed=(404,))
                return None if response.status_code == 404 else response.content

            yield ObjectsUnderTest(store, down, put_private, open_url, read_public)
        await store.close()
        await down.close()


async def test_an_address_opens_ranges_and_nothing_without_its_signature(settings: Settings) -> None:
    """As a child opens a source."""
    s3 = settings.s3
    store, key = S3Objects(s3), f"sources/1/{uuid.uuid4()}"
    async with S3Client(s3) as client, httpx.AsyncClient(trust_env=False) as anybody:
        await client.send("PUT", s3.private_bucket, key, content=b"0123456789")
        url = await store.private_url(key)
        assert (await anybody.get(url, headers={"range": "bytes=2-4"})).content == b"234"
        assert (await anybody.get(url.partition("?")[0])).status_code == 403
    await store.close()


async def test_a_clip_is_stored_as_a_browser_wants_it(settings: Settings, tmp_path: Path) -> None:
    """Its type, and that it never changes."""
    s3, path = settings.s3, tmp_path / "clip.mp4"
    store, key, clip = S3Objects(s3), f"vids/1/motion/selfie/{uuid.uuid4()}.mp4", written(path, b"a clip's bytes")
    async with S3Client(s3) as client:
        await store.put_clip(key, path, clip)
        headers = (await client.send("HEAD", s3.public_bucket, key)).headers
    assert headers["content-type"] == "video/mp4"
    assert "immutable" in headers["cache-control"]
    await store.close()


async def test_a_store_that_does_not_work_is_an_outage_that_says_what_to_do(broken_s3: tuple[S3Settings, str]) -> None:
    """Down, refused or not provisioned."""
    objects = S3Objects(broken_s3[0])
    with pytest.raises(Unavailable, match=broken_s3[1]) as raised:
        await objects.read_private("selfies/1", limit_bytes=10)
    assert raised.value.dependency == "s3"
    await objects.close()
