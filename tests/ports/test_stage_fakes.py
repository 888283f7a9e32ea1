"""The fakes that the stages' tests use obey the same rules as the adapters."""

from pathlib import Path

import pytest

from tests.fakes.inline_children import InlineChildren
from tests.fakes.memory_faces import MemoryFaces
from tests.fakes.memory_objects import MemoryObjects
from tests.ports.children_suite import ChildrenSuite
from tests.ports.faces_suite import FacesSuite
from tests.ports.objects_suite import ObjectsSuite, ObjectsUnderTest


class TestMemoryFaces(FacesSuite):
    """The store of faces in memory."""

    @pytest.fixture
    def faces(self) -> MemoryFaces:
        """A new one."""
        return MemoryFaces()


class TestMemoryObjects(ObjectsSuite):
    """The object store in memory."""

    @pytest.fixture
    def under_test(self, tmp_path: Path) -> ObjectsUnderTest:
        """A new one."""
        store, down = MemoryObjects(tmp_path), MemoryObjects(tmp_path)
        down.down = True

        async def put_private(key: str, data: bytes) -> None:
            store.private[key] = data

        async def open_url(url: str) -> bytes | None:
            return _bytes_of(Path(url))

        async def read_public(key: str) -> bytes | None:
            return store.clips[key][0] if key in store.clips else None

        return ObjectsUnderTest(store, down, put_private, open_url, read_public)


class TestInlineChildren(ChildrenSuite):
    """Children without processes."""

    @pytest.fixture
    def children(self) -> InlineChildren:
        """New ones."""
        return InlineChildren()


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
