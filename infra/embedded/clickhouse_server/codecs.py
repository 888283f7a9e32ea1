"""Content codings both ways, piece by piece."""

import re
import zlib
from collections.abc import Iterator
from typing import Any, Protocol

import lz4.frame
import zstandard

from infra.embedded.clickhouse_server.errors import ClickHouseError
from infra.embedded.clickhouse_server.refusals import Refused, refusal

ANSWER_CODINGS = ("lz4", "zstd", "gzip", "deflate")
_PIECE_BYTES = 1 << 20
_GZIP_WBITS = 31
# Speed over size: client and server share one machine.
_ZLIB_LEVEL = 3
_ZSTD_LEVEL = 1


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes | None: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class BodyDecoder:
    """Undoes a request's Content-Encoding. Frames or members that follow each other are one body.

    Raises:
        ClickHouseError: NOT_IMPLEMENTED for a coding this server has not.
    """

    def __init__(self, coding: str) -> None:
        self._coding = coding.strip().lower()
        if self._coding not in ("", "identity", *ANSWER_CODINGS):
            raise refusal(Refused.CONTENT_ENCODING)
        self._frame: _Decompressor | None = None

    def feed(self, data: bytes) -> bytes:
        """The plain bytes that `data` adds.

        Raises:
            ClickHouseError: CANNOT_DECOMPRESS if the bytes are not of this coding.
        """
        if self._coding in ("", "identity"):
            return data
        plain = []
        while data:
            if self._frame is None:
                self._frame = _decompressor(self._coding)
            try:
                plain.append(self._frame.decompress(data))
            except (zlib.error, RuntimeError, EOFError, zstandard.ZstdError) as error:
                raise _broken(self._coding) from error
            if not self._frame.eof:
                break
            data = self._frame.unused_data or b""
            self._frame = None
        return b"".join(plain)

    def finish(self) -> None:
        """Check that the last frame was whole.

        Raises:
            ClickHouseError: CANNOT_DECOMPRESS if the body was cut short.
        """
        if self._frame is not None:
            raise _broken(self._coding)


def answer_coding(accept_encoding: str) -> str | None:
    """The coding to answer with: the first of `ANSWER_CODINGS` that the header accepts, or None for plain bytes."""
    accepted = set()
    for item in accept_encoding.lower().split(","):
        name, _, weight = item.partition(";")
        if not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight):
            accepted.add(name.strip())
    return next((coding for coding in ANSWER_CODINGS if coding in accepted), None)


def encoded(data: memoryview, coding: str) -> Iterator[bytes]:
    """`data` in this coding, in pieces; all of them together are one frame."""
    start, step, end = _compressor(coding)
    if start:
        yield start
    for at in range(0, len(data), _PIECE_BYTES):
        if piece := step(data[at : at + _PIECE_BYTES]):
            yield piece
    yield end()


def _compressor(coding: str) -> tuple[bytes, Any, Any]:
    if coding == "lz4":
        frame = lz4.frame.LZ4FrameCompressor()
        return frame.begin(), frame.compress, frame.flush
    if coding == "zstd":
        zstd = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
        return b"", zstd.compress, zstd.flush
    zlib_frame = zlib.compressobj(_ZLIB_LEVEL, wbits=_GZIP_WBITS if coding == "gzip" else zlib.MAX_WBITS)
    return b"", zlib_frame.compress, zlib_frame.flush


def _decompressor(coding: str) -> _Decompressor:
    if coding == "lz4":
        frame: _Decompressor = lz4.frame.LZ4FrameDecompressor()
        return frame
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj()
    return zlib.decompressobj(_GZIP_WBITS if coding == "gzip" else zlib.MAX_WBITS)


def _broken(coding: str) -> ClickHouseError:
    return ClickHouseError(271, "CANNOT_DECOMPRESS", f"The body is not whole {coding} data: send it again")
