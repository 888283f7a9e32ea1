"""A namespace and worker processes for the tests of the shell on a real Kafka."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.addresses import Addresses
from tests.streams.shell.cluster import Cluster, new_cluster
from tests.streams.shell.workers import Workers


@pytest.fixture
def cluster(stack: Addresses) -> Iterator[Cluster]:
    with new_cluster(stack.kafka_bootstrap) as cluster:
        yield cluster


@pytest.fixture
def workers(cluster: Cluster, tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(cluster, tmp_path)
    try:
        yield workers
    finally:
        workers.end_all()
