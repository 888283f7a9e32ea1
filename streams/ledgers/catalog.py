"""The catalog ledger: organisations, their API keys, their events."""

import msgspec

from schemas.catalog import (
    MAX_KEYS_PER_ORGANISATION,
    ApiKey,
    CatalogMessage,
    CatalogRecord,
    CreateEvent,
    CreateKey,
    CreateOrganisation,
    DeleteEvent,
    DeleteKey,
    EventRecord,
    OrganisationRecord,
    SetKeyActive,
    UpdateEvent,
)
from schemas.indexing import RemoveEvent
from schemas.records import Outcome
from streams.flow import Decision


def decide(record: CatalogRecord | None, message: CatalogMessage) -> Decision:
    """What a command makes of the record under its key. Replicas read the records themselves; only an end is work."""
    if record is not None and record.verdict_on(message.command_id):
        return Decision(record)  # a repeat
    match message:
        case CreateOrganisation() | CreateEvent():
            return _create(record, message)
        case CreateKey() | SetKeyActive() | DeleteKey() if isinstance(record, OrganisationRecord):
            return Decision(_change_keys(record, message))
        case UpdateEvent() | DeleteEvent() if isinstance(record, EventRecord):
            if record.deleted:
                return Decision(record.with_verdict(message, Outcome.UNKNOWN))
            return _delete(record, message) if isinstance(message, DeleteEvent) else Decision(_update(record, message))
    # A command about something that was never there. The API looked before it sent it, so this is a stranger's message:
    # it changes nothing.
    return Decision(record)


def expire(record: CatalogRecord, now_ms: int) -> None:
    """Nothing in the catalog runs, so nothing runs out."""
    del record, now_ms


def _create(record: CatalogRecord | None, message: CreateOrganisation | CreateEvent) -> Decision:
    if record is not None:
        return Decision(record.with_verdict(message, Outcome.CONFLICT))
    new: CatalogRecord
    if isinstance(message, CreateOrganisation):
        new = OrganisationRecord(org_id=message.org_id, name=message.name, created_at_ms=message.at_ms)
    else:
        new = EventRecord(
            event_id=message.event_id,
            org_id=message.org_id,
            event_name=message.event_name,
            event_slug=message.event_slug,
            event_date=message.event_date,
            status=message.status,
            cover_image=message.cover_image,
            flags=message.flags,
            settings=message.settings,
            created_at_ms=message.at_ms,
        )
    return Decision(new.with_verdict(message, Outcome.ACCEPTED))


def _change_keys(record: OrganisationRecord, message: CreateKey | SetKeyActive | DeleteKey) -> OrganisationRecord:
    known = {key.key_id: key for key in record.keys}
    if isinstance(message, CreateKey):
        if message.key_id in known:
            return record.with_verdict(message, Outcome.CONFLICT)
        if len(known) >= MAX_KEYS_PER_ORGANISATION:
            return record.with_verdict(message, Outcome.LIMIT)
        known[message.key_id] = ApiKey(
            key_id=message.key_id,
            key_hash=message.key_hash,
            prefix=message.prefix,
            label=message.label,
            created_at_ms=message.at_ms,
        )
    elif message.key_id not in known:
        return record.with_verdict(message, Outcome.UNKNOWN)
    elif isinstance(message, SetKeyActive):
        known[message.key_id] = msgspec.structs.replace(known[message.key_id], active=message.active)
    else:
        del known[message.key_id]
    changed = msgspec.structs.replace(record, keys=tuple(known.values()))
    return changed.with_verdict(message, Outcome.ACCEPTED)


def _update(record: EventRecord, message: UpdateEvent) -> EventRecord:
    fields = ("event_name", "event_slug", "event_date", "status", "cover_image", "flags", "settings")
    given = {name: value for name in fields if (value := getattr(message, name)) is not None}
    return msgspec.structs.replace(record, **given).with_verdict(message, Outcome.ACCEPTED)


def _delete(record: EventRecord, message: DeleteEvent) -> Decision:
    """A record that keeps the id taken and says no more."""
    deleted = EventRecord(
        event_id=record.event_id,
        org_id=record.org_id,
        created_at_ms=record.created_at_ms,
        deleted=True,
        verdicts=record.verdicts,
    ).with_verdict(message, Outcome.ACCEPTED)
    return Decision(deleted, (RemoveEvent(event_id=record.event_id),))
