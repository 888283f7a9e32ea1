"""The operator's routes of organisations, keys and events, through the ledger's own verdicts."""

import re
from pathlib import Path

import httpx
import msgspec
import pytest

from api.settings import AdminSettings
from schemas.catalog import EventFlags
from schemas.settings import ClipSettings
from tests.api.door import EVENT, KEY, ORG, Door, open_door, settings
from tests.waiting import wait_until_async

ORGS = "/admin/v1/orgs"
KEYS = f"{ORGS}/{ORG}/keys"
EVENTS = f"{ORGS}/{ORG}/events"
THE_EVENT = f"/admin/v1/events/{EVENT}"


async def send(door: Door, method: str, path: str, body: object = None) -> httpx.Response:
    """Ask as an operator."""
    return await door.client.request(method, path, json=body, headers=door.admin)


def data_of(response: httpx.Response, status: int) -> dict[str, object]:
    """The data of a success of this status."""
    assert response.status_code == status, response.text
    assert response.json()["responseType"] == "success"
    data = response.json()["data"]
    assert isinstance(data, dict)
    return data


async def test_without_the_setting_there_is_no_admin_api(tmp_path: Path) -> None:
    """404 for every route, whatever is sent."""
    off = settings(tmp_path / "r.sqlite", admin=AdminSettings())
    async with open_door(off) as door:
        for method, path in (("GET", ORGS), ("POST", ORGS), ("GET", THE_EVENT), ("DELETE", ORGS)):
            for headers in ({}, door.admin, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
                assert (await door.client.request(method, path, headers=headers)).status_code == 404


@pytest.mark.parametrize("given", [None, "", "Bearer ", "Bearer wrong", "Basic {0}", "{0}", "bearer {0}"])
async def test_wrong_token_is_401_before_the_body_is_looked_at(door: Door, given: str | None) -> None:
    """Also a token of another scheme."""
    token = door.admin["Authorization"].removeprefix("Bearer ")
    headers = {"Authorization": given.format(token)} if given is not None else {}
    response = await door.client.post(ORGS, content=b"{", headers=headers | {"Content-Type": "application/json"})
    assert response.status_code == 401


async def test_organisation_is_made_listed_and_read(door: Door) -> None:
    """Under the given id, or one of the server's."""
    given = data_of(await send(door, "POST", ORGS, {"org_id": 5, "name": "Five"}), 201)
    made = data_of(await send(door, "POST", ORGS, {"name": "Any"}), 201)
    assert (given["org_id"], given["name"]) == (5, "Five")
    assert made["org_id"] not in (5, ORG)
    listed = data_of(await send(door, "GET", ORGS), 200)["orgs"]
    assert isinstance(listed, list)
    assert [each["name"] for each in listed if each["org_id"] != ORG] == ["Five", "Any"]
    assert data_of(await send(door, "GET", f"{ORGS}/5"), 200) == given


async def test_given_id_in_use_is_409(door: Door) -> None:
    """For organisations and events."""
    assert (await send(door, "POST", ORGS, {"org_id": ORG, "name": "again"})).status_code == 409
    assert (await send(door, "POST", EVENTS, {"event_id": EVENT, "event_name": "again"})).status_code == 409


async def test_id_of_our_own_making_is_tried_again_when_in_use(door: Door, tmp_path: Path) -> None:
    """The caller left it to us and learns nothing of it."""
    numbers = iter([EVENT, EVENT, 31])
    async with open_door(settings(tmp_path / "other.sqlite"), beside=door, new_number=lambda: next(numbers)) as other:
        made = data_of(await send(other, "POST", EVENTS, {"event_name": "third time"}), 201)
    assert made["event_id"] == 31


@pytest.mark.parametrize("path", [f"{ORGS}/77", f"{ORGS}/77/keys", "/admin/v1/events/77", "/admin/v1/events/77/videos"])
async def test_unknown_organisation_or_event_is_404(door: Door, path: str) -> None:
    """On reading."""
    assert (await send(door, "GET", path)).status_code == 404


async def test_writing_below_an_unknown_organisation_or_event_is_404(door: Door) -> None:
    """Nothing is sent to the ledger."""
    before = door.log.sent
    assert (await send(door, "POST", f"{ORGS}/77/keys", {})).status_code == 404
    assert (await send(door, "POST", f"{ORGS}/77/events", {"event_name": "x"})).status_code == 404
    assert (await send(door, "PATCH", "/admin/v1/events/77", {"status": "x"})).status_code == 404
    assert (await send(door, "PATCH", f"{ORGS}/77/keys/k", {"active": True})).status_code == 404
    assert (await send(door, "DELETE", f"{ORGS}/77/keys/k")).status_code == 404
    assert (await send(door, "PUT", "/admin/v1/events/77/videos/1", {})).status_code == 404
    assert door.log.sent == before


async def test_key_is_shown_once_and_opens_the_partner_api(door: Door) -> None:
    """256 random bits; lists show five characters."""
    made = data_of(await send(door, "POST", KEYS, {"label": "booth"}), 201)
    api_key = str(made["api_key"])
    assert re.fullmatch(r"[\w-]{43,}", api_key)
    assert (made["prefix"], made["active"]) == (api_key[:5], True)
    listed = await send(door, "GET", KEYS)
    keys = data_of(listed, 200)["keys"]
    assert isinstance(keys, list)
    assert {"prefix": f"{api_key[:5]}***", "label": "booth"}.items() <= keys[-1].items()
    assert api_key not in listed.text
    ping = f"/api/v1/ext/{ORG}/event/{EVENT}/ping"
    assert (await door.client.get(ping, headers={"X-API-Key": api_key})).status_code == 200


async def test_switching_and_deleting_a_key_acts_at_once(door: Door) -> None:
    """On the process that answers it; the same value comes back with reactivation."""
    made = data_of(await send(door, "POST", KEYS), 201)
    path, headers = f"{KEYS}/{made['key_id']}", {"X-API-Key": str(made["api_key"])}
    ping = f"/api/v1/ext/{ORG}/event/{EVENT}/ping"
    assert data_of(await send(door, "PATCH", path, {"active": False}), 200)["active"] is False
    assert (await door.client.get(ping, headers=headers)).status_code == 403
    assert data_of(await send(door, "PATCH", path, {"active": True}), 200)["active"] is True
    assert (await door.client.get(ping, headers=headers)).status_code == 200
    assert (await send(door, "DELETE", path)).status_code == 200
    assert (await door.client.get(ping, headers=headers)).status_code == 403
    assert (await send(door, "DELETE", path)).status_code == 404
    assert (await send(door, "PATCH", path, {"active": True})).status_code == 404


async def test_switching_a_key_off_acts_on_other_processes_within_a_second(door: Door, tmp_path: Path) -> None:
    """They follow the log; nobody has to ask them to."""
    headers = {"X-API-Key": KEY}
    ping = f"/api/v1/ext/{ORG}/event/{EVENT}/ping"
    async with open_door(settings(tmp_path / "other.sqlite"), beside=door) as other:

        async def refused() -> bool:
            return (await other.client.get(ping, headers=headers)).status_code == 403

        assert not await refused()
        assert (await send(door, "PATCH", f"{KEYS}/key-1", {"active": False})).status_code == 200
        await wait_until_async(refused, 1, "the other process refuses the key")


async def test_eleventh_key_is_409(door: Door) -> None:
    """The organisation has one from the start; a deleted one makes room."""
    for _ in range(9):
        made = data_of(await send(door, "POST", KEYS), 201)
    assert (await send(door, "POST", KEYS)).status_code == 409
    await send(door, "DELETE", f"{KEYS}/{made['key_id']}")
    assert (await send(door, "POST", KEYS)).status_code == 201


async def test_event_has_flags_and_settings_with_their_defaults(door: Door) -> None:
    """All true but `name_search` and `timeline_search`."""
    made = data_of(await send(door, "POST", EVENTS, {"event_name": "10k"}), 201)
    flags = msgspec.structs.asdict(EventFlags())
    assert {name: made[name] for name in flags} == flags
    assert {name for name, value in flags.items() if not value} == {"name_search", "timeline_search"}
    assert made["settings"] == msgspec.structs.asdict(ClipSettings())
    assert made["org_id"] == ORG


async def test_event_keeps_everything_that_was_given(door: Door) -> None:
    """And reads back the same."""
    given = {
        "event_id": 10,
        "event_name": "Marathon",
        "event_slug": "marathon-2026",
        "event_date": "2026-11-24",
        "status": "live",
        "cover_image": "https://media.example/cover.jpg",
        "bib_search": False,
        "timeline_search": True,
        "settings": {"quality": 20, "max_clip_s": 30, "confidence_percent": 55.5, "far_faces": True},
    }
    made = data_of(await send(door, "POST", EVENTS, given), 201)
    assert {name: made[name] for name in given if name != "settings"}.items() <= given.items()
    assert made["settings"] == msgspec.structs.asdict(
        ClipSettings(quality=20, max_clip_s=30.0, confidence_percent=55.5, far_faces=True)
    )
    assert data_of(await send(door, "GET", "/admin/v1/events/10"), 200) == made


async def test_change_of_an_event_leaves_the_rest(door: Door) -> None:
    """One flag, one setting, one text."""
    before = data_of(await send(door, "GET", THE_EVENT), 200)
    change = {"status": "over", "video_search": False, "settings": {"padding_end_s": 2}}
    after = data_of(await send(door, "PATCH", THE_EVENT, change), 200)
    expected = before | {"status": "over", "video_search": False}
    assert isinstance(before["settings"], dict)
    assert after == expected | {"settings": before["settings"] | {"padding_end_s": 2.0}}
    assert data_of(await send(door, "GET", THE_EVENT), 200) == after


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"settings": {"quality": 13}}, "settings.quality"),
        ({"settings": {"quality": 20.5}}, "settings.quality"),
        ({"settings": {"sampling_fps": 0}}, "settings.sampling_fps"),
        ({"settings": {"max_clip_s": 121}}, "settings.max_clip_s"),
        ({"settings": {"min_segment_s": -1}}, "settings.min_segment_s"),
        ({"settings": {"max_gap_s": 61}}, "settings.max_gap_s"),
        ({"settings": {"padding_start_s": 31}}, "settings.padding_start_s"),
        ({"settings": {"padding_end_s": -0.1}}, "settings.padding_end_s"),
        ({"settings": {"confidence_percent": 100}}, "settings.confidence_percent"),
        ({"settings": {"far_faces": 1}}, "settings.far_faces"),
        ({"settings": {"speed": 1}}, "settings.speed"),
        ({"settings": {"quality": True}}, "settings.quality"),
        ({"settings": 5}, "settings"),
        ({"bib_search": "yes"}, "bib_search"),
        ({"bib_search": None}, "bib_search"),
        ({"event_name": ""}, "event_name"),
        ({"flag": True}, "flag"),
    ],
)
async def test_value_out_of_range_is_422(door: Door, method: str, body: dict[str, object], field: str) -> None:
    """It names the field; nothing is changed."""
    path = EVENTS if method == "POST" else THE_EVENT
    response = await send(door, method, path, {"event_name": "10k"} | body)
    assert response.status_code == 422, response.text
    assert field in response.json()["message"]


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": 3}, {"name": "x", "org_id": 0}, {"name": "x", "id": 3}, []]
)
async def test_organisation_that_is_none_is_422(door: Door, body: object) -> None:
    """Every field is checked."""
    assert (await send(door, "POST", ORGS, body)).status_code == 422


async def test_no_verdict_in_time_is_503(door: Door) -> None:
    """It may still be done: the answer says to look first."""
    await door.see_all()
    door.ledgers.paused = True
    response = await send(door, "POST", ORGS, {"org_id": 6, "name": "late"})
    assert response.status_code == 503
    door.ledgers.resume()
    assert data_of(await send(door, "GET", f"{ORGS}/6"), 200)["name"] == "late"


async def test_log_out_of_reach_is_500(door: Door) -> None:
    """For a write as for a read that must be up to date."""
    await door.see_all()
    door.log.down = True
    assert (await send(door, "POST", ORGS, {"name": "x"})).status_code == 500
    assert (await send(door, "GET", ORGS)).status_code == 500
