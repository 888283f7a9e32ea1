"""Health routes need no key."""

from pathlib import Path

import pytest

from tests.api.door import Door, open_door, settings
from tests.fakes.memory_log import MemoryLog


async def test_live_whatever_is_down(door: Door) -> None:
    """The process is up."""
    door.log.down = door.media.down = True
    response = await door.client.get("/health/live")
    assert (response.status_code, response.json()["data"]) == (200, {"status": "live"})


async def test_ready_when_everything_answers(door: Door) -> None:
    """200."""
    response = await door.client.get("/health/ready")
    assert (response.status_code, response.json()["data"]) == (200, {"status": "ready"})


@pytest.mark.parametrize(("down", "named"), [("log", {"kafka"}), ("media", {"s3"}), ("both", {"kafka", "s3"})])
async def test_not_ready_names_what_is_down(door: Door, down: str, named: set[str]) -> None:
    """503."""
    door.log.down = down in ("log", "both")
    door.media.down = down in ("media", "both")
    response = await door.client.get("/health/ready")
    assert response.status_code == 503
    assert {name for name in ("kafka", "s3") if name in response.json()["message"]} == named


async def test_app_starts_while_the_log_is_down_and_is_ready_once_it_is_up(tmp_path: Path) -> None:
    """Nothing at start waits for the log for ever."""
    log = MemoryLog()
    log.down = True
    async with open_door(settings(tmp_path / "r.sqlite"), log=log) as door:
        assert (await door.client.get("/health/live")).status_code == 200
        assert (await door.client.get("/health/ready")).status_code == 503
        log.down = False
        await door.see_all()
