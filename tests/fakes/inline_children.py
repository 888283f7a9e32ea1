"""Children without processes."""

import asyncio
import pickle
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class InlineChildren:
    """Runs a job in a thread of this process; what goes in and comes out is pickled, as on the way to a real child.

    Attributes:
        jobs: Names of the jobs that ran, in order.
    """

    def __init__(self) -> None:
        self.jobs: list[str] = []

    async def run(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The job's result; its own exceptions come out as they are."""
        self.jobs.append(job.__name__)
        answer = await asyncio.to_thread(_run, pickle.dumps((job, args, kwargs)))
        value, error = pickle.loads(answer)  # noqa: S301 - written a line above
        if error is not None:
            raise error
        result: T = value
        return result


def _run(asked: bytes) -> bytes:
    job, args, kwargs = pickle.loads(asked)  # noqa: S301 - written by the caller
    try:
        return pickle.dumps((job(*args, **kwargs), None))
    except Exception as error:  # noqa: BLE001 - whatever a job raises is raised again where it was asked for
        return pickle.dumps((None, error))
