"""Every client of the project places a key in the same partition."""

import asyncio

import pytest

from infra.adapters.kafka import KafkaCommands
from infra.adapters.settings import KafkaSettings
from schemas.topics import MATCHES
from streams.shell.alive import Alive
from streams.shell.exits import end_process
from streams.shell.failpoints import pass_by
from streams.shell.sender import Sender
from streams.shell.table import partition_of
from tests.streams.shell import toy
from tests.streams.shell.apps import ledger_app
from tests.streams.shell.cluster import PARTITIONS, Cluster

KEYS = 10_000


async def test_the_workers_producer_places_as_the_table_counts() -> None:
    """aiokafka's partitioner, as Faust hands it to the producer, against ours."""
    with ledger_app() as app:
        partitioner = app.producer.partitioner
    for partitions in (8, 32):
        places = list(range(partitions))
        for number in range(KEYS):
            key = f"{number % 97}/{number}".encode()
            assert partitioner(key, places, places) == partition_of(key, partitions)


@pytest.mark.engines
async def test_the_apis_producer_places_as_the_table_counts(cluster: Cluster) -> None:
    commands = KafkaCommands(
        KafkaSettings(
            bootstrap=cluster.bootstrap,
            namespace=cluster.namespace,
            record_partitions=PARTITIONS,
            work_partitions=PARTITIONS,
            replication=1,
        )
    )
    try:
        for start in range(0, KEYS, 1000):
            messages = [toy.submit(str(number)) for number in range(start, start + 1000)]
            positions = await asyncio.gather(*(commands.publish(message) for message in messages))
            for message, position in zip(messages, positions, strict=True):
                assert position.partition == partition_of(message.key.encode(), PARTITIONS)
    finally:
        await commands.stop()


@pytest.mark.engines
async def test_what_the_sender_sends_lies_where_the_table_counts(cluster: Cluster) -> None:
    with ledger_app(cluster.bootstrap, cluster.namespace) as app:
        await app.producer.start()
        alive = Alive(limit_s=60, end=end_process)
        sender = Sender(producer=lambda: app.producer, namespace=cluster.namespace, alive=alive, failpoint=pass_by)
        await sender.send([toy.match(str(number)) for number in range(1000)])
        await app.producer.stop()
    found = cluster.read(MATCHES)
    assert len(found) == 1000
    assert all(entry.partition() == partition_of(entry.key(), PARTITIONS) for entry in found)
