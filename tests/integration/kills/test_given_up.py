"""A search that cannot be done, given up in the middle of being killed: failed once, billed once, one dead letter."""

import asyncio
import time
import uuid

import pytest

from infra.adapters.kafka import KafkaCommands
from infra.settings import Settings
from schemas.searches import SearchRecord, SearchStatus, SelfieObject, SubmitSearch
from schemas.settings import ClipSettings
from schemas.topics import DEAD_LETTERS
from tests.integration.conftest import Event
from tests.integration.kills.end_states import plain_search
from tests.integration.kills.killable import Killable, wait_for_search
from tests.integration.kills.orders import Order
from tests.integration.kills.points import GIVEN_UP, TAKEN

pytestmark = pytest.mark.timeout(400)


def start_search_without_selfie(killable: Killable, event: Event) -> str:
    """As if the selfie had been deleted between the command and the match."""
    request_id = str(uuid.uuid4())
    command = SubmitSearch(
        command_id=str(uuid.uuid4()),
        at_ms=time.time_ns() // 1_000_000,
        event_id=event.event_id,
        request_id=request_id,
        org_id=event.org_id,
        selfie=SelfieObject(object_key=f"selfies/{event.event_id}/gone", sha256="0" * 64),
        settings=ClipSettings(),
        deadline_ms=600_000,
    )
    asyncio.run(publish(Settings.from_environment(killable.system.environment), command))
    return request_id


async def publish(settings: Settings, command: SubmitSearch) -> None:
    async with KafkaCommands(settings.kafka) as commands:
        await commands.publish(command)


@pytest.fixture(scope="module")
def without_selfie(killable: Killable, footage: Event) -> SearchRecord:
    """What becomes of it without a kill."""
    request_id = start_search_without_selfie(killable, footage)
    wait_for_search(footage, request_id)
    record = killable.ends.search(footage, request_id)
    assert record.status is SearchStatus.FAILED
    assert record.error
    return plain_search(record)


@pytest.mark.parametrize("order", GIVEN_UP, ids=lambda order: order.point)
def test_a_search_given_up_survives_a_kill(
    killable: Killable, footage: Event, without_selfie: SearchRecord, order: Order
) -> None:
    killable.settle()
    killable.orders.clear()
    killable.orders.give(order)
    request_id = start_search_without_selfie(killable, footage)
    wait_for_search(footage, request_id)
    killable.settle()
    assert killable.orders.carried_out(order)
    assert killable.orders.passed()[order.role, TAKEN[order.role]] >= 2, "nothing was taken again"
    killable.ends.check_search(footage, request_id, without_selfie)
    dead = [entry.key.decode() for entry in killable.log.read(DEAD_LETTERS)]
    assert f"{footage.event_id}/{request_id}" in dead
