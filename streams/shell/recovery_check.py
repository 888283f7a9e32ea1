"""Looks at the records of newly gained partitions before their messages are taken."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from faust.types import TP

from schemas.topics import Topic
from streams.shell.exits import Exit, ExitCode
from streams.shell.log import LogEvent, log
from streams.shell.start_check import highest_applied, source_that_ends_early
from streams.shell.table import LedgerTable, RecordHead, head_of
from streams.shell.transport import ShellConsumer

RECORDS_PER_TURN = 1000


@dataclass(slots=True, kw_only=True)
class RecoveryCheck:
    """Ends the process when a source topic ends below what its partition's records have applied.

    Attributes:
        sources: The ledger's topics by their name on the broker.
        consumer: Gives Faust's consumer, which exists only once the app runs.
        checked: Partitions looked at since they were gained: ends only grow.
    """

    table: LedgerTable
    sources: Mapping[str, Topic]
    consumer: Callable[[], ShellConsumer]
    end: Exit
    checked: set[int] = field(default_factory=set)

    async def run(self) -> None:
        """Called by Faust after each recovery, before the flow resumes."""
        mine = self.table.active_partitions()
        gained = mine - self.checked
        if gained:
            await self._check(gained)
        self.checked = mine

    async def _check(self, gained: set[int]) -> None:
        heads: list[tuple[int, RecordHead]] = []
        for number, (key, value) in enumerate(self.table.active()):
            if number % RECORDS_PER_TURN == RECORDS_PER_TURN - 1:
                await asyncio.sleep(0)
            partition = self.table.partition_of(key)
            if partition in gained:
                heads.append((partition, head_of(value)))
        names = {topic.part: name for name, topic in self.sources.items()}
        highest = highest_applied(heads)
        consumer = self.consumer()
        places = {place: TP(names[place[1]], place[0]) for place in highest if place[1] in names}
        ends = await consumer.highwaters(*places.values()) if places else {}
        early = source_that_ends_early(
            {place: highest[place] for place in places}, lambda partition, part: ends[places[partition, part]]
        )
        if early is not None:
            partition, part = early
            log.error(
                LogEvent.SOURCE_ENDS_EARLY,
                topic=names[part], partition=partition, end=ends[places[early]], applied=highest[early],
            )  # fmt: skip
            self.end(ExitCode.REFUSED)
