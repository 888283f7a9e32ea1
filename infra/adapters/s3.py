"""Requests to an S3 store: signed by the minio SDK, sent by httpx on the event loop, with bounded waits."""

from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, quote, urlencode

import httpx
from minio.credentials.credentials import Credentials
from minio.signer import presign_v4, sign_v4_s3

from infra.adapters.settings import S3Settings

# A store on the same network connects in milliseconds; a part of 16 MiB takes 13 s at 10 Mb/s, and the wait is between
# two pieces of it, not for the whole.
_TIMEOUT = httpx.Timeout(connect=3.0, read=20.0, write=20.0, pool=5.0)
# Players keep a response open for as long as they play: many, mostly waiting.
_LIMITS = httpx.Limits(max_connections=256, max_keepalive_connections=32, keepalive_expiry=30.0)
# The bytes are protected by our own SHA-256, which a reader can check; signing them would hash them twice.
_UNSIGNED = "UNSIGNED-PAYLOAD"
_NO_BUCKET = b"<Code>NoSuchBucket</Code>"


class S3Failed(Exception):
    """The store did not answer or refused; one sentence. Adapters turn it into their port's own error."""


class S3Client:
    """A client for both buckets. Made anywhere, used on one event loop, closed at the end.

    Buckets stand in the path, not in the host name: every S3 takes that.
    """

    def __init__(self, settings: S3Settings) -> None:
        self._scheme = "https" if settings.secure else "http"
        # The signature covers the host as clients write it: without the scheme's own port.
        self._host = settings.endpoint.removesuffix(":443" if settings.secure else ":80")
        self._region = settings.region
        self._credentials = Credentials(settings.access_key, settings.secret_key)
        # A redirect would be to another host, for which the signature does not hold.
        self._http = httpx.AsyncClient(timeout=_TIMEOUT, limits=_LIMITS, trust_env=False, follow_redirects=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """Nothing to open: connections are made when needed."""
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()

    def presigned(self, bucket: str, object_key: str, *, expires_s: int) -> str:
        """An address that lets whoever has it read the object for a while. No network."""
        url = presign_v4(
            method="GET",
            url=self._url(bucket, object_key, {}),
            region=self._region,
            credentials=self._credentials,
            date=datetime.now(UTC),
            expires=expires_s,
        )
        return str(url.geturl())

    async def check(self, *buckets: str) -> None:
        """Return when the store answers and the buckets are there; else raise `S3Failed`."""
        for bucket in buckets:
            # HEAD has no body that would say why it is 404; listing one key has.
            await self.send("GET", bucket, query={"list-type": "2", "max-keys": "1"})

    async def send(
        self,
        method: str,
        bucket: str,
        object_key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | AsyncIterable[bytes] = b"",
        allowed: tuple[int, ...] = (),
    ) -> httpx.Response:
        """A response whose body is read whole: for small bodies alone.

        Raises:
            S3Failed: No answer, or a status that is neither 2xx nor one of those allowed.
        """
        async with self.open(method, bucket, object_key, query=query, headers=headers, content=content) as response:
            with translated():
                await response.aread()
            return checked(response, allowed=allowed)

    @asynccontextmanager
    async def open(
        self,
        method: str,
        bucket: str,
        object_key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | AsyncIterable[bytes] = b"",
    ) -> AsyncIterator[httpx.Response]:
        """A response whose body is still to be read; freed at the end of the block."""
        response = await self.start(method, bucket, object_key, query=query, headers=headers, content=content)
        try:
            yield response
        finally:
            await response.aclose()

    async def start(
        self,
        method: str,
        bucket: str,
        object_key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | AsyncIterable[bytes] = b"",
    ) -> httpx.Response:
        """As `open`, for a response that outlives the caller: whoever gets it must `aclose` it.

        Raises:
            S3Failed: No answer, or a 404 because the bucket is missing.
        """
        url = self._url(bucket, object_key, query or {})
        signed = self._signed(method, url, headers or {})
        request = self._http.build_request(method, url.geturl(), headers=signed, content=content)
        with translated():
            response = await self._http.send(request, stream=True)
            # A missing bucket is a fault of the deployment, not a missing object; only a body tells them apart.
            if response.status_code == httpx.codes.NOT_FOUND and _NO_BUCKET in await response.aread():
                raise S3Failed(f"The bucket {bucket} does not exist; run `spotclip provision`.")
        return response

    def _url(self, bucket: str, object_key: str, query: Mapping[str, str]) -> SplitResult:
        path = f"/{bucket}/{quote(object_key)}" if object_key else f"/{bucket}"
        return SplitResult(self._scheme, self._host, path, urlencode(query, quote_via=quote, safe=""), "")

    def _signed(self, method: str, url: SplitResult, headers: Mapping[str, str]) -> dict[str, str]:
        now = datetime.now(UTC)
        signed = sign_v4_s3(
            method=method,
            url=url,
            region=self._region,
            headers={
                **headers,
                "host": self._host,
                # A store must not compress: lengths and ranges are those of the object.
                "accept-encoding": "identity",
                "x-amz-content-sha256": _UNSIGNED,
                "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
            },
            credentials=self._credentials,
            content_sha256=_UNSIGNED,
            date=now,
        )
        return {name: str(value) for name, value in signed.items()}


def checked(response: httpx.Response, *, allowed: tuple[int, ...] = ()) -> httpx.Response:
    """The response itself.

    Raises:
        S3Failed: Its status is neither 2xx nor one of those allowed.
    """
    status = response.status_code
    if response.is_success or status in allowed:
        return response
    if status in (401, 403):
        raise S3Failed("The object store refused the key; check SPOTCLIP_S3_ACCESS_KEY, its secret and its rights.")
    raise S3Failed(f"The object store answered with status {status}; look at its log.")


@contextmanager
def translated() -> Iterator[None]:
    """Turn httpx's errors into `S3Failed`."""
    try:
        yield
    except httpx.HTTPError as error:
        raise S3Failed(
            f"The object store did not answer ({type(error).__name__}); check that it runs and SPOTCLIP_S3_ENDPOINT."
        ) from error
