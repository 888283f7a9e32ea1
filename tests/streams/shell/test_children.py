import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.outcomes import TryLater
from streams.shell.children import ChildLimits, ChildPool
from streams.shell.tenure import HandedBack, Tenure
from tests.ports.children_suite import ChildrenSuite
from tests.streams.shell import child_jobs
from tests.waiting import wait_until

LIMITS = ChildLimits(workers=2, timeout_s=5, memory_bytes=512 * 2**20, nice=3)


@pytest.fixture(scope="module")
def pool() -> Iterator[ChildPool]:
    with ChildPool(LIMITS, Tenure()) as pool:
        yield pool


class TestChildPool(ChildrenSuite):
    """The port's rules."""

    @pytest.fixture
    def children(self, pool: ChildPool) -> ChildPool:
        """The pool."""
        return pool


async def test_a_job_runs_in_another_process(pool: ChildPool) -> None:
    assert await pool.run(child_jobs.pid) != os.getpid()


async def test_a_crash_costs_that_job_one_try_and_no_other_work(pool: ChildPool) -> None:
    crash, add = await asyncio.gather(
        pool.run(child_jobs.crash), pool.run(child_jobs.add, 1, 1), return_exceptions=True
    )
    assert isinstance(crash, TryLater)
    assert add == 2
    assert await pool.run(child_jobs.add, 2, 2) == 4


async def test_a_hang_ends_at_the_deadline() -> None:
    with ChildPool(ChildLimits(workers=1, timeout_s=0.5, memory_bytes=2**30), Tenure()) as pool:
        with pytest.raises(TryLater, match=r"longer than 0\.5 s"):
            await pool.run(child_jobs.hang)
        assert await pool.run(child_jobs.add, 2, 2) == 4


async def test_work_that_waits_for_a_child_goes_back_and_work_in_one_ends_well() -> None:
    """Otherwise a rebalance would wait for all of them in turn."""
    tenure = Tenure()
    with ChildPool(ChildLimits(workers=1, timeout_s=30, memory_bytes=2**30), tenure) as pool:
        runs = asyncio.create_task(pool.run(child_jobs.sleep, 1.0))
        await asyncio.sleep(0)
        waits = [asyncio.create_task(pool.run(child_jobs.add, 1, number)) for number in range(3)]
        await asyncio.sleep(0)
        tenure.end()
        told = await asyncio.gather(*waits, return_exceptions=True)
        assert [type(error) for error in told] == [HandedBack] * 3
        assert await runs == 1.0
        tenure.renew()
        assert await pool.run(child_jobs.add, 2, 2) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is enforced on Linux")
async def test_too_much_memory_fails_the_job_not_the_machine(pool: ChildPool) -> None:
    with pytest.raises(TryLater, match="512 MiB"):
        await pool.run(child_jobs.eat, 2 * 2**30)


async def test_heavy_children_step_aside(pool: ChildPool) -> None:
    most = 19
    assert await pool.run(child_jobs.niceness) == min(most, os.nice(0) + 3)


def test_children_die_with_a_parent_that_is_killed() -> None:
    program = (
        "import asyncio, os, sys\n"
        "from streams.shell.children import ChildLimits, ChildPool\n"
        "from streams.shell.tenure import Tenure\n"
        "from tests.streams.shell import child_jobs\n"
        "if __name__ == '__main__':\n"
        "    pool = ChildPool(ChildLimits(workers=1, timeout_s=60, memory_bytes=2**30), Tenure())\n"
        "    print(asyncio.run(pool.run(child_jobs.pid)), flush=True)\n"
        "    pool._pool.schedule(child_jobs.hang)\n"
        "    sys.stdin.read()\n"
    )
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
        wait_until(lambda: not Path(f"/proc/{child}").exists(), timeout_s=10, what="the child is gone")
