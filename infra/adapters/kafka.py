"""Sending to Kafka: one producer for a process, with a thread that collects the broker's acknowledgements."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self, cast

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivered

from api.ports import LogUnavailable, Position
from infra.adapters.kafka_config import client_config, explain
from infra.adapters.settings import KafkaSettings
from schemas.base import Message
from schemas.codec import encode
from schemas.topics import MAX_MESSAGE_BYTES, Topic, topic_of

# A reader of the process must not wait longer than a caller would: the verdict's wait starts only after the
# acknowledgement. A broker that restarts is back in 2 to 4 s.
ACKNOWLEDGED_WITHIN_S = 8.0
# The callback comes from another thread; it is late when the machine is busy, not lost.
_CALLBACK_GRACE_S = 2.0
_POLL_S = 0.1


class KafkaCommands:
    """`api.ports.Commands` on Kafka. Opens at its first use, which needs no broker; used from one event loop.

    Placed by murmur2 as Kafka's own clients do, idempotent, acknowledged by all replicas in sync.
    """

    def __init__(self, settings: KafkaSettings, *, acknowledged_within_s: float = ACKNOWLEDGED_WITHIN_S) -> None:
        self._settings = settings
        self._within_s = acknowledged_within_s
        self._producer: Producer | None = None
        self._poller: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> Producer:
        """Make the producer and the thread that collects acknowledgements; `publish` does so where it is left out."""
        self._stopping.clear()
        producer = Producer(
            client_config(self._settings.bootstrap, f"{self._settings.namespace}-commands")
            | {
                "acks": "all",
                "enable.idempotence": True,
                # librdkafka's default is CRC32, which places keys where no other client of ours does.
                "partitioner": "murmur2_random",
                "linger.ms": 1,
                "compression.type": "lz4",
                "message.max.bytes": MAX_MESSAGE_BYTES,
                "message.timeout.ms": int(self._within_s * 1000),
                "socket.timeout.ms": max(1000, int(self._within_s * 500)),
                # Requests are few and small: a full queue is an outage, and says so at once.
                "queue.buffering.max.messages": 10_000,
            }
        )
        poll = partial(_poll_until, self._stopping, producer)
        self._poller = threading.Thread(target=poll, name="kafka-acknowledgements", daemon=True)
        self._poller.start()
        self._producer = producer
        return producer

    async def stop(self) -> None:
        """Wait for what is on its way, at most as long as an acknowledgement may take, and close."""
        producer, poller = self._producer, self._poller
        self._producer = self._poller = None
        if producer is None or poller is None:
            return
        await asyncio.to_thread(producer.flush, self._within_s)
        self._stopping.set()
        await asyncio.to_thread(poller.join)

    async def publish(self, message: Message) -> Position:
        """Send one message; returns where the broker keeps it.

        Raises:
            LogUnavailable: Not acknowledged in time. The message may have been kept all the same.
        """
        producer = self._producer or self.start()
        topic = topic_of(type(message))
        waiting = _Waiting(topic)
        try:
            producer.produce(
                topic.full_name(self._settings.namespace),
                value=encode(message),
                key=message.key.encode(),
                on_delivery=waiting.delivered,
            )
            async with asyncio.timeout(self._within_s + _CALLBACK_GRACE_S):
                return await waiting.position
        except BufferError as error:
            raise LogUnavailable("Kafka is too slow: the queue of unsent messages is full.") from error
        except KafkaException as error:
            raise LogUnavailable(f"Kafka did not take a message of {topic.name}: {explain(error)}.") from error
        except TimeoutError as error:
            raise LogUnavailable(f"Kafka did not acknowledge a message of {topic.name} in time.") from error

    async def __aenter__(self) -> Self:
        """Start."""
        self.start()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()


def _poll_until(stopping: threading.Event, producer: Producer) -> None:
    while not stopping.is_set():
        producer.poll(_POLL_S)


class _Waiting:
    """A message on its way: turns the poll thread's callback into a future of the loop."""

    def __init__(self, topic: Topic) -> None:
        self._loop = asyncio.get_running_loop()
        self._topic = topic
        self.position: asyncio.Future[Position] = self._loop.create_future()

    def delivered(self, error: KafkaError | None, message: Delivered) -> None:
        """Called in the poll thread."""
        if error is not None:
            self._tell(partial(self._fail, KafkaException(error)))
        else:
            # Both are known of an acknowledged message; the library's types leave them open.
            partition, offset = cast("int", message.partition()), cast("int", message.offset())
            position = Position(self._topic, partition, offset)
            self._tell(partial(self._succeed, position))

    def _tell(self, step: Callable[[], None]) -> None:
        # The loop may be closed already, and then nobody waits any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(step)

    def _fail(self, error: KafkaException) -> None:
        if not self.position.done():
            self.position.set_exception(error)

    def _succeed(self, position: Position) -> None:
        if not self.position.done():
            self.position.set_result(position)
