"""Clips to play: the public bucket, passed through with ranges and validators."""

import asyncio
import re
from collections.abc import Mapping
from typing import Literal

from litestar import route
from litestar.types import ASGIApp, Receive, Scope, Send

from api.deps import Deps, PathId, PathText, TheDeps
from api.envelope import AnyRequest, ApiError
from api.ports import MediaResponse
from schemas.ids import clip_path

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_REQUEST = re.compile(_UUID)
_FILE = re.compile(rf"({_UUID})\.mp4")
_FORWARDED = ("range", "if-none-match", "if-modified-since")
_PASSED_ON = ("content-length", "content-range", "etag", "last-modified")
# A clip's bytes never change under its id.
_CACHING = "public, max-age=31536000, immutable"
_PATH = "/vids/{event_id:int}/motion/selfie/{request_id:str}/{file_name:str}"


@route(_PATH, http_method=["GET", "HEAD"])
async def play(
    request: AnyRequest, event_id: PathId, request_id: PathText, file_name: PathText, deps: TheDeps
) -> ASGIApp:
    """The clip, the range of it that was asked for, or its headers alone."""
    object_key = _object_key(event_id, request_id, file_name)
    return await _answer(deps, object_key, "HEAD" if request.method == "HEAD" else "GET", request.headers)


def _object_key(event_id: int, request_id: str, file_name: str) -> str:
    named = _FILE.fullmatch(file_name)
    if named is None or _REQUEST.fullmatch(request_id) is None:
        raise _unknown()
    return clip_path(event_id, request_id, named[1])


def _unknown() -> ApiError:
    return ApiError(404, "there is no such clip")


async def _answer(deps: Deps, object_key: str, method: Literal["GET", "HEAD"], asked: Mapping[str, str]) -> ASGIApp:
    headers = {name: value for name in _FORWARDED if (value := asked.get(name)) is not None}
    validator = asked.get("if-range")
    # Not every S3 knows If-Range: it is decided here. A range of something else would be a broken clip.
    if "range" in headers and validator is not None and validator != await _etag(deps, object_key):
        del headers["range"]
    response = await deps.media.open_public(object_key, method=method, headers=headers)
    if response.status in (200, 206, 304):
        return MediaAnswer(response)
    await response.close()
    if response.status == 416:
        length = response.headers.get("content-range", "bytes */*")
        raise ApiError(416, "the range lies outside of the clip", {"Content-Range": length})
    raise _unknown()


async def _etag(deps: Deps, object_key: str) -> str | None:
    response = await deps.media.open_public(object_key, method="HEAD", headers={})
    await response.close()
    return response.headers.get("etag")


class MediaAnswer:
    """An ASGI response that streams a media response and frees it whatever happens."""

    def __init__(self, response: MediaResponse) -> None:
        self._response = response

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send the head and the body; stop reading from the store once the client is gone."""
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": self._response.status, "headers": self._headers()})
            async for piece in self._response.body:
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            await self._response.close()

    def _headers(self) -> list[tuple[bytes, bytes]]:
        ours = {
            "content-type": "video/mp4",
            "accept-ranges": "bytes",
            "cache-control": _CACHING,
            "x-content-type-options": "nosniff",
        }
        passed = {name: value for name in _PASSED_ON if (value := self._response.headers.get(name)) is not None}
        if self._response.status == 304:
            passed.pop("content-length", None)
        return [(name.encode(), value.encode("latin-1")) for name, value in (ours | passed).items()]


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
