"""Whether the process is up, and whether it can work."""

import msgspec
from litestar import get

from api.deps import TheDeps, TheReplica
from api.envelope import ApiError, Envelope
from api.ports import LogUnavailable, StoreUnavailable


class Health(msgspec.Struct, kw_only=True, frozen=True):
    """What a health route says when all is well."""

    status: str


@get("/health/live")
async def live() -> Envelope[Health]:
    """The process is up."""
    return Envelope(message="live", data=Health(status="live"))


@get("/health/ready")
async def ready(deps: TheDeps, replica: TheReplica) -> Envelope[Health]:
    """The log and the object store answer, and the replica has seen the end of the log; else 503 names what is down."""
    down = []
    try:
        await replica.catch_up()
    except LogUnavailable:
        down.append("kafka")
    try:
        await deps.media.check()
    except StoreUnavailable:
        down.append("s3")
    if down:
        raise ApiError(503, f"not ready, out of reach: {', '.join(down)}")
    return Envelope(message="ready", data=Health(status="ready"))
