"""The app: every route, the envelope around them, and the replica's life beside them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from api.auth import admin_guard
from api.controllers.events import EventController, OrganisationEventController
from api.controllers.health import live, ready
from api.controllers.keys import KeyController
from api.controllers.media import play
from api.controllers.organisations import OrganisationController
from api.controllers.ping import ping
from api.controllers.searches import SearchController
from api.controllers.videos import VideoController
from api.deps import Deps
from api.envelope import add_request_id, on_error
from api.form import FORM_OVERHEAD_BYTES, FORM_PARTS
from api.replica.replica import Replica

PARTNER: tuple[ControllerRouterHandler, ...] = (ping, SearchController, play, live, ready)
ADMIN: tuple[ControllerRouterHandler, ...] = (
    OrganisationController,
    KeyController,
    OrganisationEventController,
    EventController,
    VideoController,
)


def create_app(deps: Deps) -> Litestar:
    """The ASGI application. Connects to nothing before its lifespan starts; then it follows the log."""
    replica = Replica(deps.settings.replica, deps.log)
    handlers = list(PARTNER)
    token = deps.settings.admin.token
    if token is not None:
        handlers.append(Router("/admin/v1", route_handlers=ADMIN, guards=[admin_guard(token)]))

    @asynccontextmanager
    async def replica_runs(_: Litestar) -> AsyncIterator[None]:
        await replica.start()
        try:
            yield
        finally:
            await replica.stop()

    return Litestar(
        handlers,
        lifespan=[replica_runs],
        dependencies={
            "deps": Provide(lambda: deps, sync_to_thread=False),
            "replica": Provide(lambda: replica, sync_to_thread=False),
        },
        exception_handlers={Exception: on_error},
        before_send=[add_request_id],
        request_max_body_size=deps.settings.selfie.max_bytes + FORM_OVERHEAD_BYTES,
        multipart_form_part_limit=FORM_PARTS,
        logging_config=None,  # the embedding program's; errors are logged where they become an answer
        openapi_config=None,
    )
