"""A process joins its group only when what it needs answers: an outage is waited for here, not in restarts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from streams.outcomes import TryLater, Unavailable

log = structlog.get_logger("spotclip.dependencies")

# Between two looks: soon back after a restart, and no crowd at the door of one that takes longer.
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 10.0

Check = Callable[[], Awaitable[object]]
"""Returns when a dependency answers; raises `Unavailable`, or `TryLater` where it refused this once."""


async def wait_for(checks: Sequence[Check], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Return once every dependency has answered, one after the other; waits for as long as that takes."""
    for check in checks:
        pause_s = _FIRST_PAUSE_S
        while not await _answers(check):
            await sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


async def _answers(check: Check) -> bool:
    try:
        await check()
    except (Unavailable, TryLater) as outage:
        log.warning("dependency down, waiting before the start", reason=str(outage))
        return False
    return True
