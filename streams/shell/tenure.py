"""How long a worker keeps its partitions, and what becomes of the work that waits when it gives them away.

A rebalance waits for the messages that are being worked on. One that only waits, for a free child or before another
try, would hold it up for as long as all those before it take, so it goes back to the log instead: it is not finished,
not committed, and handed over again to whoever has the partition next.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_SENTENCE = "This worker gives its partitions away."


class HandedBack(Exception):
    """This message goes back to the log: its worker gives its partitions away, and the work has not begun."""


class Tenure:
    """From an assignment of partitions to the moment when they are given away. One for a process."""

    def __init__(self) -> None:
        self._over = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether nothing new may begin."""
        return self._over.is_set()

    def end(self) -> None:
        """Partitions are being given away; whatever waits gets `HandedBack`."""
        self._over.set()

    def renew(self) -> None:
        """Partitions have been assigned."""
        self._over.clear()

    async def wait(self, waiting: Coroutine[Any, Any, T]) -> T:
        """Wait for what must come before some work begins.

        Raises:
            HandedBack: The tenure ended first, or had ended.
        """
        if self.is_over:
            waiting.close()
            raise HandedBack(_SENTENCE)
        coming = asyncio.create_task(waiting)
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait({coming, over}, return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                return coming.result()
            raise HandedBack(_SENTENCE)
        finally:
            coming.cancel()
            over.cancel()
