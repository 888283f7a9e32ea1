"""The stages' side of a real S3 obeys the port's rules."""

import dataclasses
from collections.abc import AsyncIterator

import httpx
import pytest

from infra.adapters.objects import S3Objects
from infra.adapters.s3 import S3Client
from infra.settings import Settings
from tests.ports.objects_suite import ObjectsSuite, ObjectsUnderTest

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
