"""Organisations."""

from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.params import JSONBody

from api.admin import MAX_ID, create_under_free_id, need_organisation
from api.deps import PathId, TheDeps, TheReplica
from api.envelope import Envelope
from schemas.base import Message
from schemas.catalog import CreateOrganisation, OrganisationRecord
from schemas.topics import CATALOG


class NewOrganisation(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """An organisation to be made; without an id it gets one."""

    org_id: Annotated[int, msgspec.Meta(ge=1, le=MAX_ID)] | None = None
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class OrganisationView(msgspec.Struct, kw_only=True, frozen=True):
    """An organisation as operators see it."""

    org_id: int
    name: str
    created_at_ms: int


class OrganisationList(msgspec.Struct, kw_only=True, frozen=True):
    """All organisations."""

    orgs: list[OrganisationView]


class OrganisationController(Controller):
    """`/admin/v1/orgs`."""

    path = "/orgs"

    @post()
    async def create(
        self, data: JSONBody[NewOrganisation], deps: TheDeps, replica: TheReplica
    ) -> Envelope[OrganisationView]:
        """Found an organisation."""
        record = await create_under_free_id(
            deps,
            replica,
            data.org_id,
            lambda org_id: CreateOrganisation(
                command_id=deps.new_uuid(), at_ms=deps.clock(), org_id=org_id, name=data.name
            ),
        )
        return Envelope(message="Organisation created", data=_view(record))

    @get()
    async def all(self, replica: TheReplica) -> Envelope[OrganisationList]:
        """Every organisation."""
        records = await replica.with_prefix(CATALOG, "org/")
        orgs = [_view(record) for record in records if isinstance(record, OrganisationRecord)]
        return Envelope(message="Organisations", data=OrganisationList(orgs=sorted(orgs, key=lambda org: org.org_id)))

    @get("/{org_id:int}")
    async def one(self, org_id: PathId, replica: TheReplica) -> Envelope[OrganisationView]:
        """One organisation."""
        return Envelope(message="Organisation", data=_view(await need_organisation(replica, org_id)))


def _view(record: Message) -> OrganisationView:
    if not isinstance(record, OrganisationRecord):
        raise TypeError(f"an organisation's key holds a {type(record).__name__}")
    return OrganisationView(org_id=record.org_id, name=record.name, created_at_ms=record.created_at_ms)
