"""An API process's own copy of the ledgers: reads without a network, waits without polling."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from api.ports import LogReader, LogUnavailable, Partition
from api.replica.barrier import Barrier, Ends
from api.replica.follower import Follower
from api.replica.signals import Signals
from api.replica.store import ReplicaStore, Touched
from api.replica.views import KnownKey, Reading, ReplicaViews
from api.settings import ReplicaSettings
from schemas.base import Message
from schemas.topics import Topic

T = TypeVar("T")
_MOVED = "moved"


class Replica:
    """The local copy. Made anywhere, started and used on one event loop."""

    def __init__(self, settings: ReplicaSettings, log: LogReader) -> None:
        self._settings = settings
        self._log = log
        self._signals = Signals()
        self._positions: dict[Partition, int] = {}
        # A thread of its own: in an outage these requests hang, and must not take the threads of other work.
        self._asker = ThreadPoolExecutor(1, thread_name_prefix="log-ends")
        self._barrier = Barrier(self._ask_ends, self._reach, wait_s=settings.barrier_wait_s)

    async def start(self) -> None:
        """Open the file, begin to follow. Does not wait for the log."""
        self._loop = asyncio.get_running_loop()
        store = ReplicaStore(self._settings.path)
        self._views = ReplicaViews(self._settings.path)
        self._follower = Follower(store, self._log, retry_s=self._settings.retry_s, announce=self._announce)
        self._follower.start()
        self._refreshing = asyncio.create_task(self._refresh())

    async def stop(self) -> None:
        """Stop following; close file and reader."""
        self._refreshing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._refreshing
        await self._barrier.stop()
        await asyncio.to_thread(self._asker.shutdown, cancel_futures=True)
        await asyncio.to_thread(self._follower.stop)
        self._views.close()

    @property
    def trusted(self) -> bool:
        """Whether the end of the log was seen lately enough to believe in keys."""
        seen_at_s = self._barrier.seen_at_s
        return seen_at_s is not None and self._loop.time() - seen_at_s <= self._settings.trust_s

    async def catch_up(self) -> None:
        """See everything that was acknowledged before this call. Raises LogUnavailable."""
        await self._barrier.passed()

    def read(self, ledger: Topic, key: str) -> Reading:
        """What is known here and now."""
        return self._views.read(ledger, key)

    async def settled(self, ledger: Topic, key: str) -> Reading:
        """What is known, made sure of before it says that there is no record. Raises LogUnavailable only then."""
        reading = self.read(ledger, key)
        if reading.record is None:
            await self.catch_up()
            reading = self.read(ledger, key)
        return reading

    async def key(self, key_hash: str) -> KnownKey | None:
        """An API key, made sure of before it says that there is none, or when the copy is too old to be trusted.

        Raises:
            LogUnavailable: It could not be made sure of.
        """
        known = self._views.key(key_hash)
        if known is None or not self.trusted:
            await self.catch_up()
            known = self._views.key(key_hash)
        return known

    async def below(self, ledger: Topic, parent: int) -> list[Message]:
        """The records listed under a parent, up to date. Raises LogUnavailable."""
        await self.catch_up()
        return self._views.below(ledger, parent)

    def known_below(self, ledger: Topic, parent: int) -> list[Message]:
        """The records listed under a parent as they are known here, at no cost of the log's."""
        return self._views.below(ledger, parent)

    async def with_prefix(self, ledger: Topic, prefix: str) -> list[Message]:
        """The records whose key starts so, up to date. Raises LogUnavailable."""
        await self.catch_up()
        return self._views.with_prefix(ledger, prefix)

    async def wait_for(
        self, ledger: Topic, key: str, check: Callable[[Reading], T | None], timeout_s: float
    ) -> T | None:
        """What `check` makes of the record, as soon as that is not None; None after the timeout."""
        deadline = self._loop.time() + timeout_s
        while (found := check(self.read(ledger, key))) is None:
            remaining_s = deadline - self._loop.time()
            if remaining_s <= 0 or not await self._signals.wait((ledger, key), remaining_s):
                return check(self.read(ledger, key))
        return found

    async def _ask_ends(self) -> Ends:
        while not self._positions:
            await self._signals.wait(_MOVED, self._settings.barrier_wait_s)
        return await self._loop.run_in_executor(self._asker, self._log.end_offsets, tuple(self._positions))

    async def _reach(self, ends: Ends) -> None:
        while any(self._positions.get(partition, 0) < end for partition, end in ends.items()):
            await self._signals.wait(_MOVED, self._settings.barrier_wait_s)

    async def _refresh(self) -> None:
        """Look at the end of the log all the time, so that `trusted` means something while nobody asks."""
        while True:
            with contextlib.suppress(LogUnavailable):
                await self.catch_up()
            await asyncio.sleep(self._settings.refresh_s)

    def _announce(self, moved: Mapping[Partition, int], touched: Touched) -> None:
        self._loop.call_soon_threadsafe(self._take_news, moved, touched)

    def _take_news(self, moved: Mapping[Partition, int], touched: Touched) -> None:
        self._positions.update(moved)
        self._signals.call([_MOVED, *touched])
