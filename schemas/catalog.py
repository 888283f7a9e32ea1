"""Organisations, their keys and their events: commands to the catalog ledger and its records."""

import msgspec

from schemas.base import Command
from schemas.ids import event_key, organisation_key
from schemas.records import Record
from schemas.settings import ClipSettings

MAX_KEYS_PER_ORGANISATION = 10  # the partner API's own rule


class EventFlags(msgspec.Struct, frozen=True, kw_only=True):
    """Which features an event offers. `video_selfie_search` counts only while `video_search` is true."""

    event_enabled: bool = True
    bib_search: bool = True
    selfie_search: bool = True
    name_search: bool = False
    video_search: bool = True
    video_selfie_search: bool = True
    timeline_search: bool = False


class CatalogCommand(Command, frozen=True, kw_only=True):
    """A command about one organisation and what hangs directly on it."""

    org_id: int

    @property
    def key(self) -> str:
        """The organisation's record."""
        return organisation_key(self.org_id)


class CreateOrganisation(CatalogCommand, frozen=True, kw_only=True):
    """Found an organisation under a free id."""

    name: str


class CreateKey(CatalogCommand, frozen=True, kw_only=True):
    """Add an API key. Only its hash travels.

    Attributes:
        key_hash: SHA-256 of the key, hex. The key has 256 random bits, so a plain hash cannot be searched.
        prefix: Its first 5 characters, shown in lists.
    """

    key_id: str
    key_hash: str
    prefix: str
    label: str | None = None


class SetKeyActive(CatalogCommand, frozen=True, kw_only=True):
    """Switch an API key off or on again."""

    key_id: str
    active: bool


class DeleteKey(CatalogCommand, frozen=True, kw_only=True):
    """Remove an API key for good."""

    key_id: str


class EventCommand(Command, frozen=True, kw_only=True):
    """A command about one event."""

    event_id: int

    @property
    def key(self) -> str:
        """The event's record."""
        return event_key(self.event_id)


class CreateEvent(EventCommand, frozen=True, kw_only=True):
    """Found an event under a free id."""

    org_id: int
    event_name: str | None = None
    event_slug: str | None = None
    event_date: str | None = None
    status: str | None = None
    cover_image: str | None = None
    flags: EventFlags = EventFlags()
    settings: ClipSettings = ClipSettings()


class UpdateEvent(EventCommand, frozen=True, kw_only=True):
    """Change what is given, leave the rest. A text that is null keeps the old one."""

    event_name: str | None = None
    event_slug: str | None = None
    event_date: str | None = None
    status: str | None = None
    cover_image: str | None = None
    flags: EventFlags | None = None
    settings: ClipSettings | None = None


class DeleteEvent(EventCommand, frozen=True, kw_only=True):
    """Remove the event and the faces of all its sources. Its id stays taken."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as the catalog keeps it."""

    key_id: str
    key_hash: str
    prefix: str
    active: bool = True
    label: str | None = None
    created_at_ms: int


class OrganisationRecord(Record, frozen=True, kw_only=True):
    """One organisation and its keys, oldest first."""

    org_id: int
    name: str
    keys: tuple[ApiKey, ...] = ()
    created_at_ms: int

    @property
    def key(self) -> str:
        """`org/{org_id}`."""
        return organisation_key(self.org_id)


class EventRecord(Record, frozen=True, kw_only=True):
    """One event: what partners see of it, its flags, its clip settings.

    Attributes:
        deleted: It is gone; only its id and its organisation's are still true.
    """

    event_id: int
    org_id: int
    event_name: str | None = None
    event_slug: str | None = None
    event_date: str | None = None
    status: str | None = None
    cover_image: str | None = None
    flags: EventFlags = EventFlags()
    settings: ClipSettings = ClipSettings()
    created_at_ms: int
    deleted: bool = False

    @property
    def key(self) -> str:
        """`event/{event_id}`."""
        return event_key(self.event_id)


CatalogMessage = CreateOrganisation | CreateKey | SetKeyActive | DeleteKey | CreateEvent | UpdateEvent | DeleteEvent
CatalogRecord = OrganisationRecord | EventRecord
