"""Clients that stop in the middle, without an engine: none of these requests reaches it."""

import asyncio
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from infra.embedded.clickhouse_server.app import ClickHouseHttp, Receive
from infra.embedded.clickhouse_server.credentials import Credentials

Message = MutableMapping[str, Any]


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def exchange(folder: Path, receive: Receive, query: bytes = b"query=INSERT+INTO+t+FORMAT+CSV") -> list[Message]:
    """All that the application sends for one POST whose body comes from `receive`."""
    engine: Any = SimpleNamespace(version="1", timezone="UTC", compresses_by_default=True)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": query, "headers": []}
    with ThreadPoolExecutor(1) as workers:
        app = ClickHouseHttp(engine, Credentials("default", ""), folder, workers, receive_timeout_s=0.05)
        await app(scope, receive, send)
    return sent


async def test_a_client_that_falls_silent_gets_a_timeout_and_leaves_no_file(tmp_path: Path) -> None:
    pieces = [b"1\n" * 500_000]

    async def receive() -> Message:
        if not pieces:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": pieces.pop(), "more_body": True}

    start, *rest = await exchange(tmp_path, receive)
    assert start["status"] == 503
    assert (b"x-clickhouse-exception-code", b"209") in start["headers"]
    assert b"SOCKET_TIMEOUT" in b"".join(message["body"] for message in rest)
    assert left_in(tmp_path) == []


async def test_a_client_that_is_gone_gets_nothing_and_leaves_no_file(tmp_path: Path) -> None:
    messages: list[Message] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b"1\n" * 500_000, "more_body": True},
    ]

    async def receive() -> Message:
        return messages.pop()

    assert await exchange(tmp_path, receive) == []
    assert left_in(tmp_path) == []


async def test_the_password_is_looked_at_before_the_body(tmp_path: Path) -> None:
    async def receive() -> Message:
        raise AssertionError("the body was read")

    start, *_ = await exchange(tmp_path, receive, b"user=somebody&password=else")
    assert start["status"] == 403
