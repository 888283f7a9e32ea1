"""Nothing but the envelope ever leaves the service, and every response names its request."""

import re
import uuid
from pathlib import Path

import httpx
import pytest

from tests.api.door import EVENT, KEY, ORG, Door, clip_search_path, open_door, picture, settings
from tests.fakes.memory_media import MemoryMedia

PING = f"/api/v1/ext/{ORG}/event/{EVENT}/ping"
GOOD = {"X-API-Key": KEY}


def assert_error(response: httpx.Response, status: int) -> str:
    """An error in its envelope, whole."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/json")
    assert response.headers["x-request-id"]
    body = response.json()
    assert body.keys() == {"responseType", "message", "data"}
    assert (body["responseType"], body["data"]) == ("error", None)
    assert body["message"]
    return str(body["message"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/nothing/here", 404),
        ("GET", "/api/v1/ext/abc/event/1/ping", 404),
        ("GET", "/api/v1/ext/1.5/event/1/ping", 404),
        ("GET", "/%00/%ff", 404),
        ("POST", PING, 405),
        ("PUT", "/health/live", 405),
        ("DELETE", f"{clip_search_path()}/search-by-selfie", 405),
        ("GET", "/admin/v1/orgs", 401),
        ("GET", "/admin/v1/nothing", 404),
        ("GET", f"/vids/{EVENT}/motion/selfie/x/y.mp4", 404),
    ],
)
async def test_framework_errors(door: Door, method: str, path: str, status: int) -> None:
    """No route, no such method, no such parameter."""
    assert_error(await door.client.request(method, path), status)


async def test_405_says_what_is_allowed(door: Door) -> None:
    """As HTTP wants it (RFC 9110, section 15.5.6)."""
    response = await door.client.post(PING)
    assert "GET" in response.headers["allow"]


async def test_malformed_multipart(door: Door) -> None:
    """400."""
    headers = GOOD | {"Content-Type": "multipart/form-data; boundary=x"}
    path = f"{clip_search_path()}/search-by-selfie"
    assert_error(await door.client.post(path, content=b"--y\r\n", headers=headers), 400)


async def test_too_large_body_of_json(door: Door) -> None:
    """413 on a route that takes no file."""
    headers = door.admin | {"Content-Type": "application/json"}
    assert_error(await door.client.post("/admin/v1/orgs", content=bytes(300_000), headers=headers), 413)


async def test_malformed_json(door: Door) -> None:
    """400."""
    headers = door.admin | {"Content-Type": "application/json"}
    assert_error(await door.client.post("/admin/v1/orgs", content=b'{"name": ', headers=headers), 400)


async def test_field_validation_is_flattened(door: Door) -> None:
    """422: `field.path: reason; field.path: reason`."""
    wrong = {"quality": 99, "max_clip_s": 0}
    path = f"/admin/v1/orgs/{ORG}/events"
    response = await door.client.post(path, json={"event_name": "x", "settings": wrong}, headers=door.admin)
    message = assert_error(response, 422)
    assert re.fullmatch(r"settings\.quality: [^;]+; settings\.max_clip_s: [^;]+", message)
    response = await door.client.post("/admin/v1/orgs", json={"name": 3}, headers=door.admin)
    assert re.fullmatch(r"name: [^;]+", assert_error(response, 422))


class BrokenMedia(MemoryMedia):
    """A store whose adapter has a fault that nobody expected."""

    async def put_private(self, object_key: str, data: bytes, *, content_type: str) -> None:
        """Fail."""
        raise ZeroDivisionError(f"secret words about {object_key}, {len(data)} bytes of {content_type}")


async def test_unexpected_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """500, and nothing of the error shows; the log has it, with the request's id."""
    async with open_door(settings(tmp_path / "r.sqlite"), media=BrokenMedia()) as door:
        door.found(ORG, EVENT, KEY)
        response = await door.post(picture())
    assert "secret" not in assert_error(response, 500)
    [record] = [each for each in caplog.records if each.getMessage() == "a request failed"]
    assert record.__dict__["request_id"] == response.headers["x-request-id"]


async def test_every_response_names_its_request(door: Door) -> None:
    """A new UUID each time, or the caller's own word."""
    first, second = [(await door.client.get("/health/live")).headers["x-request-id"] for _ in range(2)]
    assert str(uuid.UUID(first)) == first != second
    given = await door.client.get("/nothing", headers={"X-Request-Id": "mine-1"})
    assert given.headers["x-request-id"] == "mine-1"


@pytest.mark.parametrize("word", ["a b", "x" * 65, "<script>", ""])
async def test_request_id_that_is_no_plain_word_is_replaced(door: Door, word: str) -> None:
    """It would have to be escaped in logs."""
    response = await door.client.get("/health/live", headers={"X-Request-Id": word})
    assert str(uuid.UUID(response.headers["x-request-id"]))


async def test_success_wears_it_too(door: Door) -> None:
    """With data."""
    body = (await door.client.get(PING, headers=GOOD)).json()
    assert body.keys() == {"responseType", "message", "data"}
    assert body["responseType"] == "success"
