"""Bad input and strangers: the right code in the envelope, nothing stored, nothing crashed."""

import struct
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx
import pytest

from tests.integration.conftest import Event, System, make_event

SOME_ID = "ddc661a7-8861-4793-9437-af42a82d12f8"
START = "/video-clipping/search-by-selfie"


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def quiet(system: System) -> Event:
    """An event without footage."""
    return make_event(system)


@pytest.fixture(scope="module")
def foreign(system: System) -> Event:
    return make_event(system)


@dataclass(frozen=True)
class Given:
    """What a case may use: an event of its own, somebody else's, and a good selfie."""

    own: Event
    foreign: Event
    man: bytes


Case = Callable[[Given], httpx.Response]
CASES: dict[str, tuple[int, Case]] = {
    "an empty file": (400, lambda given: given.own.post(b"")),
    "text named .jpg": (400, lambda given: given.own.post(b"this is no picture at all")),
    "a truncated JPEG": (400, lambda given: given.own.post(given.man[: len(given.man) // 2])),
    "a bomb of 60 megapixels": (400, lambda given: given.own.post(png_header(10_000, 6_000))),
    "a file of 11 MiB": (413, lambda given: given.own.post(given.man + bytes(11 * 2**20))),
    "a bad UUID": (400, lambda given: given.own.post(given.man, "not-a-uuid")),
    "a bad UUID on GET": (400, lambda given: given.own.get("not-a-uuid")),
    "neither file nor id": (400, lambda given: given.own.request("POST", START, files={"other": b"x"})),
    "an id alone that nobody knows": (404, lambda given: given.own.post(None, str(uuid.uuid4()))),
    "an unknown id on GET": (404, lambda given: given.own.get(str(uuid.uuid4()))),
    "no multipart": (400, lambda given: given.own.request("POST", START, content=b"x")),
    "no key": (401, lambda given: httpx.get(f"{given.own.base}/ping")),
    "an unknown key": (403, lambda given: replace(given.own, api_key="nobody's").request("GET", "/ping")),
    "a foreign key": (403, lambda given: replace(given.own, api_key=given.foreign.api_key).post(given.man)),
    "a foreign event": (403, lambda given: replace(given.own, event_id=given.foreign.event_id).post(given.man)),
    "an unknown event": (404, lambda given: replace(given.own, event_id=999_999_999).post(given.man)),
    "a route that is not there": (404, lambda given: given.own.request("GET", "/nothing")),
    "a method that is not there": (405, lambda given: given.own.request("DELETE", "/ping")),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input(name: str, quiet: Event, foreign: Event, man: bytes) -> None:
    status, send = CASES[name]
    answer = send(Given(quiet, foreign, man))
    assert answer.status_code == status, answer.text
    envelope = answer.json()
    assert (envelope["responseType"], envelope["data"]) == ("error", None)
    assert envelope["message"]
    assert quiet.request("GET", "/ping").json()["data"]["status"] == "ok"


def test_what_was_refused_is_unknown_afterwards(quiet: Event, man: bytes) -> None:
    request_id = str(uuid.uuid4())
    assert quiet.post(man[: len(man) // 2], request_id).status_code == 400
    assert quiet.get(request_id).status_code == 404


def test_the_same_id_under_another_event_is_another_search(system: System, quiet: Event, man: bytes) -> None:
    request_id = str(uuid.uuid4())
    assert quiet.post(man, request_id).status_code == 200
    body = {"event_name": "Winter Run"}
    other_id = system.admin("POST", f"/orgs/{quiet.org_id}/events", json=body).json()["data"]["event_id"]
    assert replace(quiet, event_id=other_id).get(request_id).status_code == 404
    assert quiet.result(request_id)["status"] == "no_matches"


@pytest.mark.parametrize("flag", ["video_search", "video_selfie_search"])
def test_a_flag_that_is_off_refuses(system: System, man: bytes, flag: str) -> None:
    event = make_event(system, **{flag: False})
    assert event.post(man).status_code == 403
    assert event.get(SOME_ID).status_code == 403


def test_other_bytes_under_a_running_id_are_refused_or_the_first_selfie_stands(event: Event, man: bytes) -> None:
    """The verdict may not come in time; then the answer is `processing`."""
    request_id = str(uuid.uuid4())
    event.post(man, request_id)
    other = event.post(man + b"\0", request_id)
    assert other.status_code in (200, 400)
    assert event.result(request_id)["status"] == "completed"
