"""The consumer that holds: every offset of a source is handed over once, in order, and committed when it is finished.

Leans on the insides of faust-streaming 0.15.3, which is pinned for it. What stock Faust does instead:
    it seeks with the flow active and then clears its queues: what arrived between is thrown away and the position is
    past it, so events are lost at rebalances with a table, also with commits present;
    a fetch that was waiting when a rebalance began may take what comes after recovery has put a changelog at its place,
    and throw it away: recovery then waits for ever for what is behind the position;
    it does not seek where nothing is committed: events of a fresh group are skipped when a second worker joins;
    it acknowledges an event whose handler raised, and commits over a hole of exactly one event.
"""

from typing import Any, Protocol

from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.shell.log import LogEvent, log
from streams.shell.tenure import Tenure


class Positioned(Protocol):
    """A message with its place in the log."""

    @property
    def tp(self) -> TP: ...  # noqa: D102 # see the class

    @property
    def offset(self) -> int: ...  # noqa: D102 # see the class


# A broker answers a connection's requests in turn, so whatever a rebalance asks waits behind a fetch that waits for
# messages. Faust's 1.5 s stood three times in every start and move: 3.1 s of 4.6 (measured). An idle worker pays with
# four small requests per second; messages never wait for this.
_FETCH_WAIT_MS = 250


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's own, with shorter fetches that lose nothing."""

    async def _fetch_records(
        self,
        consumer: Any,  # noqa: ANN401 # aiokafka has no types
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 # Faust's signature
        max_records: int | None = None,
    ) -> Any:  # noqa: ANN401 # see above
        """What has arrived; nothing while the flow is stopped, and then the positions stay where they were put."""
        records = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        if self.consumer.flow_active:
            return records
        # Seeks run in this thread too, so none comes between the fetch and this.
        for tp in records.keys() & consumer.assignment():
            consumer.seek(tp, records[tp][0].offset)
        return {}

    def _create_worker_consumer(self, transport: Any) -> Any:  # noqa: ANN401 # Faust has no types
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS  # noqa: SLF001 # read at its start; Faust passes a fixed number
        return consumer


class ShellConsumer(driver.Consumer):
    """Faust's consumer, with a frontier of our own for each source partition.

    A source is a topic that is no changelog. Sources are neither compacted nor transactional, so their offsets have no
    holes of their own.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 # Faust's constructor, passed on
        super().__init__(*args, **options)
        # Partition -> first offset that is not finished.
        self._frontier: dict[TP, int] = {}

    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def tenure(self) -> Tenure:
        """The process's own; see there."""
        app: Any = self.app
        tenure: Tenure = app.tenure
        return tenure

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ANN401, ASYNC109 # as Faust's
        """What has arrived; None while the flow is stopped, where Faust would seek, beside recovery's own seek."""
        records, active_partitions = await super()._wait_next_records(timeout)
        return records if self.flow_active else None, active_partitions

    async def wait_empty(self) -> None:
        """Wait for the messages that are being worked on; those that wait go back to the log."""
        self.tenure.end()
        await super().wait_empty()

    async def perform_seek(self) -> None:
        """Put every source at its commit, or at the log's start where there is none or it lies outside the log."""
        # Faust resumes the flow itself, right after this. Until then nothing may arrive: it would be thrown away.
        self.stop_flow()
        self.tenure.renew()
        await super().perform_seek()
        mine = {tp for tp in self.assignment() if not self._is_changelog_tp(tp)}
        if not mine:
            self._frontier = {}
            return
        starts = await self.earliest_offsets(*mine)
        ends = await self.highwaters(*mine)
        for tp in mine:
            committed = self._committed_offset[tp]
            if committed is not None and starts[tp] <= committed <= ends[tp]:
                continue
            if committed is not None:
                log.warning(
                    LogEvent.COMMIT_MOVED,
                    topic=tp.topic, partition=tp.partition, committed=committed, start=starts[tp], end=ends[tp],
                )  # fmt: skip
                self._frontier.pop(tp, None)
            self._committed_offset[tp] = starts[tp]
            await self.seek(tp, starts[tp])
        self._frontier = {tp: max(self._frontier.get(tp, 0), self._committed_offset[tp] or 0) for tp in mine}

    def in_order(self, message: Positioned) -> bool:
        """Whether everything before this message is finished. False: an offset was lost on the way."""
        return message.offset <= self._frontier.get(message.tp, 0)

    def finish(self, message: Positioned) -> None:
        """Let this message be committed. It must be in order."""
        self._frontier[message.tp] = max(self._frontier.get(message.tp, 0), message.offset + 1)

    def _new_offset(self, tp: TP) -> int | None:
        """What Faust may commit: the frontier, whatever it believes to be acknowledged."""
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        frontier = self._frontier.get(tp)
        return frontier if frontier is not None and frontier > (self._committed_offset[tp] or 0) else None


class ShellTransport(driver.Transport):
    """Faust's transport with our consumer."""

    Consumer = ShellConsumer
