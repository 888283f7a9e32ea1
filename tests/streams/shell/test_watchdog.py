"""The watchdog's rounds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from schemas.base import Message
from schemas.codec import encode
from schemas.searches import ExpireSearch, SearchRecord
from streams.outcomes import Unavailable
from streams.shell.failpoints import pass_by
from streams.shell.watchdog import Watchdog
from tests.streams.shell import toy
from tests.streams.shell.toy_ledger import LEDGER


@dataclass
class Table:
    records: dict[str, SearchRecord]
    here: bool = True

    def ready(self) -> bool:
        return self.here

    def active(self) -> Iterator[tuple[bytes, bytes]]:
        return iter([(key.encode(), encode(record)) for key, record in self.records.items()])


@dataclass
class Log:
    sent: list[str] = field(default_factory=list)
    down: bool = False

    async def send(self, messages: Sequence[Message]) -> None:
        if self.down:
            raise Unavailable("kafka", "Kafka does not answer.")
        for message in messages:
            assert isinstance(message, ExpireSearch)
            self.sent.append(message.request_id)


@dataclass
class Now:
    now_ms: int = 1000

    def __call__(self) -> int:
        return self.now_ms


def setup(deadlines: dict[str, int]) -> tuple[Watchdog, Table, Log, Now]:
    table = Table({f"7/{name}": toy.empty_record(name, 1, deadline) for name, deadline in deadlines.items()})
    log, now = Log(), Now()
    return (
        Watchdog(ledger=LEDGER, table=table, sender=log, clock=now, failpoint=pass_by),  # type: ignore[arg-type]
        table,
        log,
        now,
    )


async def test_each_record_past_its_deadline_is_asked_for_once() -> None:
    watchdog, _, log, now = setup({"late": 500, "soon": 1500, "never": toy.FAR_FUTURE_MS})
    await watchdog.round()
    await watchdog.round()
    assert log.sent == ["late"]
    now.now_ms = 1501
    await watchdog.round()
    assert log.sent == ["late", "soon"]


async def test_a_record_that_changed_since_is_asked_for_again() -> None:
    watchdog, table, log, _ = setup({"late": 500})
    await watchdog.round()
    table.records["7/late"] = msgspec.structs.replace(table.records["7/late"], version=1)
    await watchdog.round()
    assert log.sent == ["late", "late"]


async def test_nothing_is_sent_inside_a_rebalance() -> None:
    watchdog, table, log, _ = setup({"late": 500})
    table.here = False
    await watchdog.round()
    assert log.sent == []


async def test_an_expiry_that_kafka_did_not_take_is_sent_in_a_later_round() -> None:
    watchdog, _, log, _ = setup({"late": 500})
    log.down = True
    await watchdog.round()
    log.down = False
    await watchdog.round()
    assert log.sent == ["late"]


async def test_a_round_over_many_records_stops_when_the_partitions_move() -> None:
    watchdog, table, log, _ = setup({f"r{number}": 500 for number in range(250)})

    async def send(_messages: Sequence[Message]) -> None:
        log.sent.append("one")
        table.here = False

    log.send = send  # type: ignore[method-assign]
    await watchdog.round()
    assert 0 < len(log.sent) < 250
