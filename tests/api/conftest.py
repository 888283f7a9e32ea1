"""The API under test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.api.door import EVENT, KEY, ORG, Door, open_door, settings


@pytest_asyncio.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """An API whose organisation has a key and an event with everything on."""
    async with open_door(settings(tmp_path / "replica.sqlite")) as made:
        made.found(ORG, EVENT, KEY)
        yield made
