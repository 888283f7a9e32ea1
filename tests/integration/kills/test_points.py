"""The lists of points are whole: nothing that is passed is left out."""

from collections import Counter

from streams.flow import Role
from streams.index.chunks import ChunkPoint
from streams.index.sources import RemovalPoint, SourcePoint
from streams.render.clips import ClipPoint
from streams.search.match import MatchPoint
from streams.shell.failpoints import FailpointName
from tests.integration.kills.conftest import Undisturbed, UndisturbedVideo
from tests.integration.kills.orders import Order
from tests.integration.kills.points import EXPIRED, GIVEN_UP, NEVER_PASSED, REINDEX, REMOVAL, SEARCH, VIDEO


def test_every_point_that_there_is_has_its_kill() -> None:
    killed = {order.point for order in (*SEARCH, *VIDEO, *REINDEX, *REMOVAL, *GIVEN_UP, EXPIRED)}
    there_are = {*FailpointName, *MatchPoint, *SourcePoint, *RemovalPoint, *ChunkPoint, *ClipPoint}
    assert killed == there_are - {NEVER_PASSED}


def test_every_passing_of_a_search_and_of_a_video_has_its_kill(
    undisturbed: Undisturbed, undisturbed_video: UndisturbedVideo
) -> None:
    assert undisturbed.passed == passings(SEARCH)
    assert undisturbed_video.passed == passings(VIDEO)


def passings(orders: list[Order]) -> Counter[tuple[Role, str]]:
    return Counter((order.role, order.point) for order in orders)
