"""Starting a clip search: the rows of the contract's table, by their names."""

import asyncio
import hashlib
import uuid

import httpx
import pytest

from schemas.ids import selfie_object_key
from schemas.public import UsageEntry
from schemas.searches import SearchStatus
from tests.api.door import EVENT, Door, picture

ENDED = (SearchStatus.COMPLETED, SearchStatus.NO_MATCHES, SearchStatus.NO_SEGMENTS)
FAILED = (SearchStatus.FAILED, SearchStatus.CLIP_FAILED)
STARTED = (
    "Video clipping search started. Poll GET /api/v1/ext/{org_id}/event/{event_id}/video-clipping/{request_id} "
    "for results."
)


def assert_started(response: httpx.Response, status: SearchStatus, request_id: str | None = None) -> str:
    """A success with exactly the page's two fields; the id is the one that was sent."""
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["responseType"] == "success"
    assert body["data"].keys() == {"status", "request_id"}
    assert body["data"]["status"] == status
    assert request_id in (None, body["data"]["request_id"])
    return str(body["data"]["request_id"])


def assert_refused(response: httpx.Response, status: int, *, saying: str = "") -> None:
    """An error of this status."""
    assert response.status_code == status, response.text
    body = response.json()
    assert (body["responseType"], body["data"]) == ("error", None)
    assert saying in body["message"]


async def test_file__none_or_no_id(door: Door) -> None:
    """`processing` under a generated id, in the page's words; the selfie lies where the command says."""
    response = await door.post(picture())
    request_id = assert_started(response, SearchStatus.PROCESSING)
    assert str(uuid.UUID(request_id)) == request_id
    assert response.json()["message"] == STARTED
    [match] = door.matches()
    sha256 = hashlib.sha256(picture()).hexdigest()
    assert match.selfie.object_key == selfie_object_key(EVENT, request_id, sha256)
    assert door.media.private[match.selfie.object_key] == picture()
    assert door.media.types[match.selfie.object_key] == "image/jpeg"


async def test_file__none__with_an_id_of_the_caller(door: Door) -> None:
    """The caller's id is kept, in its one spelling."""
    request_id = str(uuid.uuid4())
    assert_started(await door.post(picture(kind=".png"), request_id.upper()), SearchStatus.PROCESSING, request_id)
    assert list(door.media.types.values()) == ["image/png"]


async def test_file__none__no_matches_at_once(door: Door) -> None:
    """When matching ends within the wait, the POST answers with the end."""
    door.ledgers.answers = door.no_match_for
    assert_started(await door.post(picture()), SearchStatus.NO_MATCHES)


async def test_file__none__other_ends_are_told_by_the_get_alone(door: Door) -> None:
    """`no_segments` within the wait is still `processing` for the POST."""
    door.ledgers.answers = lambda output: door.no_match_for(output, SearchStatus.NO_SEGMENTS)
    request_id = assert_started(await door.post(picture()), SearchStatus.PROCESSING)
    assert (await door.result(request_id)).json()["data"]["status"] == SearchStatus.NO_SEGMENTS


@pytest.mark.parametrize("status", [SearchStatus.PROCESSING, *ENDED])
async def test_file_same_bytes__job_running_or_ended(door: Door, status: SearchStatus) -> None:
    """The cached state; nothing runs again and nothing is billed again."""
    request_id = assert_started(await door.post(picture()), SearchStatus.PROCESSING)
    await door.end(request_id, status)
    assert_started(await door.post(picture(), request_id), status, request_id)
    assert len(door.matches()) == 1
    assert len([output for output in door.ledgers.outputs if isinstance(output, UsageEntry)]) == 1


@pytest.mark.parametrize("status", FAILED)
async def test_file_same_bytes__job_ended_in_failed_or_clip_failed(door: Door, status: SearchStatus) -> None:
    """Runs again under the same id, free."""
    request_id = assert_started(await door.post(picture()), SearchStatus.PROCESSING)
    await door.end(request_id, status)
    assert_started(await door.post(picture(), request_id), SearchStatus.PROCESSING, request_id)
    assert [match.attempt for match in door.matches()] == [1, 2]
    assert len([output for output in door.ledgers.outputs if isinstance(output, UsageEntry)]) == 1


async def test_file_other_bytes__job_running(door: Door) -> None:
    """400: the id is in use for another selfie."""
    request_id = assert_started(await door.post(picture(1)), SearchStatus.PROCESSING)
    assert_refused(await door.post(picture(2), request_id), 400, saying="in use")
    assert len(door.matches()) == 1


async def test_file_other_bytes__job_running__verdict_too_late(door: Door) -> None:
    """`processing`, and the first accepted selfie stands."""
    request_id = assert_started(await door.post(picture(1)), SearchStatus.PROCESSING)
    door.ledgers.paused = True
    assert_started(await door.post(picture(2), request_id), SearchStatus.PROCESSING, request_id)
    door.ledgers.resume()
    [match] = door.matches()
    assert match.selfie.sha256 == hashlib.sha256(picture(1)).hexdigest()


@pytest.mark.parametrize("status", [*ENDED, *FAILED])
async def test_file_other_bytes__job_ended(door: Door, status: SearchStatus) -> None:
    """The record is updated and runs again, as another billable search."""
    request_id = assert_started(await door.post(picture(1)), SearchStatus.PROCESSING)
    await door.end(request_id, status)
    assert_started(await door.post(picture(2), request_id), SearchStatus.PROCESSING, request_id)
    assert [match.attempt for match in door.matches()] == [1, 2]
    assert len([output for output in door.ledgers.outputs if isinstance(output, UsageEntry)]) == 2


@pytest.mark.parametrize("status", [SearchStatus.PROCESSING, *ENDED, *FAILED])
async def test_id_only__clip_job_already_there(door: Door, status: SearchStatus) -> None:
    """The cached state; nothing runs again."""
    request_id = assert_started(await door.post(picture()), SearchStatus.PROCESSING)
    await door.end(request_id, status)
    assert_started(await door.post(None, request_id), status, request_id)
    assert len(door.matches()) == 1


async def test_id_only__clip_job_on_its_way(door: Door) -> None:
    """A submission that the ledger has not taken in yet is a clip job already."""
    door.ledgers.paused = True
    request_id = assert_started(await door.post(picture()), SearchStatus.PROCESSING)
    assert_started(await door.post(None, request_id), SearchStatus.PROCESSING, request_id)


async def test_id_only__none(door: Door) -> None:
    """404."""
    assert_refused(await door.post(None, str(uuid.uuid4())), 404)


@pytest.mark.parametrize(
    ("selfie", "request_id"),
    [(None, None), (b"", None), (None, "not-a-uuid"), (picture(), "1234"), (None, "")],
    ids=["neither", "empty file", "id not a UUID", "file with an id not a UUID", "empty id"],
)
async def test_neither__empty_file__id_not_a_uuid(door: Door, selfie: bytes | None, request_id: str | None) -> None:
    """400."""
    assert_refused(await door.post(selfie, request_id), 400)
    assert not door.media.private


async def test_record_could_not_be_stored(door: Door) -> None:
    """500 when the object store is down; no search is begun, and the record says failed, from the first GET on."""
    request_id = str(uuid.uuid4())
    door.media.down = True
    assert_refused(await door.post(picture(), request_id), 500, saying="send it again")
    data = (await door.result(request_id)).json()["data"]
    assert data["status"] in (SearchStatus.PROCESSING, SearchStatus.FAILED)  # until the ledger has decided
    door.media.down = False
    await door.see_all()
    data = (await door.result(request_id)).json()["data"]
    assert (data["status"], data["videos"]) == (SearchStatus.FAILED, [])
    assert "send it again" in data["error"]
    assert not door.matches()


async def test_record_could_not_be_stored__and_sent_again(door: Door) -> None:
    """The same bytes under the same id run, and are billed once."""
    request_id = str(uuid.uuid4())
    door.media.down = True
    assert_refused(await door.post(picture(), request_id), 500)
    door.media.down = False
    assert_started(await door.post(picture(), request_id), SearchStatus.PROCESSING, request_id)
    assert [match.request_id for match in door.matches()] == [request_id]
    assert len([output for output in door.ledgers.outputs if isinstance(output, UsageEntry)]) == 1


async def test_record_could_be_neither_stored_nor_told(door: Door) -> None:
    """500 all the same."""
    assert_started(await door.post(picture()), SearchStatus.PROCESSING)
    door.media.down = door.log.down = True
    assert_refused(await door.post(picture(2)), 500, saying="could not be stored")
    door.log.down = False
    assert len(door.matches()) == 1


async def test_record_could_not_be_enqueued(door: Door) -> None:
    """500 when the log does not take it: nothing was accepted, so nothing is billed."""
    request_id = assert_started(await door.post(picture()), SearchStatus.PROCESSING)
    door.log.down = True
    assert_refused(await door.post(picture(2), str(uuid.uuid4())), 500, saying="send it again")
    door.log.down = False
    assert [match.request_id for match in door.matches()] == [request_id]


async def test_record_with_a_lost_acknowledgement(door: Door) -> None:
    """500, as nobody knows; the repeat under the same id finds the job and starts no second one."""
    request_id = str(uuid.uuid4())
    door.log.loses_acknowledgements = True
    assert_refused(await door.post(picture(), request_id), 500)
    door.log.loses_acknowledgements = False
    assert_started(await door.post(picture(), request_id), SearchStatus.PROCESSING, request_id)
    assert len(door.matches()) == 1


async def test_two_posts_at_the_same_moment_with_one_id_make_one_job(door: Door) -> None:
    """Of the same selfie both answer; of two selfies one is refused."""
    request_id = str(uuid.uuid4())
    answers = await asyncio.gather(*(door.post(picture(), request_id) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len(door.matches()) == 1
    other_id = str(uuid.uuid4())
    answers = await asyncio.gather(*(door.post(picture(seed), other_id) for seed in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    assert len(door.matches()) == 2
