"""The object store as the API uses it: sources and selfies into a private bucket, clips out of a public one."""

from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import httpx

from api.ports import MediaResponse, StoredBody, StoreUnavailable
from infra.adapters.s3 import S3Client, S3Failed, checked, translated
from infra.adapters.s3_upload import put_body
from infra.adapters.settings import S3Settings

_PIECE_BYTES = 256 * 1024
_ASKED = ("range", "if-range", "if-none-match", "if-modified-since")
_PASSED = ("content-type", "content-length", "content-range", "accept-ranges", "etag", "last-modified")
_ANSWERS = (304, 404, 412, 416)


class S3Media:
    """`api.ports.MediaStore`: sources and selfies in, clips out. Made anywhere, used on one event loop."""

    def __init__(self, settings: S3Settings) -> None:
        self._private = settings.private_bucket
        self._public = settings.public_bucket
        self._client = S3Client(settings)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def put_private(self, object_key: str, data: bytes, *, content_type: str) -> None:
        """Store small bytes whole; a repeat overwrites."""
        with _for_api():
            await self._client.send(
                "PUT", self._private, object_key, headers={"content-type": content_type}, content=data
            )

    async def put_private_stream(self, object_key: str, body: AsyncIterable[bytes], *, content_type: str) -> StoredBody:
        """Store a body of unknown length while it arrives, never holding more than two parts of 16 MiB."""
        with _for_api():
            return await put_body(self._client, self._private, object_key, body, content_type=content_type)

    async def delete_private(self, object_key: str) -> None:
        """Remove an object; one that is not there is no error."""
        with _for_api():
            await self._client.send("DELETE", self._private, object_key, allowed=(404,))

    async def open_public(
        self, object_key: str, *, method: Literal["GET", "HEAD"], headers: Mapping[str, str]
    ) -> MediaResponse:
        """Ask for a public object; the body is read from the store as it is read here."""
        asked = {name: headers[name] for name in _ASKED if name in headers}
        with _for_api():
            response = await self._client.start(method, self._public, object_key, headers=asked)
            try:
                checked(response, allowed=_ANSWERS)
            except S3Failed:
                await response.aclose()
                raise
        passed = {name: response.headers[name] for name in _PASSED if name in response.headers}
        return MediaResponse(response.status_code, passed, _body(response), response.aclose)

    async def check(self) -> None:
        """Return when the store answers and the buckets are there."""
        with _for_api():
            await self._client.check(self._private, self._public)


async def _body(response: httpx.Response) -> AsyncIterator[bytes]:
    if response.status_code not in (200, 206):
        # What the store says about an error is for its own clients.
        return
    with _for_api(), translated():
        async for piece in response.aiter_raw(_PIECE_BYTES):
            yield piece


@contextmanager
def _for_api() -> Iterator[None]:
    try:
        yield
    except S3Failed as error:
        raise StoreUnavailable(str(error)) from error
