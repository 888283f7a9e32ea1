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
from tests.integration.kills.points import SEARCH, SHOWN_BY_MATCH, SHOWN_BY_SEARCHES, TAKEN, VIDEO, cases

# The first test starts the system and indexes the footage.
pytestmark = pytest.mark.timeout(400)


@pytest.mark.parametrize("order", cases(SEARCH, leave=SHOWN_BY_MATCH))
def test_a_search_survives_a_kill(
    killable: Killable, footage: Event, man: bytes, undisturbed: Undisturbed, order: Order
) -> None:
    killable.orders.clear()
    killable.orders.give(order)
    request_id = start_search(footage, man)
    wait_for_search(footage, request_id)
    killable.settle()
    assert killable.orders.carried_out(order)
    taken = order.role, TAKEN[order.role]
    assert killable.orders.passed()[taken] > undisturbed.passed[taken], "nothing was taken again"
    killable.ends.check_search(footage, request_id, undisturbed.record)


@pytest.mark.parametrize("order", cases(VIDEO, leave=SHOWN_BY_MATCH | SHOWN_BY_SEARCHES))
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
    assert killable.orders.carried_out(order)
    taken = order.role, TAKEN[order.role]
    assert killable.orders.passed()[taken] > undisturbed_video.passed[taken], "nothing was taken again"
    assert plain_video(killable.ends.video(event, "a")) == undisturbed_video.record
    request_id = start_search(event, man)
    wait_for_search(event, request_id)
    killable.ends.check_search(event, request_id, undisturbed_video.search)


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
