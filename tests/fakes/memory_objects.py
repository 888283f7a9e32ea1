"""The stages' side of an object store, in memory."""

from pathlib import Path

from streams.outcomes import Invalid, TryLater, Unavailable
from streams.ports import StoredClip


class MemoryObjects:
    """Keeps objects in dictionaries; the address of a private one is a file.

    Attributes:
        private: What there is to read.
        clips: The public bucket: bytes and what is written beside them.
        down: Everything that would ask the store raises Unavailable.
        unreachable: Where a private object's address leads in place of its file.
        checks: How often the store was asked whether it answers.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.private: dict[str, bytes] = {}
        self.clips: dict[str, tuple[bytes, StoredClip]] = {}
        self.down = False
        self.unreachable: str | None = None
        self.checks = 0

    async def read_private(self, object_key: str, *, limit_bytes: int) -> bytes:
        """The object, if it is there and small enough."""
        self._ask()
        data = self.private.get(object_key)
        if data is None:
            raise Invalid("There is no such object; send it again.")
        if len(data) > limit_bytes:
            raise Invalid(f"The object has more than {limit_bytes} bytes; send a smaller one.")
        return data

    async def delete_private(self, object_key: str) -> None:
        """Forget the object."""
        self._ask()
        self.private.pop(object_key, None)

    async def private_url(self, object_key: str) -> str:
        """Path of a file with the object's bytes; of none where there is no object."""
        if self.unreachable is not None:
            return self.unreachable
        path = self._folder / object_key.replace("/", "_")
        if object_key in self.private:
            path.write_bytes(self.private[object_key])
        return str(path)

    async def check(self) -> None:
        """Raise while down."""
        self.checks += 1
        self._ask()

    async def find_clip(self, object_key: str) -> StoredClip | None:
        """What was put beside the clip."""
        self._ask()
        kept = self.clips.get(object_key)
        return kept[1] if kept else None

    async def put_clip(self, object_key: str, path: Path, clip: StoredClip) -> None:
        """Keep the file's bytes."""
        data = _bytes_of(path)
        if len(data) != clip.size_bytes:
            raise TryLater("The clip's file has another size than was said.")
        self._ask()
        self.clips[object_key] = (data, clip)

    def _ask(self) -> None:
        if self.down:
            raise Unavailable("s3", "the object store in memory is down")


def _bytes_of(path: Path) -> bytes:
    return path.read_bytes()
