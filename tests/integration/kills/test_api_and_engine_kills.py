"""The API and the engines killed in the middle: the same end state as without."""

from pathlib import Path

import msgspec
import pytest

from streams.flow import Role
from streams.index.chunks import ChunkPoint
from streams.index.sources import SourcePoint
from streams.render.clips import ClipPoint
from streams.search.match import MatchPoint
from streams.shell.failpoints import FailpointName
from tests.integration.conftest import Event, make_event
from tests.integration.kills.conftest import Undisturbed, UndisturbedVideo
from tests.integration.kills.end_states import plain_video
from tests.integration.kills.killable import Killable, start_search, start_video, wait_for_search, wait_for_video
from tests.integration.kills.orders import Order

pytestmark = pytest.mark.timeout(400)

# Kafka while the ledger takes the third message after the video was accepted. The video has two facts to come, so the
# third is of the search, whose POST has been answered by then: without Kafka it would be refused, rightly.
_LEDGER_NTH = 3
ENGINES: list[tuple[str, Role, str, int]] = [
    ("kafka", Role.LEDGER, FailpointName.LEDGER_DECIDED, _LEDGER_NTH),
    ("kafka", Role.LEDGER, FailpointName.LEDGER_BEFORE_PUT, _LEDGER_NTH),
    ("kafka", Role.LEDGER, FailpointName.LEDGER_CHANGELOG_SENT, _LEDGER_NTH),
    ("kafka", Role.MATCH, FailpointName.STAGE_HANDLED, 1),
    ("kafka", Role.RENDER, FailpointName.STAGE_HANDLED, 1),
    ("kafka", Role.INDEX, FailpointName.STAGE_HANDLED, 1),
    ("clickhouse", Role.MATCH, MatchPoint.EMBEDDED, 1),
    ("clickhouse", Role.INDEX, SourcePoint.PROBED, 1),
    ("clickhouse", Role.INDEX, ChunkPoint.SEEN, 1),
    ("s3", Role.RENDER, ClipPoint.CUT, 1),
    ("s3", Role.RENDER, ClipPoint.ADDRESSED, 1),
    ("s3", Role.MATCH, FailpointName.STAGE_TAKEN, 1),
    ("s3", Role.INDEX, SourcePoint.ADDRESSED, 1),
    ("s3", Role.INDEX, ChunkPoint.ADDRESSED, 1),
]
BY_DEFAULT = {("kafka", FailpointName.LEDGER_DECIDED), ("clickhouse", MatchPoint.EMBEDDED), ("s3", ClipPoint.CUT)}
CASES = [
    pytest.param(
        engine,
        Order(role=role, point=point, nth=nth),
        id=f"{engine} at {role} {point}",
        marks=[] if (engine, point) in BY_DEFAULT else pytest.mark.full,
    )
    for engine, role, point, nth in ENGINES
]


def test_the_api_killed_after_its_answers(
    killable: Killable,
    footage: Event,
    short: Path,
    man: bytes,
    undisturbed: Undisturbed,
    undisturbed_video: UndisturbedVideo,
) -> None:
    """What was answered is done, and another process tells of it."""
    event = make_event(killable.system)
    start_video(event, "a", short)
    request_id = start_search(footage, man)
    before = killable.kill_api()
    wait_for_search(footage, request_id, outage=True)
    wait_for_video(event, "a", outage=True)
    killable.settle()
    assert killable.api_pid() != before
    killable.ends.check_search(footage, request_id, undisturbed.record)
    assert plain_video(killable.ends.video(event, "a")) == undisturbed_video.record


@pytest.mark.parametrize(("engine", "order"), CASES)
def test_an_engine_killed_in_the_middle(
    killable: Killable,
    footage: Event,
    short: Path,
    man: bytes,
    undisturbed: Undisturbed,
    undisturbed_video: UndisturbedVideo,
    engine: str,
    order: Order,
) -> None:
    """A search and a video are under way, and one of them has just come to that point."""
    event = make_event(killable.system)
    killable.settle()
    killable.orders.clear()
    victim = killable.engines.pids()[engine]
    order = msgspec.structs.replace(order, victim=victim)
    # Each must have been accepted when the engine goes: what comes to a dead one is refused.
    if order.role is Role.INDEX:
        request_id = start_search(footage, man)
        killable.orders.give(order)
        start_video(event, "a", short)
    else:
        start_video(event, "a", short)
        killable.orders.give(order)
        request_id = start_search(footage, man)
    wait_for_search(footage, request_id, outage=True)
    wait_for_video(event, "a", outage=True)
    killable.settle()
    assert killable.orders.carried_out(order)
    assert killable.engines.pids()[engine] != victim
    killable.ends.check_search(footage, request_id, undisturbed.record)
    assert plain_video(killable.ends.video(event, "a")) == undisturbed_video.record
