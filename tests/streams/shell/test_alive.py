"""The clock that finds a late waker."""

import asyncio
from dataclasses import dataclass

import pytest

from streams.shell.alive import Alive, suspended_clock_s
from streams.shell.exits import ExitCode
from tests.streams.shell.ended import Ended, end


@dataclass
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


async def begin(alive: Alive) -> None:
    """The first beat."""
    beat = asyncio.create_task(alive.beat())
    await asyncio.sleep(0)
    beat.cancel()


async def test_a_process_stopped_longer_than_the_limit_ends_at_the_next_check() -> None:
    clock = Clock()
    alive = Alive(limit_s=7.0, end=end, now_s=clock)
    await begin(alive)
    clock.now_s += 7.0
    alive.check()
    clock.now_s += 7.1
    with pytest.raises(Ended, match=str(ExitCode.LATE.value)):
        alive.check()


async def test_a_beat_ends_it_too() -> None:
    clock = Clock()
    alive = Alive(limit_s=7.0, end=end, now_s=clock)
    await begin(alive)
    clock.now_s += 7.1
    with pytest.raises(Ended):
        await alive.beat()


async def test_a_slow_start_is_not_a_late_waking() -> None:
    clock = Clock()
    alive = Alive(limit_s=7.0, end=end, now_s=clock)
    clock.now_s += 1000.0
    alive.check()
    await begin(alive)
    alive.check()


def test_the_clock_goes_forward() -> None:
    first = suspended_clock_s()
    assert suspended_clock_s() >= first
