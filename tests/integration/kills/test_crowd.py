"""Many searches at once while a worker of every role is killed."""

from pathlib import Path

import pytest

from streams.flow import Role
from streams.index.chunks import ChunkPoint
from streams.render.clips import ClipPoint
from streams.search.match import MatchPoint
from streams.shell.failpoints import FailpointName
from tests.integration.conftest import Event, make_event
from tests.integration.kills.conftest import Undisturbed, UndisturbedVideo
from tests.integration.kills.end_states import plain_video
from tests.integration.kills.killable import Killable, start_search, start_video, wait_for_search, wait_for_video
from tests.integration.kills.orders import Order

pytestmark = pytest.mark.timeout(400)

ORDERS = (
    Order(role=Role.LEDGER, point=FailpointName.LEDGER_BETWEEN_OUTPUTS, nth=5),
    Order(role=Role.LEDGER, point=FailpointName.LEDGER_CHANGELOG_SENT, nth=15),
    Order(role=Role.MATCH, point=MatchPoint.SCANNED, nth=4),
    Order(role=Role.INDEX, point=ChunkPoint.SEEN),
    Order(role=Role.RENDER, point=ClipPoint.STORED, nth=5),
)


@pytest.mark.parametrize("searches", [8, pytest.param(64, marks=pytest.mark.full)])
def test_many_searches_at_once_survive_kills_in_every_role(
    killable: Killable,
    footage: Event,
    short: Path,
    man: bytes,
    undisturbed: Undisturbed,
    undisturbed_video: UndisturbedVideo,
    searches: int,
) -> None:
    event = make_event(killable.system)
    killable.settle()
    killable.orders.clear()
    for order in ORDERS:
        killable.orders.give(order)
    start_video(event, "a", short)
    request_ids = [start_search(footage, man) for _ in range(searches)]
    for request_id in request_ids:
        wait_for_search(footage, request_id)
    wait_for_video(event, "a")
    killable.settle()
    assert all(killable.orders.carried_out(order) for order in ORDERS)
    for request_id in request_ids:
        killable.ends.check_search(footage, request_id, undisturbed.record)
    assert plain_video(killable.ends.video(event, "a")) == undisturbed_video.record
