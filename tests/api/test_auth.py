"""Who may ask for what: 401, 403 (key, organisation), 404 (event), 403 (event's organisation, flags), 400."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from api.settings import ReplicaSettings
from schemas.catalog import DeleteKey, EventFlags, SetKeyActive
from tests.api.door import EVENT, KEY, NOW_MS, ORG, Door, open_door, picture, settings
from tests.waiting import wait_until_async

OTHER_ORG, OTHER_EVENT, OTHER_KEY = 7, 8, "o" * 43
UNKNOWN_EVENT = 999_999
ROUTES = ("ping", "post", "get")


async def ask(
    door: Door, route: str, *, key: str | None = KEY, org_id: int = ORG, event_id: int = EVENT
) -> httpx.Response:
    """Any partner route, with a form or an id that would be 400 if one came so far."""
    if route == "post":
        return await door.post(b"", "no-uuid", key=key, org_id=org_id, event_id=event_id)
    if route == "get":
        return await door.result("no-uuid", key=key, org_id=org_id, event_id=event_id)
    headers = {"X-API-Key": key} if key is not None else {}
    return await door.client.get(f"/api/v1/ext/{org_id}/event/{event_id}/ping", headers=headers)


@pytest.fixture
def neighbour(door: Door) -> Door:
    """Another organisation beside the usual one."""
    door.found(OTHER_ORG, OTHER_EVENT, OTHER_KEY)
    return door


@pytest.mark.parametrize("route", ROUTES)
async def test_header_missing_is_401(door: Door, route: str) -> None:
    """Before anything else, also before an event is looked for."""
    assert (await ask(door, route, key=None, event_id=UNKNOWN_EVENT)).status_code == 401
    assert (await ask(door, route, key="")).status_code == 401


@pytest.mark.parametrize("route", ROUTES)
async def test_unknown_key_is_403(door: Door, route: str) -> None:
    """Before the event is looked for."""
    assert (await ask(door, route, key="nobody's", event_id=UNKNOWN_EVENT)).status_code == 403


@pytest.mark.parametrize("route", ROUTES)
async def test_key_of_another_organisation_is_403(neighbour: Door, route: str) -> None:
    """For an organisation that exists as for one that does not."""
    assert (await ask(neighbour, route, key=OTHER_KEY)).status_code == 403
    assert (await ask(neighbour, route, key=OTHER_KEY, org_id=12345)).status_code == 403


@pytest.mark.parametrize("route", ROUTES)
async def test_unknown_event_is_404(door: Door, route: str) -> None:
    """Before the body is looked at."""
    assert (await ask(door, route, event_id=UNKNOWN_EVENT)).status_code == 404


@pytest.mark.parametrize("route", ROUTES)
async def test_event_of_another_organisation_is_403(neighbour: Door, route: str) -> None:
    """It tells no more than that the event's id exists."""
    assert (await ask(neighbour, route, event_id=OTHER_EVENT)).status_code == 403


@pytest.mark.parametrize("route", ["post", "get"])
@pytest.mark.parametrize("flag", ["video_search", "video_selfie_search", "event_enabled"])
async def test_feature_flag_off_is_403(door: Door, route: str, flag: str) -> None:
    """Before the body is looked at; the other flags do not matter."""
    door.found(OTHER_ORG, OTHER_EVENT, OTHER_KEY, EventFlags(**{flag: False}))
    assert (await ask(door, route, key=OTHER_KEY, org_id=OTHER_ORG, event_id=OTHER_EVENT)).status_code == 403


@pytest.mark.parametrize("route", ["post", "get"])
async def test_bad_request_comes_last(door: Door, route: str) -> None:
    """With every check passed the same request is 400."""
    assert (await ask(door, route)).status_code == 400


async def test_ping_says_pong(door: Door) -> None:
    """Word for word."""
    response = await ask(door, "ping")
    assert response.json() == {
        "responseType": "success",
        "message": "pong",
        "data": {"status": "ok", "org_id": ORG, "event_id": EVENT},
    }


async def test_inactive_key_is_403_until_it_is_active_again(door: Door) -> None:
    """Reactivation restores the same value."""
    for active, status in ((False, 403), (True, 200)):
        door.log.append(
            SetKeyActive(command_id=f"switch-{active}", at_ms=NOW_MS, org_id=ORG, key_id="key-1", active=active)
        )
        await door.see_all()
        assert (await ask(door, "ping")).status_code == status


async def test_deleted_key_is_403(door: Door) -> None:
    """For good."""
    door.log.append(DeleteKey(command_id="d", at_ms=NOW_MS, org_id=ORG, key_id="key-1"))
    await door.see_all()
    assert (await ask(door, "ping")).status_code == 403


async def test_key_made_on_another_replica_holds_at_once(door: Door) -> None:
    """An unknown key is made sure of before it is refused."""
    assert (await ask(door, "ping")).status_code == 200
    door.found(OTHER_ORG, OTHER_EVENT, OTHER_KEY)
    response = await ask(door, "ping", key=OTHER_KEY, org_id=OTHER_ORG, event_id=OTHER_EVENT)
    assert response.status_code == 200


async def test_unknown_key_is_500_while_the_log_is_out_of_reach(door: Door) -> None:
    """Nobody can say that it is not valid."""
    await door.see_all()
    door.log.down = True
    assert (await ask(door, "ping", key="nobody's")).status_code == 500
    assert (await ask(door, "ping")).status_code == 200


async def test_old_keys_are_not_trusted_for_ever(tmp_path: Path) -> None:
    """After the stated time without the log, a key that was good is 500; with the log back it is good again."""
    replica = ReplicaSettings(path=tmp_path / "r.sqlite", barrier_wait_s=0.3, refresh_s=0.05, retry_s=0.02, trust_s=0.3)
    async with open_door(settings(tmp_path, replica=replica)) as door:
        door.found(ORG, EVENT, KEY)
        await door.see_all()
        door.log.down = True
        assert (await ask(door, "ping")).status_code == 200
        await wait_until_async(_ping_is(door, 500), 5, "the key is trusted no more")
        door.log.down = False
        await wait_until_async(_ping_is(door, 200), 5, "the key is trusted again")


def _ping_is(door: Door, status: int) -> Callable[[], Awaitable[bool]]:
    async def asked() -> bool:
        return (await ask(door, "ping")).status_code == status

    return asked


async def test_search_of_one_organisation_cannot_be_read_by_another(neighbour: Door) -> None:
    """Whatever mixture of ids the stranger tries."""
    request_id = (await neighbour.post(picture())).json()["data"]["request_id"]
    tries = [(OTHER_ORG, OTHER_EVENT, 404), (OTHER_ORG, EVENT, 403), (ORG, EVENT, 403), (ORG, OTHER_EVENT, 403)]
    for org_id, event_id, status in tries:
        response = await neighbour.result(request_id, key=OTHER_KEY, org_id=org_id, event_id=event_id)
        assert response.status_code == status
        assert request_id not in response.text


async def test_no_key_stands_in_the_replica(door: Door, tmp_path: Path) -> None:
    """Only hashes are kept."""
    await door.see_all()
    made = (await door.client.post(f"/admin/v1/orgs/{ORG}/keys", headers=door.admin)).json()["data"]["api_key"]
    await door.see_all()
    assert made.encode() not in _content(tmp_path)


def _content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())
