"""The process: one folder, one engine, one listening socket."""

import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from infra.embedded.clickhouse_server.app import ClickHouseHttp
from infra.embedded.clickhouse_server.credentials import Credentials
from infra.embedded.clickhouse_server.engine import Engine

# Statements that run side by side; others wait. The engine itself parallelises each over the cores.
_WORKERS = 32
# ClickHouse's http_max_uri_size is 1 MiB; the rest is for headers.
_MAX_REQUEST_HEAD_BYTES = (1 << 20) + (64 << 10)
# ClickHouse's keep_alive_timeout.
_KEEP_ALIVE_S = 30
# Below the grace that the embedded stack gives this process before it kills it.
_SHUTDOWN_S = 10


def serve(folder: Path, host: str, port: int, credentials: Credentials) -> None:
    """Serve until SIGTERM or SIGINT; then finish the running requests, close the engine and return.

    Layout of `folder`: `engine/` is ClickHouse's own, `tmp/` holds the data of running INSERTs and is emptied at start.

    Raises:
        ClickHouseError: if the folder cannot be opened.
        ValueError: if it would listen to other machines without a password.
    """
    if not credentials.password and not _is_loopback(host):
        raise ValueError(f"Set SPOTCLIP_CLICKHOUSE_PASSWORD before listening on {host}")
    engine = Engine(folder / "engine")
    try:
        # Only after the engine has locked the folder: the files of another process must not be removed.
        spool_folder = folder.resolve() / "tmp"
        shutil.rmtree(spool_folder, ignore_errors=True)
        spool_folder.mkdir()
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="query") as workers:
            _listen(ClickHouseHttp(engine, credentials, spool_folder, workers), host, port)
    finally:
        engine.close()


def _listen(app: ClickHouseHttp, host: str, port: int) -> None:
    # uvicorn raises the signal it stopped for once more; by then the work is done, and the exit is a clean one.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    uvicorn.run(
        app,
        host=host,
        port=port,
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=_MAX_REQUEST_HEAD_BYTES,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
