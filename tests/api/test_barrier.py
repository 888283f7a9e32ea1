"""The read barrier: one request for all who wait, never one that is older than who waits for it."""

import asyncio

import pytest

from api.ports import LogUnavailable, Partition
from api.replica.barrier import Barrier, Ends
from schemas.topics import CATALOG
from tests.waiting import wait_until_async

PARTITION = Partition(CATALOG, 0)


class Log:
    """An end that moves, asked for by hand.

    Attributes:
        requests: What was asked so far.
        held: While set, requests do not return.
    """

    def __init__(self) -> None:
        self.end = 0
        self.position = 0
        self.requests = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.down = False

    async def ask(self) -> Ends:
        """The end, as it stood when the request was made."""
        self.requests += 1
        end = self.end
        await self.go_on.wait()
        if self.down:
            raise LogUnavailable("down")
        return {PARTITION: end}

    async def reached(self, ends: Ends) -> None:
        """Read up to there."""
        await wait_until_async(lambda: self.position >= ends[PARTITION], 5, "the position moves")


@pytest.fixture
def log() -> Log:
    """At its beginning."""
    return Log()


@pytest.fixture
def barrier(log: Log) -> Barrier:
    """Over that log."""
    return Barrier(log.ask, log.reached, wait_s=0.5)


async def test_one_request_serves_all_who_wait(log: Log, barrier: Barrier) -> None:
    """A hundred at once cost one."""
    await asyncio.gather(*(barrier.passed() for _ in range(100)))
    assert log.requests == 1


async def test_who_comes_during_a_request_shares_the_next(log: Log, barrier: Barrier) -> None:
    """The running one may be older than what they must see."""
    log.go_on.clear()
    first = asyncio.create_task(barrier.passed())
    await wait_until_async(lambda: log.requests == 1, 5, "the first request runs")
    log.end = 1
    later = [asyncio.create_task(barrier.passed()) for _ in range(50)]
    await asyncio.sleep(0)
    log.go_on.set()
    await first
    assert not any(task.done() for task in later)
    log.position = 1
    await asyncio.gather(*later)
    assert log.requests == 2


async def test_nobody_passes_before_the_end_is_reached(log: Log, barrier: Barrier) -> None:
    """What was acknowledged before the call has been seen after it."""
    log.end = 3
    passing = asyncio.create_task(barrier.passed())
    await wait_until_async(lambda: log.requests == 1, 5, "the request was made")
    log.position = 2
    assert (await asyncio.wait({passing}, timeout=0.05))[1]
    log.position = 3
    await passing
    assert barrier.seen_at_s is not None


@pytest.mark.parametrize("trouble", ["no end", "no answer", "down"])
async def test_end_that_is_not_reached_in_time_is_an_outage(log: Log, barrier: Barrier, trouble: str) -> None:
    """For everybody who waited; the next one tries anew."""
    log.end = 1 if trouble == "no end" else 0
    log.down = trouble == "down"
    if trouble == "no answer":
        log.go_on.clear()
    results = await asyncio.gather(*(barrier.passed() for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [LogUnavailable] * 3
    assert barrier.seen_at_s is None
    log.down, log.position = False, 1
    log.go_on.set()
    await barrier.passed()


async def test_caller_that_goes_away_takes_nobody_with_it(log: Log, barrier: Barrier) -> None:
    """A closed connection cancels its own wait alone."""
    log.go_on.clear()
    leaving, staying = asyncio.create_task(barrier.passed()), asyncio.create_task(barrier.passed())
    await wait_until_async(lambda: log.requests == 1, 5, "the request runs")
    leaving.cancel()
    log.go_on.set()
    await staying
    assert leaving.cancelled()
