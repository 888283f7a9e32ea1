"""A source that cannot be reached: the store is asked whether it is down."""

from pathlib import Path

import pytest

from streams.media.errors import SourceUnreachable, SourceUnreadable
from streams.outcomes import Unavailable
from streams.source_jobs import run_on_source
from tests.streams.work import World, new_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return new_world(tmp_path)


def joined(url: str, *more: str, by: str) -> str:
    return by.join((url, *more))


def not_reached(_url: str) -> None:
    raise SourceUnreachable("The source video's address did not answer.")


def not_readable(_url: str) -> None:
    raise SourceUnreadable("The source video is damaged.")


async def test_the_job_gets_the_address_and_its_arguments(world: World) -> None:
    assert await run_on_source(world.objects, world.children, joined, "u", "a", "b", by="-") == "u-a-b"
    assert world.objects.checks == 0


async def test_an_unreachable_source_waits_while_the_store_is_down(world: World) -> None:
    world.objects.down = True
    with pytest.raises(Unavailable) as raised:
        await run_on_source(world.objects, world.children, not_reached, "u")
    assert raised.value.dependency == "s3"


async def test_an_unreachable_source_costs_a_try_while_the_store_answers(world: World) -> None:
    with pytest.raises(SourceUnreachable):
        await run_on_source(world.objects, world.children, not_reached, "u")
    assert world.objects.checks == 1


async def test_an_unreadable_source_is_no_question_to_the_store(world: World) -> None:
    world.objects.down = True
    with pytest.raises(SourceUnreadable):
        await run_on_source(world.objects, world.children, not_readable, "u")
    assert world.objects.checks == 0
