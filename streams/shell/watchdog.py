"""The watchdog: nothing processes for ever.

It asks the ledger, through the log, to give up what ran past its deadline.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, cast

from schemas.codec import decode
from schemas.records import Record
from streams.flow import Ledger
from streams.outcomes import Unavailable
from streams.shell.failpoints import Failpoint, FailpointName
from streams.shell.log import LogEvent, log, printable_key
from streams.shell.sender import Sender

# A record decodes in tens of microseconds; so many keep the loop for a few milliseconds.
RECORDS_PER_TURN = 100


class ActiveRecords(Protocol):
    """A ledger's table; `LedgerTable` is it."""

    def ready(self) -> bool:
        """Whether the records are those of the partitions owned now."""

    def active(self) -> Iterator[tuple[bytes, bytes]]:
        """Keys and records of those partitions."""


@dataclass(slots=True, kw_only=True)
class Watchdog:
    """One ledger's watchdog.

    Attributes:
        asked: Key -> version of the record whose expiry was sent. An expiry is in the log for good once acknowledged,
            so it is asked for once per version, also while the ledger is behind.
    """

    ledger: Ledger
    table: ActiveRecords
    sender: Sender
    clock: Callable[[], int]
    failpoint: Failpoint
    asked: dict[bytes, int] = field(default_factory=dict)

    async def round(self) -> None:
        """Look at every active record once. Sends nothing inside a rebalance."""
        if not self.table.ready():
            return
        now_ms = self.clock()
        seen: dict[bytes, int] = {}
        for number, (key, value) in enumerate(self.table.active()):
            if number % RECORDS_PER_TURN == RECORDS_PER_TURN - 1:
                await asyncio.sleep(0)
                if not self.table.ready():
                    return
            record = cast("Record", decode(self.ledger.records, value))
            expiry = self.ledger.expire(record, now_ms)
            if expiry is None:
                continue
            if self.asked.get(key) == record.version:
                seen[key] = record.version
                continue
            try:
                await self.sender.send([expiry])
            except Unavailable as error:
                log.warning(LogEvent.EXPIRY_NOT_SENT, stage=self.ledger.name, dependency=error.dependency)
                return
            self.failpoint(FailpointName.WATCHDOG_SENT)
            log.info(LogEvent.EXPIRY_SENT, stage=self.ledger.name, key=printable_key(key), version=record.version)
            seen[key] = self.asked[key] = record.version
        self.asked = seen
