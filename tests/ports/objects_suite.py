"""What every object store must do that the stages are given: `streams.ports.Objects`, adapters and fakes alike.

A subclass gives a fixture `under_test`: an `ObjectsUnderTest`.
"""

import hashlib
import os
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from streams.outcomes import Invalid, TryLater, Unavailable
from streams.ports import Objects, StoredClip

LIMIT_BYTES = 1_000


@dataclass
class ObjectsUnderTest:
    """A store, and ways around it.

    Attributes:
        down: The same kind of store, out of reach.
        put_private: Puts an object into the private bucket.
        open_url: The bytes behind an address of a private object; None when there are none.
        read_public: The bytes of a public object; None when there is none.
    """

    store: Objects
    down: Objects
    put_private: Callable[[str, bytes], Awaitable[None]]
    open_url: Callable[[str], Awaitable[bytes | None]]
    read_public: Callable[[str], Awaitable[bytes | None]]


class ObjectsSuite:
    """The rules."""

    @pytest.fixture
    def private_key(self) -> str:
        return f"selfies/1/{uuid.uuid4()}"

    @pytest.fixture
    def clip_key(self) -> str:
        return f"vids/1/motion/selfie/{uuid.uuid4()}/{uuid.uuid4()}.mp4"

    @pytest.fixture
    def clip_file(self, tmp_path: Path) -> tuple[Path, StoredClip]:
        path = tmp_path / "clip.mp4"
        return path, written(path, os.urandom(300_000))

    async def test_private_object_is_deleted_once_and_for_all(
        self, under_test: ObjectsUnderTest, private_key: str
    ) -> None:
        """A repeat finds nothing and says so to nobody."""
        await under_test.put_private(private_key, b"video")
        for _ in range(2):
            await under_test.store.delete_private(private_key)
            with pytest.raises(Invalid):
                await under_test.store.read_private(private_key, limit_bytes=LIMIT_BYTES)
        with pytest.raises(Unavailable):
            await under_test.down.delete_private(private_key)

    async def test_object_within_the_limit_is_read_whole(self, under_test: ObjectsUnderTest, private_key: str) -> None:
        """The limit itself is allowed."""
        data = os.urandom(LIMIT_BYTES)
        await under_test.put_private(private_key, data)
        assert await under_test.store.read_private(private_key, limit_bytes=LIMIT_BYTES) == data

    async def test_larger_object_is_refused(self, under_test: ObjectsUnderTest, private_key: str) -> None:
        """A byte more, and no try would help."""
        await under_test.put_private(private_key, os.urandom(LIMIT_BYTES + 1))
        with pytest.raises(Invalid, match="smaller"):
            await under_test.store.read_private(private_key, limit_bytes=LIMIT_BYTES)

    async def test_missing_object_is_refused(self, under_test: ObjectsUnderTest, private_key: str) -> None:
        with pytest.raises(Invalid, match="again"):
            await under_test.store.read_private(private_key, limit_bytes=LIMIT_BYTES)

    async def test_address_opens_the_object(self, under_test: ObjectsUnderTest, private_key: str) -> None:
        data = os.urandom(5_000)
        await under_test.put_private(private_key, data)
        assert await under_test.open_url(await under_test.store.private_url(private_key)) == data

    async def test_address_of_nothing_is_given_and_opens_nothing(
        self, under_test: ObjectsUnderTest, private_key: str
    ) -> None:
        """Whether the object is there shows when it is read."""
        assert await under_test.open_url(await under_test.store.private_url(private_key)) is None

    async def test_clip_is_found_as_it_was_put(
        self, under_test: ObjectsUnderTest, clip_key: str, clip_file: tuple[Path, StoredClip]
    ) -> None:
        path, clip = clip_file
        assert await under_test.store.find_clip(clip_key) is None
        await under_test.store.put_clip(clip_key, path, clip)
        assert await under_test.store.find_clip(clip_key) == clip
        assert await under_test.read_public(clip_key) == path.read_bytes()

    async def test_clip_put_again_takes_the_place_of_the_first(
        self, under_test: ObjectsUnderTest, clip_key: str, clip_file: tuple[Path, StoredClip]
    ) -> None:
        """A worker that was killed after its upload does it again."""
        path, first = clip_file
        await under_test.store.put_clip(clip_key, path, first)
        second = written(path, os.urandom(200_000))
        await under_test.store.put_clip(clip_key, path, second)
        assert await under_test.store.find_clip(clip_key) == second
        assert await under_test.read_public(clip_key) == path.read_bytes()

    @pytest.mark.parametrize("more_bytes", [-1, 1])
    async def test_file_of_another_size_leaves_nothing(
        self, under_test: ObjectsUnderTest, clip_key: str, clip_file: tuple[Path, StoredClip], more_bytes: int
    ) -> None:
        """Whole or not at all; cutting it again may help."""
        path, clip = clip_file
        path.write_bytes(os.urandom(clip.size_bytes + more_bytes))
        with pytest.raises(TryLater):
            await under_test.store.put_clip(clip_key, path, clip)
        assert await under_test.store.find_clip(clip_key) is None

    async def test_store_that_is_up_passes_its_check(self, under_test: ObjectsUnderTest) -> None:
        """No exception."""
        await under_test.store.check()

    async def test_store_that_is_down_is_an_outage(
        self, under_test: ObjectsUnderTest, private_key: str, clip_key: str, clip_file: tuple[Path, StoredClip]
    ) -> None:
        """Of every question; work waits."""
        store = under_test.down
        for ask in (
            store.check,
            lambda: store.read_private(private_key, limit_bytes=LIMIT_BYTES),
            lambda: store.find_clip(clip_key),
            lambda: store.put_clip(clip_key, *clip_file),
        ):
            with pytest.raises(Unavailable) as raised:
                await ask()
            assert raised.value.dependency == "s3"


def written(path: Path, data: bytes) -> StoredClip:
    """Writes the bytes and describes them."""
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return StoredClip(size_bytes=len(data), start_ms=1_500, end_ms=9_999, sha256=digest, method="copy")
