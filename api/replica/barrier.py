"""The read barrier: whoever passes it has seen everything that was acknowledged before it arrived."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from api.ports import LogUnavailable, Partition

Ends = Mapping[Partition, int]


class Barrier:
    """One end-offset request serves all who wait for it.

    Who arrives while a request is running cannot use it (it may be older than what they must see): they share the
    next one. So there is never more than one request running and one group waiting for the next.
    """

    def __init__(
        self, ask: Callable[[], Awaitable[Ends]], reached: Callable[[Ends], Awaitable[None]], *, wait_s: float
    ) -> None:
        """Set up.

        Args:
            ask: One end-offset request. Raises LogUnavailable.
            reached: Returns once the replica has read up to these ends.
            wait_s: Limit of both together.
        """
        self._ask = ask
        self._reached = reached
        self._wait_s = wait_s
        self._asking = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None
        self._rounds: set[asyncio.Task[None]] = set()
        self.seen_at_s: float | None = None
        """Loop time of the latest request whose ends were reached: everything up to then has been seen."""

    async def passed(self) -> None:
        """Return once the replica has seen the end of the log as it stood when this was called.

        Raises:
            LogUnavailable: Not within the wait.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._round())
            self._rounds.add(self._next)
            self._next.add_done_callback(self._forget)
        # Shielded: one caller that goes away must not take the round from the others.
        await asyncio.shield(self._next)

    async def stop(self) -> None:
        """End the rounds that are running."""
        for round_ in self._rounds:
            round_.cancel()
        await asyncio.gather(*self._rounds, return_exceptions=True)

    async def _round(self) -> None:
        try:
            async with asyncio.timeout(self._wait_s):
                async with self._asking:
                    self._next = None
                    asked_at_s = asyncio.get_running_loop().time()
                    ends = await self._ask()
                await self._reached(ends)
                self.seen_at_s = max(asked_at_s, self.seen_at_s or asked_at_s)
        except TimeoutError as error:
            raise LogUnavailable("the replica did not reach the end of the log in time") from error
        finally:
            if self._next is asyncio.current_task():
                self._next = None

    def _forget(self, round_: asyncio.Task[None]) -> None:
        self._rounds.discard(round_)
        if not round_.cancelled():
            round_.exception()  # taken, so that a round all of whose callers went away is no complaint of the loop's
