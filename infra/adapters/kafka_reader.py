"""Following topics by assignment, without a consumer group: what the API's replica reads through."""

from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as Received
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported, which its types do not say
    AdminClient,
    OffsetSpec,
)

from api.ports import Batch, LogRecord, LogUnavailable, Partition
from infra.adapters.kafka_config import client_config, explain
from infra.adapters.settings import KafkaSettings
from schemas.topics import Topic

# Above a reachable broker's worst answer, below a request's own patience.
ANSWER_WITHIN_S = 2.0
# A second call for what already lies in the client's queue: large enough to catch up fast, small enough that one
# transaction of the replica stays short.
BATCH_RECORDS = 500


class KafkaLogReader:
    """`api.ports.LogReader` on Kafka. Making one needs no broker."""

    def __init__(self, settings: KafkaSettings, *, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self._namespace = settings.namespace
        self._within_s = answer_within_s
        self._topics: dict[str, Topic] = {}
        # Once the client has seen a partition without a leader, as while a broker starts, it asks about it no more;
        # listing the topics makes it look again.
        self._look_anew = False
        config = client_config(settings.bootstrap, f"{settings.namespace}-replica")
        self._admin = AdminClient(config | {"socket.timeout.ms": max(1000, int(answer_within_s * 1000))})
        self._consumer = Consumer(
            config
            | {
                # Demanded by the library; never joined, and no offset is ever kept under it.
                "group.id": f"{settings.namespace}.unused-by-replicas",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                # Where the log was cut off below a kept offset, or made anew, records are read again: versions decide.
                "auto.offset.reset": "earliest",
                # The end of a partition is a position even where compaction left no record there.
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 100,
                "fetch.error.backoff.ms": 100,
                # A replica reads records of some kB; 16 MB ahead is plenty, the default is 64.
                "queued.max.messages.kbytes": 16_384,
            }
        )

    def identity(self) -> str:
        """`{cluster id}/{namespace}`."""
        try:
            # The consumer's own `cluster_id` waits for its next look at the cluster, a second away.
            cluster = self._admin.list_topics(timeout=self._within_s).cluster_id
        except KafkaException as error:
            raise LogUnavailable(f"Kafka did not name its cluster: {explain(error)}.") from error
        return f"{cluster}/{self._namespace}"

    def partitions(self, topics: Sequence[Topic]) -> Sequence[Partition]:
        """All partitions of these topics, ascending."""
        try:
            known = self._admin.list_topics(timeout=self._within_s).topics
        except KafkaException as error:
            raise LogUnavailable(f"Kafka did not list its topics: {explain(error)}.") from error
        found: list[Partition] = []
        for topic in topics:
            name = topic.full_name(self._namespace)
            if name not in known or not known[name].partitions:
                raise LogUnavailable(f"The topic {name} does not exist; run `spotclip provision`.")
            found.extend(Partition(topic, number) for number in sorted(known[name].partitions))
        return found

    def earliest_offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """The first offset that is still there, or the end where nothing is."""
        return self._offsets(partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]

    def end_offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """The offset behind the last acknowledged record; one request to each broker that leads some of them."""
        return self._offsets(partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def assign(self, offsets: Mapping[Partition, int]) -> None:
        """Read these partitions, and no others, from these next offsets on."""
        self._topics = {partition.topic.full_name(self._namespace): partition.topic for partition in offsets}
        try:
            self._consumer.assign([self._place(partition, offset) for partition, offset in offsets.items()])
        except KafkaException as error:
            raise LogUnavailable(f"Kafka's client took no assignment: {explain(error)}.") from error

    def poll(self, timeout_s: float) -> Batch:
        """Wait for one message, then take what lies in the client's queue already."""
        records: list[LogRecord] = []
        positions: dict[Partition, int] = {}
        try:
            # `consume` with a timeout waits for a full batch; `poll` returns with the first message.
            first = self._consumer.poll(timeout_s)
            if first is not None:
                for message in (first, *self._consumer.consume(BATCH_RECORDS - 1, 0)):
                    self._take(message, records, positions)
        except KafkaException as error:
            raise LogUnavailable(f"Kafka stopped answering: {explain(error)}.") from error
        return Batch(records=records, positions=positions)

    def close(self) -> None:
        """Leave."""
        self._consumer.close()

    def _take(self, message: Received, records: list[LogRecord], positions: dict[Partition, int]) -> None:
        error, name, number, offset = message.error(), message.topic(), message.partition(), message.offset()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 # its only name
            raise KafkaException(error)
        if name is None or number is None or offset is None:
            # Cannot be: what is no error stands somewhere. The library's types allow it.
            raise KafkaException(KafkaError(KafkaError._BAD_MSG))  # noqa: SLF001 # its only name
        partition = Partition(self._topics[name], number)
        if error is not None:
            positions[partition] = max(offset, positions.get(partition, 0))
            return
        positions[partition] = offset + 1
        records.append(LogRecord(partition.topic, number, offset, message.key() or b"", message.value()))

    def _offsets(self, partitions: Sequence[Partition], spec: OffsetSpec) -> Mapping[Partition, int]:
        wanted = {partition: self._place(partition) for partition in partitions}
        if not wanted:
            return {}
        try:
            if self._look_anew:
                self._admin.list_topics(timeout=self._within_s)
                self._look_anew = False
            answers = self._admin.list_offsets(dict.fromkeys(wanted.values(), spec), request_timeout=self._within_s)
            return {
                partition: answers[place].result(timeout=self._within_s + 1.0).offset
                for partition, place in wanted.items()
            }
        except KafkaException as error:
            self._look_anew = True
            raise LogUnavailable(f"Kafka did not say how far its topics reach: {explain(error)}.") from error
        except TimeoutError as error:
            raise LogUnavailable("Kafka did not say in time how far its topics reach.") from error

    def _place(self, partition: Partition, offset: int | None = None) -> TopicPartition:
        name = partition.topic.full_name(self._namespace)
        return (
            TopicPartition(name, partition.number) if offset is None else TopicPartition(name, partition.number, offset)
        )
