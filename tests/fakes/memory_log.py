"""A log in memory: what the API writes to and follows, with the faults that tests need."""

import threading
from collections.abc import Callable, Mapping, Sequence

from aiokafka.partitioner import murmur2

from api.ports import Batch, LogRecord, LogUnavailable, Partition, Position
from schemas.base import Message
from schemas.codec import encode
from schemas.topics import ALL, Topic, topic_of

PARTITIONS = 4


class MemoryLog:
    """Topics of four partitions each.

    Attributes:
        down: Everything raises LogUnavailable.
        loses_acknowledgements: A message is kept, but its sender is not told.
        end_requests: How often ends were asked for.
        sent: How many messages were appended.
    """

    def __init__(self, identity: str = "memory") -> None:
        self.identity = identity
        self.down = False
        self.loses_acknowledgements = False
        self.end_requests = 0
        self.sent = 0
        self.changed = threading.Condition()
        self.listeners: list[Callable[[Position, Message], None]] = []
        self._records: dict[Partition, list[LogRecord | None]] = {
            Partition(topic, number): [] for topic in ALL for number in range(PARTITIONS)
        }
        self._earliest: dict[Partition, int] = {}

    def check(self) -> None:
        """Raise while down."""
        if self.down:
            raise LogUnavailable("the log in memory is down")

    def append(self, message: Message) -> Position:
        """Keep a message on the topic of its type."""
        self.sent += 1
        position = self.append_raw(topic_of(type(message)), message.key.encode(), encode(message))
        for listener in self.listeners:
            listener(position, message)
        return position

    def append_raw(self, topic: Topic, key: bytes, value: bytes | None) -> Position:
        """Keep any bytes; tells no listener."""
        partition = Partition(topic, (murmur2(key) & 0x7FFFFFFF) % PARTITIONS)
        with self.changed:
            records = self._records[partition]
            records.append(LogRecord(topic, partition.number, len(records), key, value))
            self.changed.notify_all()
            return Position(topic, partition.number, len(records) - 1)

    def compact_away(self, position: Position) -> None:
        """Leave a hole where this record was."""
        with self.changed:
            self._records[Partition(position.topic, position.partition)][position.offset] = None

    def expire_before(self, position: Position) -> None:
        """Let retention take everything before this record."""
        with self.changed:
            self._earliest[Partition(position.topic, position.partition)] = position.offset

    def end(self, partition: Partition) -> int:
        """The next offset."""
        return len(self._records[partition])

    def earliest(self, partition: Partition) -> int:
        """The first offset that is there."""
        return self._earliest.get(partition, 0)

    def after(self, partition: Partition, offset: int) -> list[LogRecord]:
        """What is there from an offset on."""
        return [record for record in self._records[partition][offset:] if record is not None]


class MemoryCommands:
    """Sends into the log in memory."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def publish(self, message: Message) -> Position:
        """Keep the message."""
        self._log.check()
        position = self._log.append(message)
        if self._log.loses_acknowledgements:
            raise LogUnavailable("the acknowledgement was lost")
        return position


class MemoryLogReader:
    """Follows the log in memory.

    Attributes:
        held: Polls bring nothing, as on a replica that lags behind.
        held_topics: Nothing of these topics comes.
    """

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._next: dict[Partition, int] = {}
        self.held = False
        self.held_topics: frozenset[Topic] = frozenset()
        self.closed = False

    def identity(self) -> str:
        """The log's name."""
        self._log.check()
        return self._log.identity

    def partitions(self, topics: Sequence[Topic]) -> Sequence[Partition]:
        """Four for each."""
        self._log.check()
        return [Partition(topic, number) for topic in topics for number in range(PARTITIONS)]

    def earliest_offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """What retention left."""
        self._log.check()
        return {each: self._log.earliest(each) for each in partitions}

    def end_offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """The ends."""
        self._log.check()
        self._log.end_requests += 1
        return {each: self._log.end(each) for each in partitions}

    def assign(self, offsets: Mapping[Partition, int]) -> None:
        """Read from here."""
        self._log.check()
        self._next = dict(offsets)

    def poll(self, timeout_s: float) -> Batch:
        """What has arrived."""
        with self._log.changed:
            # Shorter than it may be: a test's end waits for the poll that is running.
            self._log.changed.wait_for(self._has_news, min(timeout_s, 0.02))
        self._log.check()
        with self._log.changed:
            moved = {each: self._log.end(each) for each in self._next if self._moves(each)}
            records = [record for each in moved for record in self._log.after(each, self._next[each])]
        self._next |= moved
        return Batch(records, moved)

    def close(self) -> None:
        """Leave."""
        self.closed = True

    def release(self) -> None:
        """Hold nothing back any more."""
        with self._log.changed:
            self.held = False
            self.held_topics = frozenset()
            self._log.changed.notify_all()

    def _has_news(self) -> bool:
        return any(self._moves(each) for each in self._next)

    def _moves(self, partition: Partition) -> bool:
        held = self.held or partition.topic in self.held_topics
        return not held and self._log.end(partition) > self._next[partition]
