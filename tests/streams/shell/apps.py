"""Apps that a test builds in its own process and never starts."""

from collections.abc import Iterator
from contextlib import contextmanager

import faust

from streams.flow import Role
from streams.shell.app import ShellApp, build_app
from streams.shell.settings import ShellSettings
from streams.shell.tenure import Tenure
from tests.streams.shell.toy_ledger import LEDGER


@contextmanager
def ledger_app(bootstrap: str = "127.0.0.1:1", namespace: str = "n") -> Iterator[ShellApp]:
    """A ledger worker's app."""
    settings = ShellSettings(bootstrap_servers=bootstrap, namespace=namespace)
    app = build_app(Role.LEDGER, [LEDGER], [], settings, lambda: 0, tenure=Tenure())
    try:
        yield app
    finally:
        close(app)


def close(app: faust.App) -> None:
    """Close the loop of a consumer that was made and never started: nobody else would."""
    if app._consumer is not None:
        app._consumer._thread.thread_loop.close()
