"""Waiting for something to change, without polling. Belongs to one event loop."""

import asyncio
from collections.abc import Hashable, Iterable


class Signals:
    """Wakes those who wait for a name."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, set[asyncio.Future[None]]] = {}

    async def wait(self, name: Hashable, timeout_s: float) -> bool:
        """True once the name is called, False after the timeout. A call before the first `await` is not missed."""
        future = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(name, set())
        waiting.add(future)
        try:
            async with asyncio.timeout(timeout_s):
                await future
        except TimeoutError:
            return False
        finally:
            waiting.discard(future)
            if not waiting and self._waiting.get(name) is waiting:
                del self._waiting[name]
        return True

    def call(self, names: Iterable[Hashable]) -> None:
        """Wake all who wait for one of these."""
        for name in names:
            for future in self._waiting.pop(name, ()):
                if not future.done():
                    future.set_result(None)
