"""The one way in which tests wait: ask a question until its answer is yes or a deadline passes."""

import asyncio
import time
from collections.abc import Awaitable, Callable

POLL_S = 0.02


def wait_until(predicate: Callable[[], object], timeout_s: float, what: str) -> None:
    """Return once ``predicate()`` is true.

    Raises:
        AssertionError: it was not within ``timeout_s``; the message names ``what``.
    """
    deadline = time.monotonic() + timeout_s
    while not predicate():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what}")
        time.sleep(POLL_S)


async def wait_until_async(predicate: Callable[[], object | Awaitable[object]], timeout_s: float, what: str) -> None:
    """As ``wait_until``; the predicate may be a coroutine function, and the loop goes on between two questions."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = predicate()
        if isinstance(answer, Awaitable):
            answer = await answer
        if answer:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what}")
        await asyncio.sleep(POLL_S)
