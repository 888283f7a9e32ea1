"""The HTTP interface as an ASGI application: reading, admitting and answering requests."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from infra.embedded.clickhouse_server.arguments import Arguments, named_once, read_arguments, url_fields
from infra.embedded.clickhouse_server.body import MAX_TEXT_BYTES, RequestBody
from infra.embedded.clickhouse_server.codecs import BodyDecoder, answer_coding
from infra.embedded.clickhouse_server.credentials import Credentials
from infra.embedded.clickhouse_server.engine import Engine
from infra.embedded.clickhouse_server.errors import ClickHouseError
from infra.embedded.clickhouse_server.forms import form_boundary, read_form
from infra.embedded.clickhouse_server.queries import answer
from infra.embedded.clickhouse_server.refusals import Refused, refusal
from infra.embedded.clickhouse_server.replies import Reply, error_reply, query_headers, text_reply
from infra.embedded.clickhouse_server.running import RunningQueries

# What is taken and given without a thread: to copy it takes microseconds.
_SHORT_BYTES = 64 << 10

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class ClientGoneError(Exception):
    """The client closed the connection before its request was whole: there is nobody to answer."""


class ClickHouseHttp:
    """Answers HTTP requests from one engine.

    Args:
        engine: the open engine; this object does not close it.
        credentials: the only user.
        spool_folder: an existing folder for the data of running INSERTs.
        workers: the threads that run statements; more statements than threads wait their turn.
        receive_timeout_s: how long a client may be silent in the middle of a request (ClickHouse's
            http_receive_timeout, 30 s by default).
    """

    def __init__(
        self,
        engine: Engine,
        credentials: Credentials,
        spool_folder: Path,
        workers: ThreadPoolExecutor,
        *,
        receive_timeout_s: float = 30.0,
    ) -> None:
        self._engine = engine
        self._credentials = credentials
        self._spool_folder = spool_folder
        self._workers = workers
        self._receive_timeout_s = receive_timeout_s
        self._running = RunningQueries()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            reply = await self._reply(scope, receive)
        except ClientGoneError:
            return
        await _send(reply, send)

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        method, path = scope["method"], scope["path"]
        if path == "/ping" or (path == "/" and method in ("GET", "HEAD") and not scope["query_string"]):
            return text_reply(200, "Ok.\n")
        if path != "/":
            return text_reply(404, f"There is no handle {path}\nUse / or /ping.\n")
        if method not in ("GET", "HEAD", "POST"):
            return text_reply(405, f"The method {method} is not supported: use GET, HEAD or POST.\n")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        names = query_headers(str(uuid.uuid4()), self._engine.timezone, self._engine.version)
        try:
            fields = url_fields(scope["query_string"])
            # Before the body: nobody unknown may make the server write files.
            self._credentials.check(headers, named_once(fields))
            decoder = BodyDecoder(headers.get("content-encoding", ""))
            boundary = form_boundary(headers.get("content-type", ""))
            if boundary is not None:
                fields += read_form(await self._form(receive, decoder), boundary)
                decoder = BodyDecoder("")
            arguments = read_arguments(named_once(fields), headers, method)
            if arguments.query_id:
                names["X-ClickHouse-Query-Id"] = arguments.query_id
            with self._running.claim(names["X-ClickHouse-Query-Id"], arguments.session_id):
                reply = await self._query(arguments, headers, decoder, _nothing if boundary else receive)
        except ClickHouseError as error:
            return error_reply(error, self._engine.version, names)
        return Reply(reply.status, {**names, **reply.headers}, reply.body, reply.coding, reply.owner)

    async def _query(
        self, arguments: Arguments, headers: Mapping[str, str], decoder: BodyDecoder, receive: Receive
    ) -> Reply:
        body = RequestBody(arguments.query.encode(), decoder, self._spool_folder)
        coding = None
        if arguments.compressed_answer(default=self._engine.compresses_by_default):
            coding = answer_coding(headers.get("accept-encoding", ""))
        try:
            await self._read(receive, body.feed)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._workers, partial(answer, self._engine, arguments, body, coding))
        finally:
            body.discard()

    async def _form(self, receive: Receive, decoder: BodyDecoder) -> bytes:
        """A multipart form's bytes; it holds statement and parameters, so it is bounded like a statement."""
        form = bytearray()

        def take(data: bytes) -> None:
            form.extend(decoder.feed(data))
            if len(form) > MAX_TEXT_BYTES:
                raise refusal(Refused.LARGE_TEXT)

        await self._read(receive, take)
        decoder.finish()
        return bytes(form)

    async def _read(self, receive: Receive, take: Callable[[bytes], None]) -> None:
        """Hand each piece of the body to `take`.

        In a thread, since decompressing and writing must not hold up others; but at once while the body is short, since
        a change of threads costs a query more than that, and a form comes in many pieces.
        """
        more, taken = True, 0
        while more:
            try:
                async with asyncio.timeout(self._receive_timeout_s):
                    message = await receive()
            except TimeoutError as error:
                raise ClickHouseError(209, "SOCKET_TIMEOUT", "Timeout exceeded while reading the body") from error
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            data, more = message.get("body", b""), message.get("more_body", False)
            taken += len(data)
            if taken <= _SHORT_BYTES:
                take(data)
            else:
                await asyncio.to_thread(take, data)


async def _nothing() -> MutableMapping[str, Any]:
    """The body that is left of a request whose form was read."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(reply: Reply, send: Send) -> None:
    headers = dict(reply.headers)
    pieces = reply.pieces()
    if reply.coding:
        headers["Content-Encoding"] = reply.coding
    else:
        headers["Content-Length"] = str(len(reply.body))
    await send(
        {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        }
    )
    if not reply.coding and len(reply.body) <= _SHORT_BYTES:
        await send({"type": "http.response.body", "body": bytes(reply.body)})
        return
    while (piece := await asyncio.to_thread(_next_piece, pieces)) is not None:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _next_piece(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)
