"""The clock that finds a late waker: a process that was stopped for longer than its place in the group lasts.

Its partitions belong to others by then. Its commits are refused by the broker, its sends are not: without this check
a woken process wrote an old record over a newer one for good.
"""

import asyncio
import time
from collections.abc import Callable

from streams.shell.exits import Exit, ExitCode
from streams.shell.log import LogEvent, log

BEATS_PER_LIMIT = 10


def suspended_clock_s() -> float:
    """Seconds on a clock that also counts while the machine sleeps, from an arbitrary start.

    On Linux that is CLOCK_BOOTTIME; elsewhere (macOS) CLOCK_MONOTONIC counts sleep itself.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Alive:
    """Ends the process when two looks at the clock lie further apart than it may be stopped.

    It starts with the first beat, not when it is made: a slow start is not a late waking.
    """

    def __init__(self, *, limit_s: float, end: Exit, now_s: Callable[[], float] = suspended_clock_s) -> None:
        self._limit_s = limit_s
        self._end = end
        self._now_s = now_s
        self._last_s: float | None = None

    def check(self) -> None:
        """Call before every send. Does not return in a late waker."""
        if self._last_s is not None:
            self._look()

    def _look(self) -> None:
        now_s = self._now_s()
        if self._last_s is not None and now_s - self._last_s > self._limit_s:
            log.error(LogEvent.WOKE_LATE, stopped_s=round(now_s - self._last_s, 1))
            self._end(ExitCode.LATE)
        self._last_s = now_s

    async def beat(self) -> None:
        """Look at the clock for as long as the process lives."""
        while True:
            self._look()
            await asyncio.sleep(self._limit_s / BEATS_PER_LIMIT)
