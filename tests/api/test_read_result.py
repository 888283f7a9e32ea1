"""Reading a result: what the page promises, on any replica, whatever is down."""

import re
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from schemas.searches import SearchStatus
from schemas.topics import SEARCH_COMMANDS, SEARCHES
from tests.api.door import EVENT, KEY, ORG, PUBLIC_BASE, STOPPED_BY, Door, facts_to, open_door, picture, settings
from tests.waiting import wait_until_async

ALL_KEYS = {"request_id", "status", "videos", "error", "clip_errors", "details"}
ALL_DETAILS = {
    "clips",
    "nearest_distance",
    "nearest_confidence_percent",
    "needed_confidence_percent",
    "stopped_by",
    "other_models",
    "coverage",
    "submitted_at_ms",
    "ended_at_ms",
}
ENDS = [status for status in SearchStatus if status.terminal]


async def started(door: Door, seed: int = 0) -> str:
    """A search that is running."""
    return str((await door.post(picture(seed))).json()["data"]["request_id"])


async def status_of(door: Door, request_id: str) -> str:
    """The status that the GET tells."""
    response = await door.result(request_id)
    assert response.status_code == 200, response.text
    return str(response.json()["data"]["status"])


@pytest.mark.parametrize("status", list(SearchStatus))
async def test_all_keys_are_present_whatever_the_status(door: Door, status: SearchStatus) -> None:
    """Clips only where the page has them, an error only of a failure."""
    request_id = await started(door)
    await door.end(request_id, status)
    data = (await door.result(request_id)).json()["data"]
    assert data.keys() == ALL_KEYS
    assert data["details"].keys() == ALL_DETAILS
    assert (data["details"]["stopped_by"] is not None) == (status in STOPPED_BY)
    assert data["details"]["needed_confidence_percent"] == 50
    assert (data["request_id"], data["status"]) == (request_id, status)
    assert len(data["videos"]) == (status is SearchStatus.COMPLETED)
    assert len(data["clip_errors"]) == {SearchStatus.COMPLETED: 1, SearchStatus.CLIP_FAILED: 2}.get(status, 0)
    assert (data["error"] is not None) == (status is SearchStatus.FAILED)


async def test_completed_looks_as_on_the_page(door: Door) -> None:
    """Fields, address, floor of the start, ceiling of the end; exact numbers under details."""
    request_id = await started(door)
    await door.end(request_id, SearchStatus.COMPLETED)
    body = (await door.result(request_id)).json()
    assert body["message"] == "Video clipping completed"
    [video] = body["data"]["videos"]
    assert video == {
        "uuid": video["uuid"],
        "video_url": f"{PUBLIC_BASE}/vids/{EVENT}/motion/selfie/{request_id}/{video['uuid']}.mp4",
        "source_video_key": "12",
        "start_time": "00:00:42",
        "end_time": "00:00:52",
    }
    assert body["data"]["clip_errors"] == [{"source_video_key": "13", "error": "cannot be cut"}]
    details = body["data"]["details"]
    assert (details["clips"][video["uuid"]]["start_ms"], details["clips"][video["uuid"]]["end_ms"]) == (42_400, 51_001)
    assert details["nearest_distance"] == 0.31
    assert details["nearest_confidence_percent"] == pytest.approx(69)


async def test_each_clip_says_how_sure_it_is(door: Door) -> None:
    request_id = await started(door)
    await door.end(request_id, SearchStatus.COMPLETED)
    [clip] = (await door.result(request_id)).json()["data"]["details"]["clips"].values()
    assert (clip["distance"], clip["samples"]) == (0.31, 5)
    assert clip["confidence_percent"] == pytest.approx(69)


@pytest.mark.parametrize("status", STOPPED_BY)
async def test_an_empty_end_says_the_rule_and_its_numbers(door: Door, status: SearchStatus) -> None:
    request_id = await started(door)
    await door.end(request_id, status)
    data = (await door.result(request_id)).json()["data"]
    stopped, told = STOPPED_BY[status], data["details"]["stopped_by"]
    assert (told["rule"], told["seen"], told["needed"]) == (stopped.rule, stopped.seen, stopped.needed)
    assert told["sentence"]
    assert data["error"] is None


async def test_clips_do_not_show_before_the_end(door: Door) -> None:
    """One clip of two is ready: still processing, and no videos."""
    request_id = await started(door)
    for fact in list(facts_to(SearchStatus.COMPLETED, request_id))[:2]:
        door.log.append(fact)
    data = (await door.result(request_id)).json()["data"]
    assert (data["status"], data["videos"]) == ("processing", [])


async def test_get_right_after_the_post_is_never_404_on_another_replica(door: Door, tmp_path: Path) -> None:
    """Also while the ledger has not decided yet, and the other replica has read nothing of it."""
    async with open_door(settings(tmp_path / "other.sqlite"), beside=door) as other:
        assert (await other.result(str(uuid.uuid4()))).status_code == 404
        door.ledgers.paused = True
        request_id = await started(door)
        assert await status_of(other, request_id) == "processing"
        door.ledgers.resume()
        await door.end(request_id, SearchStatus.NO_MATCHES)
        await wait_until_async(_status_is(other, request_id, "no_matches"), 5, "the other replica sees the end")


def _status_is(door: Door, request_id: str, status: str) -> Callable[[], Awaitable[bool]]:
    async def asked() -> bool:
        return await status_of(door, request_id) == status

    return asked


async def test_new_submission_hides_the_old_end_on_another_replica(door: Door, tmp_path: Path) -> None:
    """After the POST of another selfie nobody is told the old end, although the ledger has not decided yet."""
    async with open_door(settings(tmp_path / "other.sqlite"), beside=door) as other:
        request_id = await started(door, 1)
        await door.end(request_id, SearchStatus.NO_MATCHES)
        door.ledgers.paused = True
        await door.post(picture(2), request_id)
        assert await status_of(other, request_id) == "processing"


async def test_repeat_of_the_same_selfie_leaves_an_end_as_it_stands(door: Door) -> None:
    """A terminal state never changes unless a POST starts the search again, and this one does not."""
    request_id = await started(door)
    await door.end(request_id, SearchStatus.NO_MATCHES)
    door.ledgers.paused = True
    await door.post(picture(), request_id)
    assert await status_of(door, request_id) == "no_matches"


async def test_record_older_than_the_command_is_processing(door: Door) -> None:
    """The replica has the commands but lags behind on the ledger."""
    door.reader.held_topics = frozenset({SEARCHES})
    request_id = await started(door)
    # The barrier cannot be passed, and need not be: the command itself was seen.
    assert await status_of(door, request_id) == "processing"


async def test_broker_out_of_reach__known_ends_stand(door: Door) -> None:
    """What has ended is still told."""
    request_id = await started(door)
    await door.end(request_id, SearchStatus.NO_MATCHES)
    assert await status_of(door, request_id) == "no_matches"
    door.log.down = True
    assert await status_of(door, request_id) == "no_matches"


async def test_broker_out_of_reach__unknown_id_is_500(door: Door) -> None:
    """Never a false 404."""
    assert (await door.result(str(uuid.uuid4()))).status_code == 404
    door.log.down = True
    assert (await door.result(str(uuid.uuid4()))).status_code == 500


async def test_replica_that_lags_answers_500_for_an_unknown_id(door: Door) -> None:
    """The broker answers, but its end was not reached in time."""
    assert (await door.result(str(uuid.uuid4()))).status_code == 404
    door.reader.held_topics = frozenset({SEARCH_COMMANDS, SEARCHES})
    await door.post(picture())
    assert (await door.result(str(uuid.uuid4()))).status_code == 500


async def test_id_of_another_event_is_unknown(door: Door) -> None:
    """A search is named by event and id: 404, in the very words of any unknown id."""
    request_id = await started(door)
    door.found(ORG + 1, EVENT + 1, "x" * 43)
    elsewhere = await door.result(request_id, key="x" * 43, org_id=ORG + 1, event_id=EVENT + 1)
    unknown = await door.result(str(uuid.uuid4()), key=KEY)
    assert (elsewhere.status_code, elsewhere.json()) == (unknown.status_code, unknown.json())
    assert elsewhere.status_code == 404


@pytest.mark.parametrize("spelling", ["x", "1234", "{0}0", "urn:uuid:{0}"])
async def test_id_that_is_no_uuid_is_400(door: Door, spelling: str) -> None:
    """On the GET as on the POST."""
    response = await door.result(spelling.format(uuid.uuid4()))
    assert response.status_code == 400
    assert re.search("UUID", response.json()["message"])
