"""The deployment's log as a test reads it: topics from start to end, and what the workers have committed."""

from dataclasses import dataclass
from typing import TypeVar

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka.admin import AdminClient

from api.ports import LogRecord, LogUnavailable, Partition
from infra.adapters.kafka_reader import KafkaLogReader
from infra.settings import Settings
from schemas import topics
from schemas.codec import decode
from schemas.records import Record
from schemas.topics import Topic
from streams.flow import Role
from streams.pipeline import LEDGERS
from tests.waiting import wait_until

READ_WITHIN_S = 30.0
ANSWER_WITHIN_S = 5.0
R = TypeVar("R", bound=Record)

SOURCES: tuple[Topic, ...] = (
    *(topic for ledger in LEDGERS for topic in (ledger.commands, ledger.facts) if topic is not None),
    topics.MATCHES,
    topics.FACES_MATCHED,
    topics.SOURCES,
    topics.CHUNKS,
    topics.CLIPS,
)


@dataclass(frozen=True)
class Log:
    """Reads by assignment, as a replica does; joins no group."""

    reader: KafkaLogReader
    bootstrap: str
    namespace: str

    @classmethod
    def of(cls, settings: Settings) -> "Log":
        return cls(KafkaLogReader(settings.kafka), settings.kafka.bootstrap, settings.namespace)

    def read(self, topic: Topic) -> list[LogRecord]:
        """Everything on a topic, up to its ends at this moment."""
        partitions = self.reader.partitions([topic])
        ends = self.reader.end_offsets(partitions)
        at = dict(self.reader.earliest_offsets(partitions))
        self.reader.assign(at)
        found: list[LogRecord] = []

        def read_on() -> bool:
            batch = self.reader.poll(0.1)
            found.extend(batch.records)
            at.update(batch.positions)
            return all(at[partition] >= ends[partition] for partition in partitions)

        wait_until(read_on, READ_WITHIN_S, f"the end of {topic.name}")
        return found

    def newest(self, ledger: Topic, key: str, kind: type[R]) -> R:
        """A record as a replica has it: the highest version under its key."""
        versions = [decode(ledger, entry.value) for entry in self.read(ledger) if entry.key == key.encode()]
        records = [record for record in versions if isinstance(record, kind)]
        assert records, f"no record {key}"
        return max(records, key=lambda record: record.version)

    def quiet(self) -> bool:
        """Whether the workers have finished and committed all that stands on their sources."""
        try:
            # What one role finishes, another gets: only ends that stood still around the commits say anything.
            ends = self._ends()
            return ends == self._committed() and ends == self._ends()
        except (KafkaException, LogUnavailable, TimeoutError):
            return False  # a broker that was killed is not back yet

    def _ends(self) -> dict[tuple[str, int], int]:
        ends = self.reader.end_offsets(self.reader.partitions(SOURCES))
        return {self._place(partition): end for partition, end in ends.items() if end}

    def _committed(self) -> dict[tuple[str, int], int]:
        # A new client each time: one that saw the broker killed waited for ever for its groups' coordinator.
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        places: dict[tuple[str, int], int] = {}
        for role in Role:
            group = f"{self.namespace}.{role}"
            answer = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(
                ANSWER_WITHIN_S
            )
            places |= {(place.topic, place.partition): place.offset for place in answer.topic_partitions}
        return {place: offset for place, offset in places.items() if offset > 0}

    def _place(self, partition: Partition) -> tuple[str, int]:
        return partition.topic.full_name(self.namespace), partition.number
