"""An object store in memory: a private and a public bucket."""

import hashlib
import re
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from typing import Literal

from api.ports import MediaResponse, StoredBody, StoreUnavailable

_PIECE_BYTES = 1000
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_MODIFIED = "Tue, 24 Nov 2026 12:00:00 GMT"


class MemoryMedia:
    """Keeps objects in dictionaries.

    Attributes:
        down: Everything raises StoreUnavailable.
        opened, closed: How many public objects were asked for, and given back.
    """

    def __init__(self) -> None:
        self.private: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.public: dict[str, bytes] = {}
        self.down = False
        self.opened = 0
        self.closed = 0

    async def put_private(self, object_key: str, data: bytes, *, content_type: str) -> None:
        """Keep the bytes."""
        await self.check()
        self.private[object_key] = data
        self.types[object_key] = content_type

    async def put_private_stream(self, object_key: str, body: AsyncIterable[bytes], *, content_type: str) -> StoredBody:
        """Keep the body once it has come whole."""
        await self.check()
        data = b"".join([piece async for piece in body])
        await self.put_private(object_key, data, content_type=content_type)
        return StoredBody(hashlib.sha256(data).hexdigest(), len(data))

    async def delete_private(self, object_key: str) -> None:
        """Forget the object."""
        await self.check()
        self.private.pop(object_key, None)

    async def open_public(
        self, object_key: str, *, method: Literal["GET", "HEAD"], headers: Mapping[str, str]
    ) -> MediaResponse:
        """Answer as an S3 does."""
        await self.check()
        self.opened += 1
        data = self.public.get(object_key)
        if data is None:
            return self._response(404, {}, b"")
        etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
        facts = {"etag": etag, "last-modified": _MODIFIED, "accept-ranges": "bytes", "content-type": "video/mp4"}
        if headers.get("if-none-match") == etag:
            return self._response(304, facts, b"")
        status, first, end = 200, 0, len(data)
        if (asked := _RANGE.fullmatch(headers.get("range", ""))) is not None:
            status = 206
            first = int(asked[1]) if asked[1] else len(data) - int(asked[2])
            end = min(int(asked[2]) + 1, len(data)) if asked[1] and asked[2] else len(data)
            if first >= len(data):
                return self._response(416, {"content-range": f"bytes */{len(data)}"}, b"")
            facts["content-range"] = f"bytes {first}-{end - 1}/{len(data)}"
        facts["content-length"] = str(end - first)
        return self._response(status, facts, b"" if method == "HEAD" else data[first:end])

    async def check(self) -> None:
        """Raise while down."""
        if self.down:
            raise StoreUnavailable("the store in memory is down")

    def _response(self, status: int, headers: Mapping[str, str], body: bytes) -> MediaResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for first in range(0, len(body), _PIECE_BYTES):
                yield body[first : first + _PIECE_BYTES]

        async def close() -> None:
            self.closed += 1

        return MediaResponse(status, headers, pieces(), close)
