"""A folder over HTTP on the loopback, with byte ranges, that counts every byte it sends.

``bytes_sent`` is what the socket took: it holds what a client asked for and threw away, as a real network would carry.
"""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

# Small pieces and a small send buffer keep the count near what the client really read before it hung up.
PIECE_BYTES = 16 * 1024
SEND_BUFFER_BYTES = 32 * 1024


@dataclass
class Served:
    """One answered request: its path, status, the range's first byte and the bytes of the body that were sent."""

    method: str
    path: str
    status: int
    first_byte: int
    body_bytes: int = 0


class RangeServer:
    """Serves ``folder``; use it through :func:`range_server`."""

    def __init__(self, folder: Path, *, closes_quietly: bool) -> None:
        self._folder = folder
        self.closes_quietly = closes_quietly
        self._lock = threading.Lock()
        self._served: list[Served] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler_class())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    @property
    def served(self) -> list[Served]:
        with self._lock:
            return [Served(**vars(entry)) for entry in self._served]

    @property
    def bytes_sent(self) -> int:
        return sum(entry.body_bytes for entry in self.served)

    def forget(self) -> None:
        """Starts counting anew."""
        with self._lock:
            self._served.clear()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def record(self, entry: Served) -> None:
        with self._lock:
            self._served.append(entry)

    def add_bytes(self, entry: Served, count: int) -> None:
        with self._lock:
            entry.body_bytes += count

    def resolve(self, path: str) -> Path | None:
        """The file that a request's path names, or None when there is none inside the folder."""
        wanted = (self._folder / path.partition("?")[0].lstrip("/")).resolve()
        return wanted if wanted.is_file() and wanted.is_relative_to(self._folder.resolve()) else None

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(_RangeHandler):
            server_owner = owner

        return Handler


class _RangeHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    server_owner: RangeServer

    def setup(self) -> None:
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        super().setup()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Says nothing: the record of requests is ``served``."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        file = self.server_owner.resolve(self.path)
        if file is None:
            self._head(404, {"Content-Length": "0"})
            return
        size = file.stat().st_size
        span = _wanted_span(self.headers.get("Range"), size)
        if span is None:
            self._head(416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"})
            return
        first, last, partial = span
        headers = {"Accept-Ranges": "bytes", "Content-Type": "video/mp4", "Content-Length": str(last - first + 1)}
        if partial:
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        entry = Served(self.command, self.path, 206 if partial else 200, first)
        self.server_owner.record(entry)
        try:
            self._head(entry.status, headers)
            if self.command == "GET":
                with file.open("rb") as stream:
                    self._body(stream, entry, last - first + 1)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            # The client has what it wanted and hung up: that is how a media reader ends an open range.
            self.close_connection = True

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.server_owner.closes_quietly:
            self.close_connection = True
        elif self.close_connection:
            # As RFC 9112 9.6 asks; without it FFmpeg sends its next request into the closing connection.
            self.send_header("Connection", "close")
        self.end_headers()

    def _body(self, stream: BinaryIO, entry: Served, count: int) -> None:
        stream.seek(entry.first_byte)
        while count > 0:
            piece = stream.read(min(PIECE_BYTES, count))
            if not piece:
                self.close_connection = True
                return
            self.wfile.write(piece)
            self.server_owner.add_bytes(entry, len(piece))
            count -= len(piece)


def _wanted_span(header: str | None, size: int) -> tuple[int, int, bool] | None:
    """(first byte, last byte, partial) of a Range header; None when it cannot be satisfied."""
    if header is None:
        return 0, size - 1, False
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header.strip())
    if match is None:
        return 0, size - 1, False
    first_text, last_text = match.groups()
    if not first_text:
        length = min(int(last_text or 0), size)
        return (size - length, size - 1, True) if length else None
    first = int(first_text)
    last = min(int(last_text), size - 1) if last_text else size - 1
    return (first, last, True) if first <= last else None


@contextmanager
def range_server(folder: Path, *, closes_quietly: bool = False) -> Iterator[RangeServer]:
    """A running server over ``folder``, stopped at the end of the block.

    With ``closes_quietly`` it ends every connection after one answer without having said so, as some proxies do.
    """
    server = RangeServer(folder, closes_quietly=closes_quietly)
    server.start()
    try:
        yield server
    finally:
        server.stop()
