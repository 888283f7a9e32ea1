"""Heavy and untrusted work in long-lived spawned children, with a deadline and a memory limit."""

import asyncio
import concurrent.futures
import multiprocessing
import multiprocessing.connection
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from streams.outcomes import TryLater
from streams.shell.tenure import Tenure

P = ParamSpec("P")
T = TypeVar("T")

_NO_CORE_DUMPS = 0


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What a job may take.

    Attributes:
        workers: Children at work at once.
        timeout_s: Then the child is killed and the job has failed this try.
        memory_bytes: Private memory of a child (RLIMIT_DATA; enforced on Linux). An allocation beyond it fails.
        nice: Added to the child's niceness: heavy indexing steps aside for a search that a person waits for.
    """

    workers: int
    timeout_s: float
    memory_bytes: int
    nice: int = 0


class ChildPool:
    """A pool of spawned children. Never forked: the parent runs threads, a loop and a Kafka client.

    A child outlives its job and keeps loaded models. It dies with its parent however that dies.
    """

    def __init__(self, limits: ChildLimits, tenure: Tenure) -> None:
        self._limits = limits
        self._tenure = tenure
        self._free = asyncio.Semaphore(limits.workers)
        self._pool = ProcessPool(
            max_workers=limits.workers,
            initializer=_prepare,
            initargs=[limits.memory_bytes, limits.nice],
            context=multiprocessing.get_context("spawn"),
        )

    async def run(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a module-level function with picklable arguments in a child; its own exceptions come back as they are.

        Raises:
            TryLater: The child crashed, ran past its deadline or out of memory.
            HandedBack: No child was free before this worker began to give its partitions away.
        """
        await self._tenure.wait(self._free.acquire())
        try:
            return await self._run(job, *args, **kwargs)
        finally:
            self._free.release()

    async def _run(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        future = self._pool.schedule(job, args=args, kwargs=kwargs, timeout=self._limits.timeout_s)
        try:
            result: T = await asyncio.wrap_future(future)
        except ProcessExpired as crash:
            raise TryLater(f"the child process ended with code {crash.exitcode}") from crash
        except (TimeoutError, concurrent.futures.TimeoutError) as late:
            raise TryLater(f"it took longer than {self._limits.timeout_s:g} s") from late
        except MemoryError as full:
            raise TryLater(f"it needed more than {self._limits.memory_bytes // 2**20} MiB of memory") from full
        return result

    def start_with(self, job: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Have every child run this job as soon as it can, such as loading models; its outcome is not looked at."""
        for _ in range(self._limits.workers):
            self._pool.schedule(job, args=args, kwargs=kwargs, timeout=self._limits.timeout_s)

    def close(self) -> None:
        """End the children, whatever they are doing. Blocks for a moment."""
        self._pool.stop()  # type: ignore[no-untyped-call]  # the only untyped method of the library
        self._pool.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _prepare(memory_bytes: int, nice: int) -> None:
    """Runs first in every child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its own
    resource.setrlimit(resource.RLIMIT_CORE, (_NO_CORE_DUMPS, _NO_CORE_DUMPS))  # a dump would hold selfies
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    os.nice(nice)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
