"""Nothing processes for ever: also when all workers of a role are away, every record ends after its deadline."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from random import SystemRandom

import pytest

from infra.embedded.ports import free_port
from infra.local import api_service
from schemas.searches import SearchStatus
from schemas.videos import VideoState
from streams.flow import Role
from tests.integration.conftest import Event
from tests.integration.kills.end_states import plain_search
from tests.integration.kills.killable import Killable, start_search, start_video, wait_for_search, wait_for_video
from tests.integration.kills.points import EXPIRED
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(400)

# Longer than a match on a busy machine; the watchdog's round of 2 s comes on top.
DEADLINE_S = 6
MATCHED_WITHIN_S = 30.0


@pytest.fixture
def hurried(killable: Killable, footage: Event) -> Iterator[Event]:
    """The event behind another API process, whose searches and videos have a short deadline."""
    port = free_port(SystemRandom())
    environment = killable.system.environment | {
        "SPOTCLIP_DATA": str(killable.folder / "hurried"),
        "SPOTCLIP_SEARCH_DEADLINE_S": str(DEADLINE_S),
        "SPOTCLIP_VIDEO_DEADLINE_S": str(DEADLINE_S),
    }
    killable.supervise("hurried", dataclasses.replace(api_service(environment, port), name="api-hurried"))
    system = dataclasses.replace(killable.system, url=f"http://127.0.0.1:{port}")
    yield dataclasses.replace(footage, system=system)
    killable.stop("hurried")


@pytest.fixture
def workers(killable: Killable) -> Iterator[Killable]:
    """Workers that the test may stop; those it stopped are started again."""
    yield killable
    killable.start_roles(*(role for role in Role if role not in killable.supervisors))


def test_without_workers_everything_ends_after_its_deadline_and_stays_so(
    workers: Killable, hurried: Event, man: bytes, short: Path
) -> None:
    """The ledger worker whose watchdog sends the first expiry is killed in addition."""
    workers.settle()
    workers.orders.clear()
    workers.stop(Role.RENDER)
    without_render = start_search(hurried, man)
    wait_until(
        lambda: workers.ends.search(hurried, without_render).windows, MATCHED_WITHIN_S, "the search was matched in time"
    )
    workers.stop(Role.MATCH, Role.INDEX)
    workers.orders.give(EXPIRED)
    without_match = start_search(hurried, man)
    start_video(hurried, "never", short)
    for request_id in (without_render, without_match):
        wait_for_search(hurried, request_id)
    wait_for_video(hurried, "never")
    assert workers.orders.carried_out(EXPIRED)
    unmatched, uncut = (workers.ends.search(hurried, name) for name in (without_match, without_render))
    assert (unmatched.status, unmatched.windows) == (SearchStatus.FAILED, ())
    assert "too long" in (unmatched.error or "")
    assert (uncut.status, uncut.clips, len(uncut.clip_errors)) == (SearchStatus.CLIP_FAILED, (), 2)
    video = workers.ends.video(hurried, "never")
    assert video.state is VideoState.FAILED
    # Late work changes nothing any more.
    workers.start_roles(Role.MATCH, Role.INDEX, Role.RENDER)
    workers.settle()
    assert plain_search(workers.ends.search(hurried, without_match)) == plain_search(unmatched)
    assert plain_search(workers.ends.search(hurried, without_render)) == plain_search(uncut)
    assert workers.ends.video(hurried, "never") == video
