"""Jobs in a child that read a source: is it this file, or is the store down?"""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from streams.media.errors import SourceUnreachable
from streams.ports import Children, Objects

P = ParamSpec("P")
T = TypeVar("T")


async def run_on_source(
    objects: Objects,
    children: Children,
    job: Callable[Concatenate[str, P], T],
    url: str,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run a job that reads a source's address.

    Raises:
        Unavailable: The source could not be read because the store is down.
        SourceUnreachable: It could not be read although the store answers: another try may work.
    """
    try:
        return await children.run(job, url, *args, **kwargs)
    except SourceUnreachable:
        await objects.check()
        raise
