"""The fakes obey the same rules as the adapters."""

import pytest

from tests.fakes.memory_log import PARTITIONS, MemoryCommands, MemoryLog, MemoryLogReader
from tests.fakes.memory_media import MemoryMedia
from tests.ports.log_suite import LogSuite, LogUnderTest
from tests.ports.media_suite import MediaSuite, MediaUnderTest


class TestMemoryLog(LogSuite):
    """The log in memory."""

    @pytest.fixture
    def log(self) -> LogUnderTest:
        """A new one."""
        log = MemoryLog()
        return LogUnderTest(MemoryCommands(log), lambda: MemoryLogReader(log), PARTITIONS)


class TestMemoryMedia(MediaSuite):
    """The store in memory."""

    @pytest.fixture
    def media(self) -> MediaUnderTest:
        """A new one."""
        store = MemoryMedia()

        async def put_public(key: str, data: bytes) -> None:
            store.public[key] = data

        async def read_private(key: str) -> bytes | None:
            return store.private.get(key)

        return MediaUnderTest(store, put_public, read_private)
