"""Topics as `schemas.topics` wants them: made, widened, their configuration repaired. Safe to repeat."""

import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported, which its types do not say
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from infra.adapters.change import Change, ProvisionError
from infra.adapters.kafka_config import client_config, explain
from infra.adapters.settings import KafkaSettings
from schemas.topics import ALL, CLIPS_READY, DAY_MS, DEAD_LETTERS, MAX_MESSAGE_BYTES, Spread, Topic

T = TypeVar("T")

# Creating a hundred partitions on a busy small machine took seconds; a broker that is down is told sooner by none.
ANSWER_WITHIN_S = 30.0
# The client's own timeout comes first; this is for a client that forgot.
_GRACE_S = 5.0
# The limit is of a batch as it lies on the disk: a message, its headers (a dead letter says where it came from) and
# the batch around it. Together with a message's own limit this is Kafka's default.
_BATCH_OVERHEAD_BYTES = 48_588
# One look, of which several may be needed.
_LOOK_WITHIN_S = 2.0
# Between two looks at new partitions; they were served within half a second on a small busy machine.
_PAUSE_S = 0.1
# Deletions stay readable so long: a replica that was away for longer than its log's retention starts anew anyway.
_DELETION_KEPT_MS = 7 * DAY_MS
# Records of a ledger are compacted once they have left the segment that is written to; Kafka's default of 7 days would
# have every new replica read a week of versions.
_COMPACTED_SEGMENT_MS = DAY_MS
# Nobody's consumer group reads these: people and outside systems do.
_READ_BY_NO_GROUP = (CLIPS_READY, DEAD_LETTERS)


class KafkaTopics:
    """Looks at the broker's topics and changes them."""

    def __init__(self, settings: KafkaSettings, *, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self._settings = settings
        self._within_s = answer_within_s
        self._admin = self._new_admin()

    def provision(self) -> list[Change]:
        """Make every topic, widen work topics, repair configurations. Changes nothing unless everything can be done.

        Raises:
            ProvisionError: No answer, partitions that cannot be changed, or offsets that would be forgotten too early.
        """
        with _translated("was being provisioned"):
            self._check_offsets_retention()
            existing = self._partitions()
            self._check_partitions(existing)
            changes = [*self._create(topic for topic in ALL if self._name(topic) not in existing)]
            present = [topic for topic in ALL if self._name(topic) in existing]
            changes.extend(self._widen(present, existing))
            changes.extend(self._repair(present))
        return changes

    def _new_admin(self) -> AdminClient:
        return AdminClient(client_config(self._settings.bootstrap, f"{self._settings.namespace}-provision"))

    def _name(self, topic: Topic) -> str:
        return topic.full_name(self._settings.namespace)

    def _partitions(self) -> Mapping[str, int]:
        topics = self._admin.list_topics(timeout=self._within_s).topics
        return {name: len(found.partitions) for name, found in topics.items() if found.error is None}

    def _check_partitions(self, existing: Mapping[str, int]) -> None:
        for topic in ALL:
            name, wanted = self._name(topic), self._settings.partitions_of(topic)
            there = existing.get(name, wanted)
            if topic.spread is Spread.RECORD and there != wanted:
                raise ProvisionError(
                    f"The topic {name} has {there} partitions, the settings ask for {wanted}; a key must never move, "
                    f"so set SPOTCLIP_RECORD_PARTITIONS back to {there} or use a new namespace."
                )
            if there > wanted:
                raise ProvisionError(
                    f"The topic {name} has {there} partitions, which can only grow; "
                    f"set SPOTCLIP_WORK_PARTITIONS to {there} or more."
                )

    def _create(self, topics: Iterable[Topic]) -> Iterator[Change]:
        wanted = {self._name(topic): topic for topic in topics}
        if not wanted:
            return
        futures = self._admin.create_topics(
            [
                NewTopic(
                    name,
                    num_partitions=self._settings.partitions_of(topic),
                    replication_factor=self._settings.replication or -1,
                    config=self._config(topic),
                )
                for name, topic in wanted.items()
            ],
            request_timeout=self._within_s,
        )
        for name, future in futures.items():
            try:
                self._result(future)
            except KafkaException as error:
                # Somebody else provisions at this moment, from the same settings.
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
                continue
            yield Change(f"topic {name}", f"created with {self._settings.partitions_of(wanted[name])} partitions")
        self._wait_until_served({name: self._settings.partitions_of(topic) for name, topic in wanted.items()})

    def _wait_until_served(self, partitions: Mapping[str, int]) -> None:
        """A new partition is unknown to its own broker for a moment; who starts next must not meet that."""
        deadline = time.monotonic() + self._within_s
        places = {
            TopicPartition(name, number): OffsetSpec.latest()  # type: ignore[no-untyped-call]
            for name, count in partitions.items()
            for number in range(count)
        }
        while True:
            # A client of its own for each look: one that has seen a partition without a leader may keep to that.
            admin = self._new_admin()  # held until its answers are here
            futures = admin.list_offsets(places, request_timeout=_LOOK_WITHIN_S).values()
            refusals = [refusal for future in futures if (refusal := future.exception(self._within_s + _GRACE_S))]
            if not refusals:
                return
            if time.monotonic() > deadline:
                raise refusals[0]
            time.sleep(_PAUSE_S)

    def _widen(self, topics: Iterable[Topic], existing: Mapping[str, int]) -> Iterator[Change]:
        wanted = {self._name(topic): self._settings.partitions_of(topic) for topic in topics}
        narrow = {name: count for name, count in wanted.items() if existing[name] < count}
        if not narrow:
            return
        new = [NewPartitions(name, count) for name, count in narrow.items()]
        for name, future in self._admin.create_partitions(new, request_timeout=self._within_s).items():
            self._result(future)
            yield Change(f"topic {name}", f"widened from {existing[name]} to {narrow[name]} partitions")
        self._wait_until_served(narrow)

    def _repair(self, topics: Iterable[Topic]) -> Iterator[Change]:
        resources = {ConfigResource(ResourceType.TOPIC, self._name(topic)): topic for topic in topics}
        if not resources:
            return
        drifted: dict[ConfigResource, dict[str, str]] = {}
        for resource, future in self._admin.describe_configs(list(resources), request_timeout=self._within_s).items():
            there = self._result(future)
            wanted = self._config(resources[resource])
            wrong = {key: value for key, value in wanted.items() if key not in there or there[key].value != value}
            if wrong:
                drifted[resource] = wrong
        if not drifted:
            return
        orders = [
            ConfigResource(
                ResourceType.TOPIC,
                resource.name,
                incremental_configs=[
                    ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in wrong.items()
                ],
            )
            for resource, wrong in drifted.items()
        ]
        for future in self._admin.incremental_alter_configs(orders, request_timeout=self._within_s).values():
            self._result(future)
        for resource, wrong in drifted.items():
            told = ", ".join(f"{key}={value}" for key, value in wrong.items())
            yield Change(f"topic {resource.name}", f"configuration set to {told}")

    def _config(self, topic: Topic) -> dict[str, str]:
        config = {
            "cleanup.policy": "compact" if topic.compacted else "delete",
            # A ledger's topic is the record's only copy: no age removes from it.
            "retention.ms": "-1" if topic.compacted else str(topic.retention_ms),
            "max.message.bytes": str(MAX_MESSAGE_BYTES + _BATCH_OVERHEAD_BYTES),
        }
        if topic.compacted:
            config |= {"segment.ms": str(_COMPACTED_SEGMENT_MS), "delete.retention.ms": str(_DELETION_KEPT_MS)}
        if (self._settings.replication or 1) > 2:
            # With three copies one broker may be away; acknowledged still means two.
            config["min.insync.replicas"] = "2"
        return config

    def _check_offsets_retention(self) -> None:
        brokers = self._admin.list_topics(timeout=self._within_s).brokers
        resources = [ConfigResource(ResourceType.BROKER, str(number)) for number in brokers]
        for resource, future in self._admin.describe_configs(resources, request_timeout=self._within_s).items():
            check_offsets_retention(resource.name, int(self._result(future)["offsets.retention.minutes"].value))

    def _result(self, future: "Future[T]") -> T:
        return future.result(timeout=self._within_s + _GRACE_S)


def check_offsets_retention(broker: str, kept_min: int) -> None:
    """A group that slept for longer than its offsets are kept would read the log from its start again.

    Args:
        broker: Its number, for people.
        kept_min: Its `offsets.retention.minutes`.

    Raises:
        ProvisionError: It is not above the retention of everything that a group reads.
    """
    needed_ms = max(topic.retention_ms for topic in ALL if not topic.compacted and topic not in _READ_BY_NO_GROUP)
    if kept_min * 60_000 <= needed_ms:
        raise ProvisionError(
            f"Kafka's broker {broker} forgets the offsets of idle groups after {kept_min} minutes; "
            f"set offsets.retention.minutes above {needed_ms // 60_000}, as long as messages are kept."
        )


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except KafkaException as error:
        raise ProvisionError(
            f"Kafka refused or did not answer while it {doing}; check that it runs and its address ({explain(error)})."
        ) from error
    except TimeoutError as error:
        raise ProvisionError(f"Kafka did not answer while it {doing}; check that it runs and its address.") from error
