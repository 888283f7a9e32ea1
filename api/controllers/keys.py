"""API keys of an organisation. A key is shown when it is made, and never again."""

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import JSONBody

from api.admin import decide, need_organisation
from api.auth import hash_key
from api.deps import PathId, PathText, TheDeps, TheReplica
from api.envelope import ApiError, Envelope
from schemas.base import Message
from schemas.catalog import (
    MAX_KEYS_PER_ORGANISATION,
    ApiKey,
    CreateKey,
    DeleteKey,
    OrganisationRecord,
    SetKeyActive,
)
from schemas.records import Outcome

PREFIX_CHARACTERS = 5


class NewKey(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A key to be made."""

    label: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class KeyChange(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Switch a key off or on."""

    active: bool


class CreatedKey(msgspec.Struct, kw_only=True, frozen=True):
    """The one answer that shows a key."""

    key_id: str
    api_key: str
    prefix: str
    active: bool
    label: str | None


class KeyView(msgspec.Struct, kw_only=True, frozen=True):
    """A key as lists show it: `prefix` is its first 5 characters and `***`."""

    key_id: str
    prefix: str
    active: bool
    label: str | None
    created_at_ms: int


class KeyList(msgspec.Struct, kw_only=True, frozen=True):
    """The keys of an organisation, oldest first."""

    keys: list[KeyView]


class KeyController(Controller):
    """`/admin/v1/orgs/{org_id}/keys`."""

    path = "/orgs/{org_id:int}/keys"

    @post()
    async def create(
        self, org_id: PathId, deps: TheDeps, replica: TheReplica, data: JSONBody[NewKey | None] = None
    ) -> Envelope[CreatedKey]:
        """Make a key."""
        await need_organisation(replica, org_id)
        api_key = deps.new_api_key()
        command = CreateKey(
            command_id=deps.new_uuid(),
            at_ms=deps.clock(),
            org_id=org_id,
            key_id=deps.new_uuid(),
            key_hash=hash_key(api_key),
            prefix=api_key[:PREFIX_CHARACTERS],
            label=data.label if data else None,
        )
        full = ApiError(409, f"an organisation has at most {MAX_KEYS_PER_ORGANISATION} keys; delete one first")
        again = ApiError(409, "the key's id is in use; ask again")
        record = await decide(deps, replica, command, {Outcome.LIMIT: full, Outcome.CONFLICT: again})
        made = _key(record, command.key_id)
        shown = CreatedKey(
            key_id=made.key_id, api_key=api_key, prefix=made.prefix, active=made.active, label=made.label
        )
        return Envelope(message="API key created; it is shown only this once", data=shown)

    @get()
    async def all(self, org_id: PathId, replica: TheReplica) -> Envelope[KeyList]:
        """The organisation's keys."""
        await replica.catch_up()
        record = await need_organisation(replica, org_id)
        return Envelope(message="API keys", data=KeyList(keys=[_view(key) for key in record.keys]))

    @patch("/{key_id:str}")
    async def switch(
        self, org_id: PathId, key_id: PathText, data: JSONBody[KeyChange], deps: TheDeps, replica: TheReplica
    ) -> Envelope[KeyView]:
        """Switch a key off or on again; the same value holds."""
        await need_organisation(replica, org_id)
        command = SetKeyActive(
            command_id=deps.new_uuid(), at_ms=deps.clock(), org_id=org_id, key_id=key_id, active=data.active
        )
        record = await decide(deps, replica, command, {Outcome.UNKNOWN: _unknown()})
        return Envelope(message="API key changed", data=_view(_key(record, key_id)))

    @delete("/{key_id:str}", status_code=200)
    async def remove(self, org_id: PathId, key_id: PathText, deps: TheDeps, replica: TheReplica) -> Envelope[None]:
        """Remove a key for good."""
        await need_organisation(replica, org_id)
        command = DeleteKey(command_id=deps.new_uuid(), at_ms=deps.clock(), org_id=org_id, key_id=key_id)
        await decide(deps, replica, command, {Outcome.UNKNOWN: _unknown()})
        return Envelope(message="API key deleted", data=None)


def _unknown() -> ApiError:
    return ApiError(404, "the organisation has no key with this id")


def _key(record: Message, key_id: str) -> ApiKey:
    keys = record.keys if isinstance(record, OrganisationRecord) else ()
    for key in keys:
        if key.key_id == key_id:
            return key
    raise _unknown()  # removed again by somebody else since


def _view(key: ApiKey) -> KeyView:
    return KeyView(
        key_id=key.key_id,
        prefix=f"{key.prefix}***",
        active=key.active,
        label=key.label,
        created_at_ms=key.created_at_ms,
    )
