"""Events."""

from litestar import Controller, get, patch, post
from litestar.params import JSONBody

from api.admin import create_under_free_id, decide, need_event, need_organisation
from api.deps import PathId, TheDeps, TheReplica
from api.envelope import Envelope
from api.event_form import EventChange, EventView, NewEvent, settings_over, view_of
from schemas.catalog import CreateEvent, EventFlags, UpdateEvent
from schemas.settings import ClipSettings


class OrganisationEventController(Controller):
    """`/admin/v1/orgs/{org_id}/events`."""

    path = "/orgs/{org_id:int}/events"

    @post()
    async def create(
        self, org_id: PathId, data: JSONBody[NewEvent], deps: TheDeps, replica: TheReplica
    ) -> Envelope[EventView]:
        """Found an event."""
        settings = settings_over(ClipSettings(), data.settings)
        await need_organisation(replica, org_id)
        record = await create_under_free_id(
            deps,
            replica,
            data.event_id,
            lambda event_id: CreateEvent(
                command_id=deps.new_uuid(),
                at_ms=deps.clock(),
                event_id=event_id,
                org_id=org_id,
                event_name=data.event_name,
                event_slug=data.event_slug,
                event_date=data.event_date,
                status=data.status,
                cover_image=data.cover_image,
                flags=data.over(EventFlags()),
                settings=settings,
            ),
        )
        return Envelope(message="Event created", data=view_of(record))


class EventController(Controller):
    """`/admin/v1/events/{event_id}`."""

    path = "/events/{event_id:int}"

    @get()
    async def one(self, event_id: PathId, replica: TheReplica) -> Envelope[EventView]:
        """The event, up to date."""
        await replica.catch_up()
        return Envelope(message="Event", data=view_of(await need_event(replica, event_id)))

    @patch()
    async def change(
        self, event_id: PathId, data: JSONBody[EventChange], deps: TheDeps, replica: TheReplica
    ) -> Envelope[EventView]:
        """Change what is given. It holds for later searches; stored results stay as they are."""
        # Flags and settings travel whole: start from the newest. Of two changes at one moment the later one wins.
        await replica.catch_up()
        event = await need_event(replica, event_id)
        command = UpdateEvent(
            command_id=deps.new_uuid(),
            at_ms=deps.clock(),
            event_id=event_id,
            event_name=data.event_name,
            event_slug=data.event_slug,
            event_date=data.event_date,
            status=data.status,
            cover_image=data.cover_image,
            flags=data.over(event.flags),
            settings=settings_over(event.settings, data.settings),
        )
        return Envelope(message="Event changed", data=view_of(await decide(deps, replica, command, {})))
