"""What must be true before a worker joins its group, and of a partition before its messages are taken."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from schemas.topics import ALL
from streams.outcomes import Unavailable
from streams.shell.settings import ShellSettings


class CannotStart(Exception):
    """A sentence that says what to do."""


async def read_partition_counts(bootstrap_servers: str) -> dict[str, int]:
    """Every topic of the cluster and its number of partitions.

    Raises:
        Unavailable: Kafka does not answer.
    """
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers)
    try:
        await client.bootstrap()
        cluster = await client.fetch_all_metadata()
        return {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in cluster.topics()}
    except KafkaError as error:
        raise Unavailable("kafka", f"Kafka does not answer at {bootstrap_servers} ({type(error).__name__}).") from error
    finally:
        await client.close()


def check_topics(counts: Mapping[str, int], settings: ShellSettings) -> None:
    """Refuse a cluster that lacks a topic or has one with another number of partitions than the settings say.

    All topics, not only a role's own: a stage may send to any, and a deployment is provisioned whole. A mismatch would
    let a worker look alive while its agent restarts for ever, or place one key in two partitions.

    Raises:
        CannotStart: Names every topic that does not fit.
    """
    wrong = []
    for topic in ALL:
        name, wanted = topic.full_name(settings.namespace), settings.partitions_of(topic)
        found = counts.get(name, 0)
        if not found:
            wrong.append(f"{name} is missing")
        elif found != wanted:
            wrong.append(f"{name} has {found} partitions, the settings say {wanted}")
    if wrong:
        raise CannotStart(f"Provision the topics before starting a worker: {'; '.join(wrong)}.")


class _Applied(Protocol):
    @property
    def applied(self) -> Mapping[str, int]: ...


def highest_applied(heads: Iterable[tuple[int, _Applied]]) -> dict[tuple[int, str], int]:
    """The highest applied offset by partition and part, from the partition and head of each record."""
    highest: dict[tuple[int, str], int] = {}
    for partition, head in heads:
        for part, offset in head.applied.items():
            highest[partition, part] = max(offset, highest.get((partition, part), -1))
    return highest


def source_that_ends_early(
    highest: Mapping[tuple[int, str], int], end_of: Callable[[int, str], int]
) -> tuple[int, str] | None:
    """The first partition and part whose topic ends below what was applied, or None.

    Such a topic was made anew: its new messages have offsets that count as applied, and all would be passed over.
    `end_of` gives the offset after the last message.
    """
    return next((place for place, offset in sorted(highest.items()) if end_of(*place) <= offset), None)
