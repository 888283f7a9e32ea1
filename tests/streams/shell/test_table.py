"""A ledger's table: acknowledged writes, recovery by the highest version."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import msgspec
import pytest

from schemas.codec import encode
from schemas.topics import SEARCHES, Topic
from streams.outcomes import Unavailable
from streams.shell.table import LedgerTable, head_of
from tests.streams.shell import toy
from tests.streams.shell.apps import ledger_app


@dataclass
class Broker:
    """Takes records, or does not; notes whether the table had them already."""

    table: LedgerTable
    down: bool = False
    order: list[str] = field(default_factory=list)

    async def send_record(self, topic: Topic, key: bytes, value: bytes, partition: int) -> None:
        assert (topic, partition) == (SEARCHES, 3)
        self.order.append("kept" if self.table.read(key) == value else "sent")
        if self.down:
            raise Unavailable("kafka", "Kafka does not answer.")


@pytest.fixture
async def table() -> AsyncIterator[LedgerTable]:
    with ledger_app() as app:
        table = app.tables["toy-table"]
        assert isinstance(table, LedgerTable)
        yield table


def record(version: int) -> bytes:
    return encode(msgspec.structs.replace(toy.empty_record("one", 1, 1), version=version, applied={"facts": version}))


def changelog(*versions: int | None) -> list[SimpleNamespace]:
    """Events of a recovery, as the store reads them."""
    values = [None if version is None else record(version) for version in versions]
    return [
        SimpleNamespace(key=b"7/one", value=value, message=SimpleNamespace(value=value, partition=3))
        for value in values
    ]


async def test_a_record_is_here_only_after_the_broker_has_it(table: LedgerTable) -> None:
    broker = Broker(table)
    await table.put(
        SEARCHES,
        b"7/one",
        record(1),
        3,
        sender=broker,
        acknowledged=lambda: broker.order.append("acknowledged"),  # type: ignore[arg-type]
    )
    assert broker.order == ["sent", "acknowledged"]
    assert table.read(b"7/one") == record(1)


async def test_a_record_that_the_broker_did_not_take_is_not_here(table: LedgerTable) -> None:
    broker = Broker(table, down=True)
    with pytest.raises(Unavailable):
        await table.put(SEARCHES, b"7/one", record(1), 3, sender=broker, acknowledged=lambda: None)  # type: ignore[arg-type]
    assert table.read(b"7/one") is None


async def test_nobody_writes_past_the_broker(table: LedgerTable) -> None:
    with pytest.raises(TypeError, match="Use put"):
        table[b"7/one"] = record(1)
    table.data[b"7/one"] = record(1)
    with pytest.raises(TypeError, match="erased"):
        del table[b"7/one"]


@pytest.mark.parametrize(
    ("batches", "version"),
    [([[1, 2, 3]], 3), ([[5, 1]], 5), ([[5], [1]], 5), ([[1], [2]], 2), ([[2], [2]], 2)],
    ids=["in order", "late waker in a batch", "late waker in the next batch", "newer batch", "repeat"],
)
async def test_recovery_keeps_the_highest_version(table: LedgerTable, batches: list[list[int]], version: int) -> None:
    for batch in batches:
        table.apply_changelog_batch(changelog(*batch))
    stored = table.read(b"7/one")
    assert stored is not None
    assert head_of(stored).version == version


async def test_the_head_of_a_record_is_that_of_the_whole(table: LedgerTable) -> None:
    head = head_of(record(9))
    assert (head.version, head.applied) == (9, {"facts": 9})
    assert not table.ready()


async def test_records_of_partitions_that_moved_away_are_forgotten(table: LedgerTable) -> None:
    """Also those that were put here, which Faust would keep for ever."""
    keys = [f"7/r{number}".encode() for number in range(40)]
    for key in keys:
        table.data[key] = record(1)
    table.active_partitions = lambda: {0, 1}  # type: ignore[method-assign] # a broker's answer, in a running app
    table._recover_callbacks.clear()  # the check of the sources asks a broker
    await table.on_recovery_completed(set(), set())
    left = {key for key in keys if table.read(key) is not None}
    assert left == {key for key in keys if table.partition_of(key) in (0, 1)}
    assert {key for key, _ in table.active()} == left
