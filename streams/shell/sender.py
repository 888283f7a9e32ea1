"""The one place that sends: looks at the clock first, waits for the broker's acknowledgement, translates its errors."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NoReturn

from aiokafka.errors import KafkaError
from faust.exceptions import ProducerSendError

from schemas.base import Message
from schemas.codec import encode
from schemas.topics import Topic, topic_of
from streams.outcomes import Unavailable
from streams.shell.alive import Alive
from streams.shell.failpoints import Failpoint, FailpointName


class Refused(Exception):
    """The broker or the client will not take this message, now or later (too large, no right to write)."""


class Sender:
    """Sends messages to the topics of their types, keyed by `message.key`, placed by murmur2.

    Every method returns only when the broker has acknowledged, and raises:
        Unavailable: Kafka does not answer; some of the messages may have arrived.
        Refused: A message will not be taken; others may have arrived.
    """

    def __init__(self, *, producer: Callable[[], Any], namespace: str, alive: Alive, failpoint: Failpoint) -> None:
        """Bind the parts; `producer` gives Faust's producer, which exists only once the app runs."""
        self._producer = producer
        self._namespace = namespace
        self._alive = alive
        self._failpoint = failpoint

    async def send(self, messages: Sequence[Message], *, between: FailpointName | None = None) -> None:
        """Send in order; `between` names the failpoint between two messages."""
        ready = [
            (topic_of(type(message)).full_name(self._namespace), message.key.encode(), encode(message))
            for message in messages
        ]
        self._alive.check()
        acknowledgements: list[Awaitable[Any]] = []
        try:
            for number, (topic, key, value) in enumerate(ready):
                if number and between is not None:
                    self._failpoint(between)
                acknowledgements.append(await self._enqueue(topic, key, value))
        finally:
            # All of them, also when one was not even taken: an error that nobody looks at would be logged by asyncio.
            results = await asyncio.gather(*acknowledgements, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                _raise_ours(result)

    async def send_record(self, topic: Topic, key: bytes, value: bytes, partition: int) -> None:
        """Send a ledger's record to the partition of the message that changed it."""
        self._alive.check()
        acknowledgement = await self._enqueue(topic.full_name(self._namespace), key, value, partition=partition)
        self._failpoint(FailpointName.LEDGER_CHANGELOG_SENT)
        await _acknowledged(acknowledgement)

    async def send_raw(
        self, topic: Topic, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes]
    ) -> None:
        """Send bytes as they are; only a message with neither key nor value gets an empty value."""
        self._alive.check()
        # aiokafka refuses to send nothing at all, and a message that cannot be given up would be taken for ever.
        body = b"" if key is None and value is None else value
        await _acknowledged(await self._enqueue(topic.full_name(self._namespace), key, body, headers=headers))

    async def _enqueue(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        partition: int | None = None,
        headers: Mapping[str, bytes] | None = None,
    ) -> Awaitable[Any]:
        # aiokafka wants exactly `str`, not a StrEnum.
        plain = None if headers is None else {str(name): text for name, text in headers.items()}
        try:
            pending: Awaitable[Any] = await self._producer().send(
                topic, key, value, partition, timestamp=None, headers=plain
            )
        except (KafkaError, ProducerSendError) as error:
            _raise_ours(error)
        return pending


async def _acknowledged(pending: Awaitable[Any]) -> None:
    try:
        await pending
    except KafkaError as error:
        _raise_ours(error)


def _raise_ours(error: BaseException) -> NoReturn:
    # Faust wraps what aiokafka raises when a message is handed over; the acknowledgement raises it bare.
    cause = error.__cause__ if isinstance(error, ProducerSendError) else error
    if not isinstance(cause, KafkaError):
        raise error
    if cause.retriable:
        raise Unavailable("kafka", f"Kafka did not acknowledge a message ({type(cause).__name__}).") from error
    raise Refused(f"Kafka refused a message ({type(cause).__name__}).") from error
