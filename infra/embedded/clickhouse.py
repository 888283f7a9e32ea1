"""The embedded ClickHouse server as a service."""

import functools
import http.client
import sys
from pathlib import Path

from infra.embedded.credentials import Credentials
from infra.embedded.ports import LOOPBACK
from infra.embedded.service import Service

NAME = "clickhouse"
GRACE_S = 15.0
_IMPORT_ROOT = Path(__file__).resolve().parents[2]


def answers(port: int) -> bool:
    r"""Whether ``GET /ping`` is answered with ``Ok.\n``."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1)
    try:
        connection.request("GET", "/ping")
        response = connection.getresponse()
        return response.status == http.HTTPStatus.OK and response.read() == b"Ok.\n"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def service(directory: Path, port: int, credentials: Credentials) -> Service:
    """The server over the data in ``directory``, on the loopback port ``port``."""
    return Service(
        name=NAME,
        argv=[
            sys.executable,
            "-m",
            "infra.embedded.clickhouse_server",
            "--path",
            str(directory),
            "--host",
            LOOPBACK,
            "--port",
            str(port),
        ],
        ready=functools.partial(answers, port),
        env={
            "SPOTCLIP_CLICKHOUSE_USER": credentials.clickhouse_user,
            "SPOTCLIP_CLICKHOUSE_PASSWORD": credentials.clickhouse_password,
            # The module is found wherever the stack was started from, also in a checkout that is not installed.
            "PYTHONPATH": str(_IMPORT_ROOT),
        },
        ports=(port,),
        before=lambda _log: directory.mkdir(parents=True, exist_ok=True, mode=0o700),
        grace_s=GRACE_S,
    )
