"""A ledger's table: its changelog is the ledger topic, and a record is here only after the broker has it."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn, cast

import faust
import msgspec
from aiokafka.partitioner import murmur2
from faust.tables import TableManager
from faust.types import TP, AppT

from schemas.topics import Topic
from streams.shell.sender import Sender


class RecordHead(msgspec.Struct):
    """The fields of a stored record that the shell itself looks at, read without decoding the rest."""

    version: int = 0
    applied: dict[str, int] = msgspec.field(default_factory=dict)


_heads = msgspec.json.Decoder(RecordHead)


def head_of(value: bytes) -> RecordHead:
    """Version and applied offsets of a record's bytes."""
    return _heads.decode(value)


def partition_of(key: bytes, partitions: int) -> int:
    """Where Kafka's own producers put this key: murmur2, sign dropped, modulo."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


def recovered(app: AppT) -> asyncio.Event:
    """Set once the app's tables are read for the first time, or at its first assignment where it has none."""
    tables = cast("TableManager", app.tables)  # Faust's interface leaves `recovery` out
    return tables.recovery.completed


class LedgerTable(faust.Table[bytes, bytes]):
    """Key bytes to record bytes, for the partitions that this process owns.

    Faust's own table sends its changelog without awaiting it and commits over a refused record; this one cannot be
    set, only `put`.
    """

    def on_key_set(self, key: bytes, value: bytes) -> NoReturn:  # noqa: ARG002 # Faust's signature
        """Refuse `table[key] = value`."""
        raise TypeError("Use put: it waits for the broker.")

    def on_key_del(self, key: bytes) -> NoReturn:  # noqa: ARG002 # Faust's signature
        """Refuse `del table[key]`."""
        raise TypeError("Put a record that says it is erased: replicas must see it.")

    def read(self, key: bytes) -> bytes | None:
        """The record's bytes, or None."""
        value: bytes | None = self.data.get(key)
        return value

    async def put(
        self,
        topic: Topic,
        key: bytes,
        value: bytes,
        partition: int,
        *,
        sender: Sender,
        acknowledged: Callable[[], None],
    ) -> None:
        """Write the record to the broker, call `acknowledged`, then keep it here. Raises as `Sender` does."""
        await sender.send_record(topic, key, value, partition)
        acknowledged()
        self.data[key] = value

    def apply_changelog_batch(self, batch: Iterable[Any]) -> None:
        """Recover by the highest version: a late waker's older record may stand after a newer one."""
        best: dict[bytes, Any] = {}
        for event in batch:
            have = best[event.key].value if event.key in best else self.read(event.key)
            if have is None or event.value is None or head_of(event.value).version > head_of(have).version:
                best[event.key] = event
        super().apply_changelog_batch(best.values())

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Forget the records of partitions that moved away; then what Faust does."""
        mine = self.active_partitions()
        # Faust forgets only what it recovered itself, not what was put here.
        for key in [key for key in self.data if self.partition_of(key) not in mine]:
            del self.data[key]
        await super().on_recovery_completed(active_tps, standby_tps)

    def ready(self) -> bool:
        """Whether the records here are those of the partitions owned now. Never true inside a rebalance."""
        # `completed` stays set through later recoveries, hence the second half.
        return recovered(self.app).is_set() and not self.app.rebalancing

    def partition_of(self, key: bytes) -> int:
        """The partition of a key of this table."""
        return partition_of(key, self.partitions or 1)

    def active_partitions(self) -> set[int]:
        """The partitions this process is the writer of."""
        name = self.changelog_topic.get_topic_name()
        return {tp.partition for tp in self.app.assignor.assigned_actives() if tp.topic == name}

    def active(self) -> Iterator[tuple[bytes, bytes]]:
        """The records of the active partitions, as they stand at this call; standbys are left out."""
        mine = self.active_partitions()
        return ((key, value) for key, value in list(self.data.items()) if self.partition_of(key) in mine)
