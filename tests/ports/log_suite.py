"""What every log must do that the API is given: `Commands` and `LogReader`, adapters and fakes alike.

A subclass gives a fixture `log`: a `LogUnderTest` whose topics exist. Topics may be shared with others: a test looks
at keys of its own alone.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
from aiokafka.partitioner import murmur2

from api.ports import Commands, LogReader, LogRecord, Partition, Position
from schemas.catalog import CreateOrganisation
from schemas.codec import decode
from schemas.topics import CATALOG, CATALOG_COMMANDS, VIDEO_COMMANDS, Topic

WITHIN_S = 20.0
POLL_S = 0.2


@dataclass
class LogUnderTest:
    """A log's two sides.

    Attributes:
        partitions: How many partitions each topic of commands has.
    """

    commands: Commands
    open_reader: Callable[[], LogReader]
    partitions: int


def command() -> CreateOrganisation:
    """A message with a key that no other test uses."""
    number = uuid.uuid4().int >> 75
    return CreateOrganisation(command_id=str(uuid.uuid4()), at_ms=1, org_id=number, name="ours")


def from_end(reader: LogReader, topics: Sequence[Topic]) -> dict[Partition, int]:
    """Assign these topics at their ends."""
    ends = dict(reader.end_offsets(reader.partitions(topics)))
    reader.assign(ends)
    return ends


def read_until(
    reader: LogReader, enough: Callable[[list[LogRecord], dict[Partition, int]], bool]
) -> tuple[list[LogRecord], dict[Partition, int]]:
    """Poll until that is enough: all records and the latest positions."""
    records: list[LogRecord] = []
    positions: dict[Partition, int] = {}
    deadline = time.monotonic() + WITHIN_S
    while not enough(records, positions):
        assert time.monotonic() < deadline, f"only {len(records)} records and {positions}"
        batch = reader.poll(POLL_S)
        records.extend(batch.records)
        positions.update(batch.positions)
    return records, positions


class LogSuite:
    """The rules."""

    @pytest.fixture
    def reader(self, log: LogUnderTest) -> Iterator[LogReader]:
        """A reader of this test."""
        reader = log.open_reader()
        yield reader
        reader.close()

    async def test_published_message_is_read_where_it_was_acknowledged(
        self, log: LogUnderTest, reader: LogReader
    ) -> None:
        """Position, key and value agree on both sides."""
        from_end(reader, [CATALOG_COMMANDS])
        message = command()
        position = await log.commands.publish(message)
        records, positions = read_until(reader, lambda records, _: any(r.key == message.key.encode() for r in records))
        record = next(r for r in records if r.key == message.key.encode())
        assert Position(record.topic, record.partition, record.offset) == position
        assert decode(CATALOG_COMMANDS, record.value) == message
        assert positions[Partition(CATALOG_COMMANDS, position.partition)] > position.offset

    async def test_keys_are_placed_by_murmur2(self, log: LogUnderTest) -> None:
        """Ledger and replica lean on one placement of keys."""
        for _ in range(5):
            message = command()
            position = await log.commands.publish(message)
            assert position.partition == (murmur2(message.key.encode()) & 0x7FFFFFFF) % log.partitions

    async def test_end_offsets_are_behind_everything_acknowledged(self, log: LogUnderTest, reader: LogReader) -> None:
        """The barrier rests on this, from the first moment after the acknowledgement."""
        partitions = reader.partitions([CATALOG_COMMANDS])
        for _ in range(5):
            position = await log.commands.publish(command())
            assert reader.end_offsets(partitions)[Partition(CATALOG_COMMANDS, position.partition)] > position.offset

    async def test_reading_goes_on_from_an_assigned_offset(self, log: LogUnderTest, reader: LogReader) -> None:
        """The record at the offset comes first, the one before it never."""
        message = command()
        first = await log.commands.publish(message)
        second = await log.commands.publish(message)
        reader.assign({Partition(CATALOG_COMMANDS, first.partition): second.offset})
        records, _ = read_until(reader, lambda records, _: bool(records))
        assert records[0].offset == second.offset

    async def test_offsets_rise_within_a_partition(self, log: LogUnderTest, reader: LogReader) -> None:
        """Batches keep the log's order."""
        message = command()
        positions = [await log.commands.publish(message) for _ in range(20)]
        reader.assign({Partition(CATALOG_COMMANDS, positions[0].partition): positions[0].offset})
        records, _ = read_until(reader, lambda records, _: len(records) >= 20)
        offsets = [record.offset for record in records]
        assert offsets == sorted(set(offsets))

    async def test_only_assigned_partitions_are_read(self, log: LogUnderTest, reader: LogReader) -> None:
        """A later assignment replaces the one before."""
        from_end(reader, [CATALOG_COMMANDS])
        from_end(reader, [VIDEO_COMMANDS])
        await log.commands.publish(command())
        assert all(record.topic == VIDEO_COMMANDS for record in reader.poll(POLL_S).records)

    def test_partitions_name_every_partition_once(self, log: LogUnderTest, reader: LogReader) -> None:
        """Of every topic that was asked for, and of no other."""
        partitions = reader.partitions([CATALOG_COMMANDS, CATALOG])
        expected = {Partition(topic, n) for topic in (CATALOG_COMMANDS, CATALOG) for n in range(log.partitions)}
        assert len(partitions) == len(expected)
        assert set(partitions) == expected

    def test_earliest_is_never_behind_the_end(self, reader: LogReader) -> None:
        """An empty partition has both at one place."""
        partitions = reader.partitions([CATALOG_COMMANDS, CATALOG])
        earliest, ends = reader.earliest_offsets(partitions), reader.end_offsets(partitions)
        assert all(0 <= earliest[each] <= ends[each] for each in partitions)

    def test_poll_returns_an_empty_batch_after_its_timeout(self, reader: LogReader) -> None:
        """A partition at its end brings nothing, without an error."""
        from_end(reader, [VIDEO_COMMANDS])
        assert not reader.poll(POLL_S).records

    def test_identity_is_the_same_for_every_reader_of_one_log(self, log: LogUnderTest, reader: LogReader) -> None:
        """It names the log, not the reader."""
        other = log.open_reader()
        assert other.identity() == reader.identity()
        other.close()
