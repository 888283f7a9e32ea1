"""The object store behind the two ports: sources and selfies in a private bucket, clips in one that the API shows."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import httpx

from api.ports import MediaResponse, StoredBody, StoreUnavailable
from infra.adapters.s3 import S3Client, S3Failed, checked, translated
from infra.adapters.s3_upload import put_body
from infra.adapters.settings import S3Settings
from streams.outcomes import Invalid, TryLater, Unavailable
from streams.ports import StoredClip

_PIECE_BYTES = 256 * 1024
_URL_GOOD_FOR_S = 3600
_META = "x-amz-meta-"
# A clip's bytes never change under its id.
_FOR_EVER = "public, max-age=31536000, immutable"
_ASKED = ("range", "if-range", "if-none-match", "if-modified-since")
_PASSED = ("content-type", "content-length", "content-range", "accept-ranges", "etag", "last-modified")
_ANSWERS = (304, 404, 412, 416)


class S3Objects:
    """`streams.ports.Objects`: selfies and sources to read, clips to write. Made anywhere, used on one event loop."""

    def __init__(self, settings: S3Settings) -> None:
        self._private = settings.private_bucket
        self._public = settings.public_bucket
        self._client = S3Client(settings)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def check(self) -> None:
        """Return when the store answers and the buckets are there."""
        with _for_stages():
            await _check(self._client, self._private, self._public)

    async def read_private(self, object_key: str, *, limit_bytes: int) -> bytes:
        """A whole small object. Raises `Invalid` when it is not there or larger than the limit."""
        with _for_stages():
            async with self._client.open("GET", self._private, object_key) as response:
                if checked(response, allowed=(404,)).status_code == 404:
                    raise Invalid("The picture or video is no longer stored; send it again.")
                data = bytearray()
                with translated():
                    async for piece in response.aiter_raw():
                        data += piece
                        if len(data) > limit_bytes:
                            raise Invalid(f"The file has more than {limit_bytes} bytes; send a smaller one.")
                return bytes(data)

    async def private_url(self, object_key: str) -> str:
        """An address from which a child reads ranges of a private object, good for an hour. No network."""
        return self._client.presigned(self._private, object_key, expires_s=_URL_GOOD_FOR_S)

    async def find_clip(self, object_key: str) -> StoredClip | None:
        """A clip that is already there, else None; one without what is written beside a clip counts as not there."""
        with _for_stages():
            response = await self._client.send("HEAD", self._public, object_key, allowed=(404,))
        if response.status_code == 404:
            return None
        headers = response.headers
        try:
            return StoredClip(
                size_bytes=int(headers["content-length"]),
                start_ms=int(headers[f"{_META}start-ms"]),
                end_ms=int(headers[f"{_META}end-ms"]),
                sha256=headers[f"{_META}sha256"],
                method=headers[f"{_META}method"],
            )
        except (KeyError, ValueError):
            return None

    async def put_clip(self, object_key: str, path: Path, clip: StoredClip) -> None:
        """Upload a clip file, whole or not at all, typed video/mp4 and cacheable for ever.

        Raises:
            TryLater: The file is not as long as its description says.
        """
        # The HTTP client must not meet this: it would leave a broken connection behind.
        if (await asyncio.to_thread(path.stat)).st_size != clip.size_bytes:
            raise TryLater("The clip's file has another size than was said; cut it again.")
        headers = {
            "content-type": "video/mp4",
            # Said in advance: S3 takes no body of unknown length.
            "content-length": str(clip.size_bytes),
            "cache-control": _FOR_EVER,
            f"{_META}start-ms": str(clip.start_ms),
            f"{_META}end-ms": str(clip.end_ms),
            f"{_META}sha256": clip.sha256,
            f"{_META}method": clip.method,
        }
        with _for_stages():
            await self._client.send("PUT", self._public, object_key, headers=headers, content=_pieces(path))


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece
    finally:
        file.close()


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
            await _check(self._client, self._private, self._public)


async def _check(client: S3Client, *buckets: str) -> None:
    for bucket in buckets:
        # HEAD has no body that would say why it is 404; listing one key has.
        await client.send("GET", bucket, query={"list-type": "2", "max-keys": "1"})


async def _body(response: httpx.Response) -> AsyncIterator[bytes]:
    if response.status_code not in (200, 206):
        # What the store says about an error is for its own clients.
        return
    with _for_api(), translated():
        async for piece in response.aiter_raw(_PIECE_BYTES):
            yield piece


@contextmanager
def _for_stages() -> Iterator[None]:
    try:
        yield
    except S3Failed as error:
        raise Unavailable("s3", str(error)) from error


@contextmanager
def _for_api() -> Iterator[None]:
    try:
        yield
    except S3Failed as error:
        raise StoreUnavailable(str(error)) from error
