"""Is the key good for this event?"""

from typing import Literal

import msgspec
from litestar import get

from api.auth import require_event
from api.deps import ApiKeyHeader, PathId, TheReplica
from api.envelope import Envelope


class Pong(msgspec.Struct, kw_only=True, frozen=True):
    """What a ping says."""

    status: Literal["ok"] = "ok"
    org_id: int
    event_id: int


@get("/api/v1/ext/{org_id:int}/event/{event_id:int}/ping")
async def ping(org_id: PathId, event_id: PathId, replica: TheReplica, api_key: ApiKeyHeader = None) -> Envelope[Pong]:
    """Pong, for the holder of a key to an event of its own."""
    await require_event(replica, api_key, org_id, event_id)
    return Envelope(message="pong", data=Pong(org_id=org_id, event_id=event_id))
