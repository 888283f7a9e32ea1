"""The adapters for Kafka obey the ports' rules, and place keys as every client of ours does."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiokafka.partitioner import murmur2

from api.ports import LogUnavailable, Partition
from infra.adapters.kafka import KafkaCommands
from infra.adapters.kafka_reader import KafkaLogReader
from infra.adapters.settings import KafkaSettings
from infra.settings import Settings
from schemas.catalog import CreateOrganisation
from schemas.topics import CATALOG_COMMANDS
from tests.ports.log_suite import LogSuite, LogUnderTest, read_until

pytestmark = pytest.mark.engines


def organisation(number: int) -> CreateOrganisation:
    return CreateOrganisation(command_id="c", at_ms=1, org_id=number, name="ours")


@pytest.fixture(scope="module")
async def commands(settings: Settings) -> AsyncIterator[KafkaCommands]:
    async with KafkaCommands(settings.kafka) as commands:
        yield commands


class TestKafkaLog(LogSuite):
    """The log on a real broker."""

    @pytest.fixture
    def log(self, settings: Settings, commands: KafkaCommands) -> LogUnderTest:
        """One log for all."""
        return LogUnderTest(commands, lambda: KafkaLogReader(settings.kafka), settings.kafka.record_partitions)


async def test_ten_thousand_keys_stand_where_murmur2_places_them(settings: Settings, commands: KafkaCommands) -> None:
    """Read back from the broker, each key stands in the partition that aiokafka's murmur2 gives it."""
    reader = KafkaLogReader(settings.kafka)
    ends = reader.end_offsets(reader.partitions([CATALOG_COMMANDS]))
    await asyncio.gather(*(commands.publish(organisation(10**6 + number)) for number in range(10_000)))
    reader.assign(ends)
    records, _ = read_until(reader, lambda records, _: len(records) >= 10_000)
    reader.close()
    placed = {record.key: record.partition for record in records}
    assert len(placed) == 10_000
    count = settings.kafka.record_partitions
    assert placed == {key: (murmur2(key) & 0x7FFFFFFF) % count for key in placed}


async def test_missing_topic_is_told_with_what_to_do(settings: Settings) -> None:
    """A namespace that was never provisioned."""
    reader = KafkaLogReader(_changed(settings.kafka, namespace="nobody-made-this"))
    with pytest.raises(LogUnavailable, match="spotclip provision"):
        reader.partitions([CATALOG_COMMANDS])
    reader.close()


def _changed(kafka: KafkaSettings, *, bootstrap: str | None = None, namespace: str | None = None) -> KafkaSettings:
    return KafkaSettings(bootstrap=bootstrap or kafka.bootstrap, namespace=namespace or kafka.namespace)


class TestOutage:
    """A broker that is not there: a bounded wait, then LogUnavailable."""

    @pytest.fixture
    def nowhere(self, settings: Settings, closed_port: int) -> KafkaSettings:
        return _changed(settings.kafka, bootstrap=f"127.0.0.1:{closed_port}")

    async def test_publish_gives_up_in_time(self, nowhere: KafkaSettings) -> None:
        began = time.monotonic()
        async with KafkaCommands(nowhere, acknowledged_within_s=1.5) as commands:
            with pytest.raises(LogUnavailable):
                await commands.publish(organisation(1))
        assert time.monotonic() - began < 8

    @pytest.mark.parametrize("asked", ["identity", "partitions", "end_offsets", "earliest_offsets"])
    def test_questions_give_up_in_time(self, nowhere: KafkaSettings, asked: str) -> None:
        reader = KafkaLogReader(nowhere, answer_within_s=1.0)
        arguments: dict[str, list[object]] = {
            "identity": [],
            "partitions": [[CATALOG_COMMANDS]],
            "end_offsets": [[Partition(CATALOG_COMMANDS, 0)]],
            "earliest_offsets": [[Partition(CATALOG_COMMANDS, 0)]],
        }
        began = time.monotonic()
        with pytest.raises(LogUnavailable):
            getattr(reader, asked)(*arguments[asked])
        assert time.monotonic() - began < 5
        reader.close()


async def test_first_publish_opens(settings: Settings) -> None:
    """Whoever composes the process makes it before there is a loop; nobody has to start it."""
    commands = KafkaCommands(settings.kafka)
    position = await commands.publish(organisation(1))
    assert position.topic == CATALOG_COMMANDS
    await commands.stop()
