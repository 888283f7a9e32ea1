"""Who may ask for what. The checks run in one order: 401, 403 (key, organisation), 404 (event), 403 (event, flags).

So no answer tells a stranger anything about another organisation but that an event id exists.
"""

import hashlib
import hmac

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers.base import BaseRouteHandler
from litestar.types import Guard

from api.envelope import ApiError
from api.replica.replica import Replica
from schemas.catalog import EventRecord
from schemas.ids import event_key
from schemas.topics import CATALOG

_FEATURES = {
    "video_search": "video clipping is not enabled for this event",
    "video_selfie_search": "video clipping by selfie is not enabled for this event",
}
CLIP_SEARCH = ("video_search", "video_selfie_search")


def hash_key(api_key: str) -> str:
    """What of a key is kept: SHA-256, hex. A key has 256 random bits, so a plain hash cannot be searched."""
    return hashlib.sha256(api_key.encode()).hexdigest()


async def require_organisation(replica: Replica, api_key: str | None, org_id: int) -> None:
    """Let the holder of an active key of this organisation pass.

    Raises:
        ApiError: 401 without a key; 403 when it is unknown, inactive, deleted or another organisation's.
        LogUnavailable: The key could not be made sure of.
    """
    if not api_key:
        raise ApiError(401, "the X-API-Key header is missing")
    wanted = hash_key(api_key)
    known = await replica.key(wanted)
    genuine = hmac.compare_digest(known.key_hash if known else "", wanted)
    if known is None or not genuine or not known.active or known.org_id != org_id:
        raise ApiError(403, "the API key is not valid for this organisation")


async def require_event(
    replica: Replica, api_key: str | None, org_id: int, event_id: int, features: tuple[str, ...] = ()
) -> EventRecord:
    """Let the holder of a key pass to an event of its organisation that offers all these features.

    Raises:
        ApiError: 401, 403 or 404, in the order above.
        LogUnavailable: The key or the event could not be made sure of.
    """
    await require_organisation(replica, api_key, org_id)
    event = await find_event(replica, event_id)
    if event is None:
        raise ApiError(404, "the event is not known")
    if event.org_id != org_id:
        raise ApiError(403, "the event belongs to another organisation")
    for feature in features:
        if not event.flags.event_enabled or not getattr(event.flags, feature):
            raise ApiError(403, _FEATURES[feature])
    return event


async def find_event(replica: Replica, event_id: int) -> EventRecord | None:
    """The event, or None when it is not known for certain. Raises LogUnavailable."""
    record = (await replica.settled(CATALOG, event_key(event_id))).record
    return record if isinstance(record, EventRecord) and not record.deleted else None


def admin_guard(token: str) -> Guard:
    """A guard that lets `Authorization: Bearer <token>` pass and answers 401 to anything else."""
    wanted = f"Bearer {token}".encode()

    def guard(connection: ASGIConnection[object, object, object, State], _: BaseRouteHandler) -> None:
        given = connection.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, wanted):
            raise ApiError(401, "send the admin token as 'Authorization: Bearer <token>'")

    return guard
