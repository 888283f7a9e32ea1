"""What everything that runs jobs must do: `streams.ports.Children`, the pool and the fake alike.

A subclass gives a fixture `children`.
"""

import asyncio

import pytest

from streams.outcomes import Invalid
from streams.ports import Children
from streams.render.cut_outcome import CutFailed
from tests.ports import child_jobs


class ChildrenSuite:
    """The rules."""

    async def test_result_comes_back(self, children: Children) -> None:
        """Arguments go by place and by name."""
        assert await children.run(child_jobs.subtract, 7, b=3) == 4

    @pytest.mark.parametrize(("job", "kind"), [(child_jobs.refuse, Invalid), (child_jobs.fail_a_cut, CutFailed)])
    async def test_jobs_own_exception_comes_back_as_it_is(
        self, children: Children, job: object, kind: type[Exception]
    ) -> None:
        """Its type decides the outcome, its text is read by people."""
        assert callable(job)
        with pytest.raises(kind, match=r"^this is no picture$"):
            await children.run(job, "this is no picture")

    async def test_job_works_on_copies(self, children: Children) -> None:
        """What it changes stays in its process."""
        numbers = [1, 2, 3]
        assert await children.run(child_jobs.emptied, numbers) == 3
        assert numbers == [1, 2, 3]

    async def test_jobs_asked_for_at_once_get_their_own_results(self, children: Children) -> None:
        results = await asyncio.gather(*(children.run(child_jobs.subtract, number, 1) for number in range(8)))
        assert results == list(range(-1, 7))
