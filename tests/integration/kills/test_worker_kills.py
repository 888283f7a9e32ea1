"""Workers killed at every point of a search and of indexing: the same end state as without, and the work repeated.

Two ledger workers run in all of them.
"""

from pathlib import Path

import pytest

from infra.demo_media import Race, find_media
from schemas.searches import SearchStatus
from schemas.videos import VideoState
from streams.flow import Role
from streams.index.sources import SourcePoint
from streams.shell.failpoints import FailpointName
from tests.integration.conftest import Event, make_event
from tests.integration.kills.conftest import Undisturbed, UndisturbedVideo
from tests.integration.kills.end_states import plain_video
from tests.integration.kills.killable import (
    Killable,
    start_search,
    start_video,
    wait_for_search,
    wait_for_video,
)
from tests.integration.kills.orders import Order
from tests.integration.kills.points import SEARCH, TAKEN, VIDEO, cases, one_of_each, rounds

# The first test starts the system and indexes the footage.
pytestmark = pytest.mark.timeout(400)

# By default one kill of the ledger while a video is indexed: its code is that of searches.
IN_A_VIDEO = Order(role=Role.LEDGER, point=FailpointName.LEDGER_OUTPUTS_ACKNOWLEDGED, nth=2)


def check_repeated(killable: Killable, order: Order, *undisturbed: Undisturbed | UndisturbedVideo) -> None:
    """The order was carried out, and the role took more messages than without: the one under way was taken again."""
    assert killable.orders.carried_out(order)
    taken = order.role, TAKEN[order.role]
    assert killable.orders.passed()[taken] > sum(each.passed[taken] for each in undisturbed), "nothing was taken again"


@pytest.mark.parametrize("order", cases(SEARCH, one_of_each(SEARCH, Role.LEDGER)))
def test_a_search_survives_a_kill(
    killable: Killable, footage: Event, man: bytes, undisturbed: Undisturbed, order: Order
) -> None:
    killable.orders.clear()
    killable.orders.give(order)
    request_id = start_search(footage, man)
    wait_for_search(footage, request_id)
    killable.settle()
    check_repeated(killable, order, undisturbed)
    killable.ends.check_search(footage, request_id, undisturbed.record)


@pytest.mark.parametrize("order", cases(VIDEO, [IN_A_VIDEO]))
def test_a_video_survives_a_kill(
    killable: Killable, short: Path, man: bytes, undisturbed_video: UndisturbedVideo, order: Order
) -> None:
    """A search in its event sees what it would have seen, also where a chunk's rows were stored twice."""
    event = make_event(killable.system)
    killable.settle()
    killable.orders.clear()
    killable.orders.give(order)
    start_video(event, "a", short)
    wait_for_video(event, "a")
    killable.settle()
    check_repeated(killable, order, undisturbed_video)
    check_video(killable, event, man, undisturbed_video)


@pytest.mark.parametrize("orders", rounds())
def test_a_search_and_a_video_survive_a_kill_in_each_working_role(
    killable: Killable,
    footage: Event,
    short: Path,
    man: bytes,
    undisturbed: Undisturbed,
    undisturbed_video: UndisturbedVideo,
    orders: list[Order],
) -> None:
    event = make_event(killable.system)
    killable.settle()
    killable.orders.clear()
    for order in orders:
        killable.orders.give(order)
    start_video(event, "a", short)
    request_id = start_search(footage, man)
    wait_for_search(footage, request_id)
    wait_for_video(event, "a")
    killable.settle()
    for order in orders:
        check_repeated(killable, order, undisturbed, undisturbed_video)
    killable.ends.check_search(footage, request_id, undisturbed.record)
    check_video(killable, event, man, undisturbed_video)


def check_video(killable: Killable, event: Event, man: bytes, like: UndisturbedVideo) -> None:
    assert plain_video(killable.ends.video(event, "a")) == like.record
    request_id = start_search(event, man)
    wait_for_search(event, request_id)
    killable.ends.check_search(event, request_id, like.search)


@pytest.mark.full
def test_a_video_of_two_chunks_survives_a_kill_between_asking_for_them(killable: Killable, race: Race) -> None:
    order = Order(role=Role.LEDGER, point=FailpointName.LEDGER_BETWEEN_OUTPUTS)
    records = []
    for given in (None, order):
        event = make_event(killable.system)
        killable.settle()
        killable.orders.clear()
        if given is not None:
            killable.orders.give(given)
        start_video(event, "race", race.path)
        wait_for_video(event, "race")
        killable.settle()
        records.append(killable.ends.video(event, "race"))
    assert killable.orders.carried_out(order)
    assert len(records[0].chunks) == 2
    assert plain_video(records[0]) == plain_video(records[1])


@pytest.mark.full
@pytest.mark.parametrize("nth", [1, 2], ids=["the first generation", "the next one"])
def test_a_new_generation_is_shown_whole_after_a_kill(killable: Killable, short: Path, man: bytes, nth: int) -> None:
    """Both times at the moment at which searches begin to see it."""
    order = Order(role=Role.INDEX, point=SourcePoint.ACTIVATED, nth=nth)
    event = make_event(killable.system)
    killable.settle()
    killable.orders.clear()
    killable.orders.give(order)
    start_video(event, "a", find_media("no_face.mp4"))
    wait_for_video(event, "a")
    start_video(event, "a", short)
    wait_for_video(event, "a")
    killable.settle()
    assert killable.orders.carried_out(order)
    record = killable.ends.video(event, "a")
    assert (record.state, record.active_generation, record.generation) == (VideoState.INDEXED, 2, 2)
    request_id = start_search(event, man)
    wait_for_search(event, request_id)
    assert killable.ends.search(event, request_id).status is SearchStatus.COMPLETED
