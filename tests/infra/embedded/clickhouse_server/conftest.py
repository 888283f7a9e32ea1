from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver import Client

from tests.infra.embedded.clickhouse_server.running_server import RunningServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for the tests of a module."""
    running = RunningServer(tmp_path_factory.mktemp("clickhouse") / "data").start_in_new_folder()
    yield running
    assert running.stop() == 0


@pytest.fixture
def client(server: RunningServer) -> Iterator[Client]:
    """A plain synchronous client."""
    made = server.client()
    yield made
    made.close()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[[], RunningServer]]:
    """Starts a server of the test's own; ended with the test if the test has not ended it."""
    started = []

    def start() -> RunningServer:
        started.append(RunningServer(tmp_path / "data").start_in_new_folder())
        return started[-1]

    yield start
    for running in started:
        running.end()
