"""The server as a child process of the tests, and plain HTTP to it."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import clickhouse_connect
from clickhouse_connect.driver import AsyncClient, Client

from infra.embedded.ports import free_port
from tests.waiting import wait_until

USER, PASSWORD = "runner", "let-me-in"
_REPOSITORY = Path(__file__).parents[4]


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> int:
        """ClickHouse's error code, 0 if there was none."""
        return int(self.headers.get("x-clickhouse-exception-code", "0"))


@dataclass
class RunningServer:
    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> "RunningServer":
        # Not one of the system's own: it hands those to connections, and to the servers of the other test process.
        self.port = free_port(random.SystemRandom())
        self.process = self.launch()
        wait_until(self.is_ready, 20, "the server answers /ping")
        return self

    def start_in_new_folder(self) -> "RunningServer":
        self.folder.mkdir(parents=True)
        return self.start()

    def end(self) -> None:
        """Make sure that no process is left."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)

    def launch(self) -> subprocess.Popen[bytes]:
        """A process on this folder and port, ready or not."""
        command = [sys.executable, "-m", "infra.embedded.clickhouse_server", "--path", self.folder, "--port", self.port]
        with (self.folder.parent / "server.log").open("ab") as log:
            return subprocess.Popen(
                [str(part) for part in command],
                env={**os.environ, "SPOTCLIP_CLICKHOUSE_USER": USER, "SPOTCLIP_CLICKHOUSE_PASSWORD": PASSWORD},
                stderr=log,
                cwd=_REPOSITORY,
            )

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder.parent / "server.log").read_text()
        try:
            return self.http("GET", "/ping", credentials=None).status == 200
        except OSError:
            return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal the process and wait for its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    def client(self, **options: Any) -> Client:
        return clickhouse_connect.get_client(**(self._address() | options))

    async def async_client(self, **options: Any) -> AsyncClient:
        return await clickhouse_connect.get_async_client(**(self._address() | options))

    def http(
        self,
        method: str,
        path: str = "/",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        credentials: tuple[str, str] | None = (USER, PASSWORD),
        **fields: Any,
    ) -> HttpAnswer:
        """One request on a connection of its own; `fields` are the URL's parameters."""
        sent = dict(headers or {})
        if credentials is not None:
            sent |= {"X-ClickHouse-User": credentials[0], "X-ClickHouse-Key": credentials[1]}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path + ("?" + urlencode(fields) if fields else ""), body, sent)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return HttpAnswer(response.status, names, response.read())
        finally:
            connection.close()

    def login_headers(self) -> str:
        """What a request written by hand needs."""
        return f"X-ClickHouse-User: {USER}\r\nX-ClickHouse-Key: {PASSWORD}\r\n"

    def ask(self, sql: str, **fields: Any) -> str:
        """A statement's answer as text; the statement must work."""
        answer = self.http("POST", body=sql.encode(), **fields)
        assert answer.status == 200, answer.body.decode()
        return answer.body.decode()

    def spooled(self) -> list[str]:
        return [path.name for path in (self.folder / "tmp").iterdir()]

    def _address(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "username": USER, "password": PASSWORD}
