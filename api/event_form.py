"""What operators send and see of an event: flags stand beside the texts, settings in an object of their own."""

from typing import Annotated

import msgspec

from api.admin import MAX_ID
from api.envelope import ApiError
from schemas.base import Message
from schemas.catalog import EventFlags, EventRecord
from schemas.settings import ClipSettings

Text = Annotated[str, msgspec.Meta(max_length=500)]
Flag = bool | msgspec.UnsetType
UNSET = msgspec.UNSET


class GivenFlags(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Flags that were given; the others keep what they are."""

    event_enabled: Flag = UNSET
    bib_search: Flag = UNSET
    selfie_search: Flag = UNSET
    name_search: Flag = UNSET
    video_search: Flag = UNSET
    video_selfie_search: Flag = UNSET
    timeline_search: Flag = UNSET

    def over(self, flags: EventFlags) -> EventFlags:
        """These flags, with the given ones instead."""
        given = {name: value for name in EventFlags.__struct_fields__ if (value := getattr(self, name)) is not UNSET}
        return msgspec.structs.replace(flags, **given)


class NewEvent(GivenFlags, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """An event to be made; without an id it gets one."""

    event_id: Annotated[int, msgspec.Meta(ge=1, le=MAX_ID)] | None = None
    event_name: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    event_slug: Text | None = None
    event_date: Text | None = None
    status: Text | None = None
    cover_image: Text | None = None
    settings: dict[str, bool | int | float] = {}


class EventChange(GivenFlags, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What is to change; everything else, and every null, stays."""

    event_name: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | None = None
    event_slug: Text | None = None
    event_date: Text | None = None
    status: Text | None = None
    cover_image: Text | None = None
    settings: dict[str, bool | int | float] = {}


class EventView(msgspec.Struct, kw_only=True, frozen=True):
    """An event as operators see it."""

    event_id: int
    org_id: int
    event_name: str | None
    event_slug: str | None
    event_date: str | None
    status: str | None
    cover_image: str | None
    event_enabled: bool
    bib_search: bool
    selfie_search: bool
    name_search: bool
    video_search: bool
    video_selfie_search: bool
    timeline_search: bool
    settings: ClipSettings
    created_at_ms: int


def settings_over(current: ClipSettings, given: dict[str, bool | int | float]) -> ClipSettings:
    """These settings, with the given ones instead.

    Raises:
        ApiError: 422 for a name that is none, or a value out of range.
    """
    unknown = sorted(given.keys() - set(ClipSettings.__struct_fields__))
    if unknown:
        raise ApiError(422, "; ".join(f"settings.{name}: there is no such setting" for name in unknown))
    reasons = []
    for name, value in given.items():
        try:
            msgspec.convert({name: value}, ClipSettings)
        except msgspec.ValidationError as error:
            reasons.append(f"settings.{name}: {str(error).split(' - at ')[0]}")
    if reasons:
        raise ApiError(422, "; ".join(reasons))
    return msgspec.convert(msgspec.structs.asdict(current) | given, ClipSettings)


def view_of(record: Message) -> EventView:
    """The event of a record."""
    if not isinstance(record, EventRecord):
        raise TypeError(f"an event's key holds a {type(record).__name__}")
    return EventView(
        event_id=record.event_id,
        org_id=record.org_id,
        event_name=record.event_name,
        event_slug=record.event_slug,
        event_date=record.event_date,
        status=record.status,
        cover_image=record.cover_image,
        **msgspec.structs.asdict(record.flags),
        settings=record.settings,
        created_at_ms=record.created_at_ms,
    )
