"""Bodies of unknown length: in parts, hashed as they pass, whole or not at all."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterable, AsyncIterator
from html import escape

from api.ports import StoredBody
from infra.adapters.s3 import S3Client, S3Failed

# S3 takes 10,000 parts: 16 MiB makes 156 GiB. The only memory an upload takes, twice for a moment.
PART_BYTES = 16 * 1024 * 1024
_UPLOAD_ID = re.compile(r"<UploadId>([^<]+)</UploadId>")
_ABORT_WITHIN_S = 10.0


async def put_body(
    client: S3Client, bucket: str, object_key: str, body: AsyncIterable[bytes], *, content_type: str
) -> StoredBody:
    """Store a body while it arrives. An exception of `body`, or a cancellation, leaves nothing and comes out as it is.

    Raises:
        S3Failed: The store did not answer or refused.
    """
    digest, size = hashlib.sha256(), 0
    upload: _Upload | None = None
    try:
        async for part, last in _parts(body):
            digest.update(part)
            size += len(part)
            if upload is None and last:
                # Everything fits into one request.
                await client.send("PUT", bucket, object_key, headers={"content-type": content_type}, content=part)
                return StoredBody(digest.hexdigest(), size)
            if upload is None:
                upload = await _Upload.begin(client, bucket, object_key, content_type)
            await upload.add(part)
        if upload is not None:
            await upload.complete()
    except BaseException:  # a cancelled upload must not leave its parts behind either
        if upload is not None:
            await upload.abort()
        raise
    return StoredBody(digest.hexdigest(), size)


async def _parts(body: AsyncIterable[bytes]) -> AsyncIterator[tuple[bytes, bool]]:
    """Pieces of `PART_BYTES`, each with whether it is the last, which alone may be shorter; at least one."""
    kept = bytearray()
    async for piece in body:
        kept += piece
        while len(kept) > PART_BYTES:
            yield bytes(kept[:PART_BYTES]), False
            del kept[:PART_BYTES]
    yield bytes(kept), True


class _Upload:
    """A multipart upload that has begun."""

    def __init__(self, client: S3Client, bucket: str, object_key: str, upload_id: str) -> None:
        self._client = client
        self._bucket = bucket
        self._object_key = object_key
        self._id = upload_id
        self._tags: list[str] = []

    @classmethod
    async def begin(cls, client: S3Client, bucket: str, object_key: str, content_type: str) -> "_Upload":
        response = await client.send(
            "POST", bucket, object_key, query={"uploads": ""}, headers={"content-type": content_type}
        )
        found = _UPLOAD_ID.search(response.text)
        if found is None:
            raise S3Failed("The object store did not begin an upload in parts; check that it is an S3.")
        return cls(client, bucket, object_key, found[1])

    async def add(self, part: bytes) -> None:
        query = {"partNumber": str(len(self._tags) + 1), "uploadId": self._id}
        response = await self._client.send("PUT", self._bucket, self._object_key, query=query, content=part)
        tag = response.headers.get("etag")
        if tag is None:
            raise S3Failed("The object store did not name a part of an upload; check that it is an S3.")
        self._tags.append(tag)

    async def complete(self) -> None:
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(tag)}</ETag></Part>"
            for number, tag in enumerate(self._tags, start=1)
        )
        response = await self._client.send(
            "POST",
            self._bucket,
            self._object_key,
            query={"uploadId": self._id},
            headers={"content-type": "application/xml"},
            content=f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode(),
        )
        # S3 may begin its answer with 200 before it knows.
        if "<Error>" in response.text:
            raise S3Failed("The object store could not put an upload's parts together; send the file again.")

    async def abort(self) -> None:
        """Give the parts back, also while being cancelled. What cannot be given back falls to the bucket's rule."""
        query = {"uploadId": self._id}
        aborting = asyncio.ensure_future(self._client.send("DELETE", self._bucket, self._object_key, query=query))
        # `wait` does not raise what the task raises: the first error is the one that counts.
        await asyncio.wait({aborting}, timeout=_ABORT_WITHIN_S)
        if aborting.done() and not aborting.cancelled():
            aborting.exception()
