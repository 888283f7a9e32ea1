import asyncio

import pytest

from streams.shell.tenure import HandedBack, Tenure


async def after(gate: asyncio.Event) -> str:
    await gate.wait()
    return "came"


async def test_what_comes_in_time_comes_out() -> None:
    gate = asyncio.Event()
    gate.set()
    assert await Tenure().wait(after(gate)) == "came"


async def test_an_error_of_what_is_waited_for_comes_out() -> None:
    async def broken() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await Tenure().wait(broken())


async def test_all_who_wait_are_told_when_it_ends() -> None:
    """And what they waited for is cancelled, not left behind."""
    tenure, gate = Tenure(), asyncio.Event()
    before = asyncio.all_tasks()
    waiting = [asyncio.create_task(tenure.wait(after(gate))) for _ in range(3)]
    await asyncio.sleep(0)
    tenure.end()
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in told] == [HandedBack] * 3
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_nothing_begins_between_an_end_and_the_next_assignment() -> None:
    tenure, gate = Tenure(), asyncio.Event()
    tenure.end()
    assert tenure.is_over
    with pytest.raises(HandedBack):
        await tenure.wait(after(gate))
    tenure.renew()
    gate.set()
    assert await tenure.wait(after(gate)) == "came"
