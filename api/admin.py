"""What the admin routes share: a command, its verdict, and the verdict as a status."""

import contextlib
from collections.abc import Callable

from api.auth import find_event
from api.commands import ask
from api.deps import Deps
from api.envelope import ApiError
from api.replica.replica import Replica
from schemas.base import Command
from schemas.catalog import EventRecord, OrganisationRecord
from schemas.ids import organisation_key
from schemas.records import Outcome, Record
from schemas.topics import CATALOG

# An id of our own making is one of two thousand million: a second try is rare, a fifth means that something is wrong.
ID_TRIES = 5
# Ids are numbers in JSON; beyond this, JavaScript reads another number than was written.
MAX_ID = 2**53 - 1


class _Taken(ApiError):
    def __init__(self, taken_id: int) -> None:
        super().__init__(409, f"the id {taken_id} is in use")


async def decide(deps: Deps, replica: Replica, command: Command, refusals: dict[Outcome, ApiError]) -> Record:
    """Ask the catalog and wait: the record as the accepted command left it.

    Raises:
        ApiError: The refusal that belongs to the verdict; 503 when none came in time.
        LogUnavailable: The command may have been kept or not.
    """
    answer = await ask(deps.commands, replica, CATALOG, command, wait_s=deps.settings.admin.verdict_wait_s)
    if answer is None or answer.outcome is None:
        raise ApiError(503, "no verdict came in time; look whether it was done before you ask again")
    if answer.outcome in refusals:
        raise refusals[answer.outcome]
    return answer.record


async def create_under_free_id(
    deps: Deps, replica: Replica, given_id: int | None, command_for: Callable[[int], Command]
) -> Record:
    """Make a record under the given id, or under one of our own making that nobody has.

    Raises:
        ApiError: 409 when the given id is in use.
    """

    async def make(new_id: int) -> Record:
        return await decide(deps, replica, command_for(new_id), {Outcome.CONFLICT: _Taken(new_id)})

    if given_id is not None:
        return await make(given_id)
    for _ in range(ID_TRIES - 1):
        with contextlib.suppress(_Taken):
            return await make(deps.new_number())
    return await make(deps.new_number())


async def need_organisation(replica: Replica, org_id: int) -> OrganisationRecord:
    """The organisation. Raises ApiError 404, or LogUnavailable when that is not certain."""
    record = (await replica.settled(CATALOG, organisation_key(org_id))).record
    if not isinstance(record, OrganisationRecord):
        raise ApiError(404, "the organisation is not known")
    return record


async def need_event(replica: Replica, event_id: int) -> EventRecord:
    """The event. Raises ApiError 404, or LogUnavailable when that is not certain."""
    event = await find_event(replica, event_id)
    if event is None:
        raise ApiError(404, "the event is not known")
    return event
