"""The object store as the stages use it: sources and selfies to read, clips to write."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.adapters.s3 import S3Client, S3Failed, checked, translated
from infra.adapters.settings import S3Settings
from streams.outcomes import Invalid, TryLater, Unavailable
from streams.ports import StoredClip

_PIECE_BYTES = 256 * 1024
_URL_GOOD_FOR_S = 3600
_META = "x-amz-meta-"
# A clip's bytes never change under its id.
_FOR_EVER = "public, max-age=31536000, immutable"


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
            await self._client.check(self._private, self._public)

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

    async def delete_private(self, object_key: str) -> None:
        """Remove a private object; one that is not there is no error."""
        with _for_stages():
            await self._client.send("DELETE", self._private, object_key, allowed=(404,))

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


@contextmanager
def _for_stages() -> Iterator[None]:
    try:
        yield
    except S3Failed as error:
        raise Unavailable("s3", str(error)) from error
