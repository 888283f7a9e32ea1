"""What the API needs from the world: the log to write to, the log to follow, and the object store.

One adapter each (infra/adapters/); every adapter and every fake passes the suites in tests/ports/.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from schemas.base import Message
from schemas.topics import Topic

Clock = Callable[[], int]
"""Wall clock: milliseconds since 1970 UTC."""


class LogUnavailable(Exception):
    """The log did not answer in time. Whether a message sent at that moment was kept is not known."""


class StoreUnavailable(Exception):
    """The object store did not answer, or refused."""


class Partition(NamedTuple):
    """One partition of a topic."""

    topic: Topic
    number: int


class Position(NamedTuple):
    """Where an acknowledged message stands."""

    topic: Topic
    partition: int
    offset: int


class LogRecord(NamedTuple):
    """A record as it stands on its topic; `value` is None for a deleted key."""

    topic: Topic
    partition: int
    offset: int
    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll brought.

    Attributes:
        records: In offset order within each partition.
        positions: The next offset to be read, of every partition that moved: behind its last record of this batch, or
            behind offsets that hold no record any more (a compacted log may end in some; the end of a partition is
            such a move). A reader that waits for an end offset looks at these, not at the records.
    """

    records: Sequence[LogRecord]
    positions: Mapping[Partition, int]


class Commands(Protocol):
    """Sends messages to ledgers."""

    async def publish(self, message: Message) -> Position:
        """Send to the one topic of the message's type, under its key, placed by murmur2; acknowledged by all replicas.

        Raises:
            LogUnavailable: No acknowledgement within the adapter's bounded wait.
        """


class LogReader(Protocol):
    """Follows topics by assignment, without a consumer group.

    `assign`, `poll` and `close` are called from one thread; the others may be called from any thread at the same time.
    All block, each for a bounded time, and raise `LogUnavailable` when the log does not answer. None is retried within.
    """

    def identity(self) -> str:
        """Names this log: another cluster or another namespace has another name."""

    def partitions(self, topics: Sequence[Topic]) -> Sequence[Partition]:
        """All partitions of these topics. A topic that does not exist raises `LogUnavailable`, saying so."""

    def earliest_offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """The first offset that is still there, or the end where nothing is."""

    def end_offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """The offset that the next acknowledged record will get; one request, however many partitions."""

    def assign(self, offsets: Mapping[Partition, int]) -> None:
        """Read these partitions, and no others, from these next offsets on. The caller keeps them within the log."""

    def poll(self, timeout_s: float) -> Batch:
        """What has arrived, as soon as anything has; an empty batch after the timeout."""

    def close(self) -> None:
        """Leave. The reader is of no use afterwards."""


@dataclass(frozen=True, slots=True)
class StoredBody:
    """What was stored: the lower-case hex SHA-256 and the size of exactly the bytes that are in the bucket."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class MediaResponse:
    """The object store's answer for a public object, as it came.

    Attributes:
        status: 200, 206, 304, 404 or 416.
        headers: Lower-case names; at least `content-type`, `content-length`, `content-range`, `accept-ranges`, `etag`
            and `last-modified` where the store sent them, none of its own others.
        body: The bytes, in pieces; empty for HEAD and for 304. Raises `StoreUnavailable` when the store breaks off.
        close: Frees the connection. Called exactly once, whether the body was read or not.
    """

    status: int
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]


class MediaStore(Protocol):
    """The object store, as the API uses it: a private bucket to write to, a public one to read from.

    Every method raises `StoreUnavailable` when the store is down or refuses.
    """

    async def put_private(self, object_key: str, data: bytes, *, content_type: str) -> None:
        """Store small bytes whole; a repeat overwrites."""

    async def put_private_stream(self, object_key: str, body: AsyncIterable[bytes], *, content_type: str) -> StoredBody:
        """Store a body of unknown length while it arrives, never holding more than a few parts of it.

        An exception raised by `body` ends the upload, leaves no object behind and comes out as it is.
        """

    async def delete_private(self, object_key: str) -> None:
        """Remove an object; one that is not there is no error."""

    async def open_public(
        self, object_key: str, *, method: Literal["GET", "HEAD"], headers: Mapping[str, str]
    ) -> MediaResponse:
        """Ask for a public object; one that is not there is a `MediaResponse` of status 404.

        `headers` holds, in lower case, any of `range`, `if-none-match`, `if-modified-since`; the store honours them.
        """

    async def check(self) -> None:
        """Return when the store answers and the buckets are there."""
