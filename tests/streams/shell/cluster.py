"""What the tests do to Kafka themselves: make a deployment's topics, write sources, read what came out."""

import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka import Message as KafkaMessage
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic

from schemas.base import Message
from schemas.codec import encode
from schemas.topics import ALL, SEARCHES, Topic, topic_of
from streams.shell.table import partition_of
from tests.streams.shell.toy import EVENT_ID
from tests.waiting import wait_until

PARTITIONS = 4
WAIT_S = 30.0

T = TypeVar("T")


@dataclass(kw_only=True)
class Cluster:
    """One namespace on a running broker, with all topics."""

    bootstrap: str
    namespace: str
    admin: AdminClient
    producer: Producer
    #: (topic's full name, partition, offset, key) of everything that was acknowledged to `produce`.
    produced: list[tuple[str, int, int, bytes]] = field(default_factory=list)

    def name(self, topic: Topic) -> str:
        return topic.full_name(self.namespace)

    def produce(self, messages: Iterable[Message], *, partition: int | None = None) -> None:
        """Write and wait for the acknowledgements."""
        for message in messages:
            self.produce_raw(topic_of(type(message)), message.key.encode(), encode(message), partition=partition)
        assert self.producer.flush(WAIT_S) == 0

    def produce_raw(
        self, topic: Topic, key: bytes | None, value: bytes | None, *, partition: int | None = None
    ) -> None:
        place = {} if partition is None else {"partition": partition}
        self.producer.produce(self.name(topic), value, key, on_delivery=self._delivered, **place)
        self.producer.poll(0)

    def flush(self) -> None:
        assert self.producer.flush(WAIT_S) == 0

    def _delivered(self, error: object, message: KafkaMessage) -> None:
        assert error is None
        self.produced.append((message.topic(), message.partition(), message.offset(), message.key()))

    def read(self, topic: Topic) -> list[KafkaMessage]:
        """Everything on a topic, up to its ends at this moment."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": f"{self.namespace}.reader",
                "enable.auto.commit": False,
                "enable.partition.eof": False,
                "auto.offset.reset": "earliest",
            }
        )
        try:
            places = [TopicPartition(self.name(topic), number) for number in range(PARTITIONS)]
            wanted = 0
            ends = {}
            for place in places:
                low, high = watermarks(consumer, place)
                ends[place.partition] = high
                place.offset = low
                wanted += high > low
            consumer.assign(places)
            messages: list[KafkaMessage] = []
            done: set[int] = set()
            while len(done) < wanted:
                message = consumer.poll(WAIT_S)
                assert message is not None
                assert message.error() is None
                messages.append(message)
                if message.offset() == ends[message.partition()] - 1:
                    done.add(message.partition())
            return messages
        finally:
            consumer.close()

    def committed(self, role: str, topic: Topic) -> dict[int, int]:
        """Committed offset of each partition of a source, for the partitions that have one."""
        group = f"{self.namespace}.{role}"
        places = [TopicPartition(self.name(topic), number) for number in range(PARTITIONS)]
        request = [ConsumerGroupTopicPartitions(group, places)]
        answer = patiently(
            lambda: self.admin.list_consumer_group_offsets(request)[group].result(WAIT_S), f"the offsets of {group}"
        )
        return {place.partition: place.offset for place in answer.topic_partitions if place.offset >= 0}

    def ends(self, topic: Topic) -> dict[int, int]:
        """The offset after the last message of each partition."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": f"{self.namespace}.reader"})
        try:
            places = {number: TopicPartition(self.name(topic), number) for number in range(PARTITIONS)}
            return {number: watermarks(consumer, place)[1] for number, place in places.items()}
        finally:
            consumer.close()

    def make_topics(self, topics: Iterable[Topic] = ALL, **config: str) -> None:
        new = [
            NewTopic(
                self.name(topic),
                num_partitions=PARTITIONS,
                replication_factor=1,
                config={"cleanup.policy": "compact" if topic.compacted else "delete", **config},
            )
            for topic in topics
        ]
        for future in self.admin.create_topics(new, operation_timeout=WAIT_S).values():
            future.result(WAIT_S)
        # The broker learns of them from its controller, a moment later on a busy machine.
        names = {topic.topic for topic in new}
        wait_until(
            lambda: names <= self.admin.list_topics(timeout=WAIT_S).topics.keys(), WAIT_S, "the topics are served"
        )

    def members(self, role: str) -> dict[str, frozenset[tuple[str, int]]]:
        """The partitions of each static member of a group."""
        group = f"{self.namespace}.{role}"
        description = self.admin.describe_consumer_groups([group])[group].result(WAIT_S)
        return {
            member.group_instance_id: frozenset(
                (place.topic, place.partition) for place in member.assignment.topic_partitions
            )
            for member in description.members
        }

    def delete_before(self, topic: Topic, starts: Mapping[int, int]) -> None:
        """Let the log of each partition start at this offset, as retention would."""
        places = [TopicPartition(self.name(topic), number, offset) for number, offset in starts.items()]
        for future in self.admin.delete_records(places).values():
            future.result(WAIT_S)

    def limit_record_bytes(self, limit: int) -> None:
        """Let the broker refuse records of the searches ledger above this size."""
        resource = ConfigResource(
            ConfigResource.Type.TOPIC,
            self.name(SEARCHES),
            incremental_configs=[
                ConfigEntry("max.message.bytes", str(limit), incremental_operation=AlterConfigOpType.SET)
            ],
        )
        for future in self.admin.incremental_alter_configs([resource]).values():
            future.result(WAIT_S)

    def exists(self, topic: Topic) -> bool:
        return self.name(topic) in self.admin.list_topics(timeout=WAIT_S).topics

    def delete_topics(self, topics: Iterable[Topic]) -> None:
        """Returns when the broker tells nobody of them any more, which may be a moment after it has deleted them."""
        topics = tuple(topics)
        futures = self.admin.delete_topics([self.name(topic) for topic in topics], operation_timeout=WAIT_S)
        for future in futures.values():
            future.result(WAIT_S)
        wait_until(lambda: not any(map(self.exists, topics)), WAIT_S, "deleted topics are told of no more")


# What a broker says for a moment when a topic or a group is new to it.
NOT_YET = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC,
}


def patiently(ask: Callable[[], T], what: str) -> T:
    """Ask until the broker is ready to answer."""
    answers: list[T] = []

    def answered() -> bool:
        try:
            answers.append(ask())
        except KafkaException as error:
            if error.args[0].code() not in NOT_YET:
                raise
        return bool(answers)

    wait_until(answered, WAIT_S, what)
    return answers[0]


def watermarks(consumer: Consumer, place: TopicPartition) -> tuple[int, int]:
    """First offset of a partition and the one after the last."""
    found: tuple[int, int] = patiently(
        lambda: consumer.get_watermark_offsets(place, timeout=WAIT_S), f"the ends of {place.topic}"
    )
    return found


@contextmanager
def new_cluster(bootstrap: str) -> Iterator[Cluster]:
    """A namespace of its own, removed afterwards."""
    cluster = Cluster(
        bootstrap=bootstrap,
        namespace=f"t{uuid.uuid4().hex[:10]}",
        admin=AdminClient({"bootstrap.servers": bootstrap}),
        producer=Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 0}),
    )
    cluster.make_topics()
    try:
        yield cluster
    finally:
        cluster.delete_topics(ALL)


def names_in(partition: int, word: str, count: int) -> list[str]:
    """Request ids whose record lies in this partition."""
    names = (f"{word}-{number}" for number in itertools.count())
    found = (name for name in names if partition_of(f"{EVENT_ID}/{name}".encode(), PARTITIONS) == partition)
    return list(itertools.islice(found, count))
