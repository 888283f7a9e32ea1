"""What a search sees while sources are indexed anew, also by other models, and deleted: old or new, never both."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.adapters.kafka import KafkaCommands
from infra.demo_media import Race
from infra.settings import Settings
from schemas.base import Message
from schemas.catalog import DeleteEvent
from schemas.codec import decode
from schemas.searches import SearchStatus
from schemas.topics import VIDEO_FACTS
from schemas.videos import ChunkIndexed, OtherModels, VideoState
from streams.flow import Role
from streams.index.sources import RemovalPoint
from streams.shell.failpoints import FailpointName
from tests.integration.conftest import Event, make_event
from tests.integration.kills.killable import (
    Killable,
    film_twice,
    start_deletion,
    start_reindex,
    start_search,
    start_video,
    wait_for_search,
    wait_for_video,
)
from tests.integration.kills.orders import Order
from tests.integration.kills.stored_faces import Person, Searcher, Seen, StoredFaces, embedded
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(400)

# Another detector is another version of the models.
OTHER_MODELS = {"SPOTCLIP_DETECTOR": "blazeface"}
ROWS_GONE_WITHIN_S = TAKEN_OVER_WITHIN_S = 30.0
# The one that stays waits 15 s to be replaced, where a source went back and forth 30 more; and it asks again every few
# seconds only.
ONE_KIND_WITHIN_S = 180.0


@pytest.fixture(scope="module")
def new_person(killable: Killable, man: bytes) -> Person:
    """The man, by the other models."""
    return embedded(killable, man, **OTHER_MODELS)


@pytest.fixture
def event(killable: Killable, short: Path) -> Event:
    """An event with the film twice."""
    return film_twice(killable, short)


@pytest.fixture
def changing(killable: Killable) -> Iterator[Killable]:
    """Workers of which the test may stop some and start others; those of before are back at the end."""
    before = dict(killable.supervisors)
    yield killable
    changed = [role for role in Role if killable.supervisors.get(role) is not before[role]]
    killable.stop(*(role for role in changed if role in killable.supervisors))
    killable.start_roles(*changed)


def delete_event(killable: Killable, event: Event) -> None:
    command = DeleteEvent(command_id=str(uuid.uuid4()), at_ms=time.time_ns() // 1_000_000, event_id=event.event_id)

    async def send() -> None:
        async with KafkaCommands(Settings.from_environment(killable.system.environment).kafka) as commands:
            await commands.publish(command)

    asyncio.run(send())


def states_of(searcher: Searcher, key: str) -> list[object]:
    """What a source looked like, one after the other; None where it was not found."""
    states: list[object] = []
    for seen in searcher.history:
        if not states or states[-1] != seen.get(key):
            states.append(seen.get(key))
    return states


def generations(seen: Seen) -> dict[str, int]:
    return {key: generation for key, (generation, _) in seen.items()}


def test_a_search_sees_old_or_new_and_nothing_of_what_was_deleted(
    killable: Killable, event: Event, stored: StoredFaces, person: Person, later: Path
) -> None:
    """Each source in turn as it stood between the steps, and never anything else."""
    with stored.searching(event.event_id, person) as [searcher]:
        steps = [stored.see(event.event_id, person)]
        start_reindex(event, "a")
        killable.wait_for_generation(event, "a", 2)
        steps.append(stored.see(event.event_id, person))
        start_video(event, "a", later)
        killable.wait_for_generation(event, "a", 3)
        steps.append(stored.see(event.event_id, person))
        start_deletion(event, "a")
        killable.wait_for_removal(event, "a")
        steps.append(stored.see(event.event_id, person))
        before = searcher.searches
        delete_event(killable, event)
        wait_until(lambda: not stored.see(event.event_id, person), ROWS_GONE_WITHIN_S, "the event is removed")
        steps.append({})
        wait_until(lambda: searcher.searches > before + 2, ROWS_GONE_WITHIN_S, "it was searched for after that")
    assert [generations(seen) for seen in steps] == [{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 3, "b": 1}, {"b": 1}, {}]
    first, again, other, *_ = (seen["a"][1] for seen in steps[:3])
    assert (first, len(first)) == (again, 1)
    assert first != other
    assert states_of(searcher, "a") == [*(seen["a"] for seen in steps[:3]), None]
    assert states_of(searcher, "b") == [steps[0]["b"], None]
    assert searcher.searches > 20
    for key in ("a", "b"):
        wait_until(lambda key=key: not stored.rows(event.event_id, key), ROWS_GONE_WITHIN_S, f"no row of {key} is left")
    assert {key.split("/")[2] for key in killable.ends.source_objects(event)} == {"b"}


def test_a_change_of_models_is_seen_as_old_or_new(
    changing: Killable, event: Event, stored: StoredFaces, person: Person, new_person: Person
) -> None:
    """By searches with the models of before, and by those with the new ones."""
    assert new_person.model != person.model
    with stored.searching(event.event_id, person, new_person) as [of_old, of_new]:
        old_seen = stored.see(event.event_id, person)
        changing.stop(Role.INDEX)
        changing.start_roles(Role.INDEX, **OTHER_MODELS)
        for key in ("a", "b"):
            start_reindex(event, key)
        records = [changing.wait_for_generation(event, key, 2) for key in ("a", "b")]
        new_seen = stored.see(event.event_id, new_person)
    assert [record.model for record in records] == [new_person.model] * 2
    assert generations(old_seen) == {"a": 1, "b": 1}
    assert generations(new_seen) == {"a": 2, "b": 2}
    for key in ("a", "b"):
        assert states_of(of_old, key) == [old_seen[key]]
        assert states_of(of_new, key) == [None, new_seen[key]]


@pytest.mark.full
def test_searches_complete_while_first_index_and_then_match_workers_change(
    changing: Killable, event: Event, man: bytes
) -> None:
    changing.stop(Role.INDEX)
    changing.start_roles(Role.INDEX, **OTHER_MODELS)
    for key in ("a", "b"):
        start_reindex(event, key)
    for key in ("a", "b"):
        changing.wait_for_generation(event, key, 2)
    for _ in range(2):
        request_id = start_search(event, man)
        wait_for_search(event, request_id)
        record = changing.ends.search(event, request_id)
        assert (record.status, len(record.clips)) == (SearchStatus.COMPLETED, 2)
        changing.stop(Role.MATCH)
        changing.start_roles(Role.MATCH, **OTHER_MODELS)


@pytest.mark.full
def test_sources_under_way_while_workers_with_other_models_take_over_are_never_mixed(
    changing: Killable, race: Race, stored: StoredFaces, new_person: Person
) -> None:
    """The workers of before leave last, as in a change that rolls over them."""
    event = make_event(changing.system)
    keys = [f"cam-{number}" for number in range(4)]
    other = changing.start_another(Role.INDEX, "1", **OTHER_MODELS)
    try:
        for key in keys:
            start_video(event, key, race.path)
        wait_until(
            lambda: any(isinstance(fact, OtherModels) for fact in facts_of(changing, event)),
            TAKEN_OVER_WITHIN_S,
            "a worker refuses what another one began",
        )
        changing.stop(Role.INDEX)
        for key in keys:
            wait_for_video(event, key, within_s=ONE_KIND_WITHIN_S)
    finally:
        changing.stop(other)
    records = [changing.ends.video(event, key) for key in keys]
    assert [(record.state, record.error) for record in records] == [(VideoState.INDEXED, None)] * len(keys)
    assert new_person.model in [record.model for record in records]
    made_with = {
        (fact.source_video_key, fact.generation, fact.model)
        for fact in facts_of(changing, event)
        if isinstance(fact, ChunkIndexed)
    }
    for record in records:
        seen = [each for each in made_with if each[:2] == (record.source_video_key, record.active_generation)]
        assert [model for _, _, model in seen] == [record.model]
    mine = {record.source_video_key: record.generation for record in records if record.model == new_person.model}
    assert generations(stored.see(event.event_id, new_person)) == mine


def facts_of(killable: Killable, event: Event) -> list[Message]:
    """Everything that workers reported of the event's sources."""
    prefix = f"{event.event_id}/".encode()
    return [
        decode(VIDEO_FACTS, entry.value) for entry in killable.log.read(VIDEO_FACTS) if entry.key.startswith(prefix)
    ]


@pytest.mark.full
@pytest.mark.parametrize("point", [RemovalPoint.FACES_REMOVED, FailpointName.STAGE_TAKEN])
def test_the_deletion_of_an_event_survives_a_kill(
    killable: Killable, event: Event, stored: StoredFaces, person: Person, point: str
) -> None:
    killable.settle()
    killable.orders.clear()
    order = Order(role=Role.INDEX, point=point)
    killable.orders.give(order)
    delete_event(killable, event)
    killable.settle()
    assert killable.orders.carried_out(order)
    assert stored.see(event.event_id, person) == {}
    for key in ("a", "b"):
        wait_until(lambda key=key: not stored.rows(event.event_id, key), ROWS_GONE_WITHIN_S, f"no row of {key} is left")
