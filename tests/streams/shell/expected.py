"""What must stand in the ledger topic, by folding the sources without any shell, and comparing."""

import hashlib
from collections.abc import Mapping

import msgspec

from schemas.codec import decode, encode
from schemas.public import UsageEntry
from schemas.searches import SearchRecord
from schemas.topics import MATCHES, SEARCH_COMMANDS, SEARCH_FACTS, USAGE
from tests.streams.shell.cluster import Cluster
from tests.streams.shell.toy import fingerprint
from tests.streams.shell.toy_ledger import decide
from tests.streams.shell.workers import ToyWorker


def folded_records(cluster: Cluster) -> dict[str, SearchRecord]:
    """Each record as every one of its commands and facts, applied once, makes it."""
    records: dict[str, SearchRecord] = {}
    for topic in (SEARCH_COMMANDS, SEARCH_FACTS):
        for entry in cluster.read(topic):
            message = decode(topic, entry.value())
            old = records.get(message.key)
            new = decide(old, message).record  # type: ignore[arg-type] # the topic says what it is
            assert new is not None
            version, applied = (0, {}) if old is None else (old.version, old.applied)
            records[message.key] = msgspec.structs.replace(
                new, version=version + 1, applied={**applied, topic.part: entry.offset()}
            )
    return records


def digest(records: Mapping[str, SearchRecord]) -> str:
    """One line for all records."""
    # The order of `applied` is that of the topics' first messages.
    plain = {
        key: encode(msgspec.structs.replace(record, applied=dict(sorted(record.applied.items())))).hex()
        for key, record in sorted(records.items())
    }
    return hashlib.sha256(msgspec.json.encode(plain)).hexdigest()


def versions(records: Mapping[str, SearchRecord]) -> dict[str, int]:
    return {key: record.version for key, record in records.items()}


def journal_lengths(workers: list[ToyWorker]) -> list[int]:
    """Where each worker's journal ends now."""
    return [len(worker.journal) for worker in workers]


def tables_hold(workers: list[ToyWorker], since: list[int], records: Mapping[str, SearchRecord]) -> bool:
    """Whether the workers' tables, by what their watchdogs saw since then, are together these records and no other."""
    held: dict[str, str] = {}
    for worker, start in zip(workers, since, strict=True):
        for line in worker.journal[start:]:
            key, *_, print_of = line.split()
            held[key] = print_of
    return held == {key: fingerprint(record) for key, record in records.items()}


def repeated_work(cluster: Cluster) -> int:
    """How many outputs the ledger sent more than once.

    Raises:
        AssertionError: One was never sent, or one that nothing asked for.
    """
    wanted = {
        (message.request_id, number)
        for topic in (SEARCH_COMMANDS, SEARCH_FACTS)
        for message in (decode(topic, entry.value()) for entry in cluster.read(topic))
        for number in [int(getattr(message, "clip_id", -1)) + 1]
    }
    usage = [decode(USAGE, entry.value()) for entry in cluster.read(USAGE)]
    sent = [(entry.request_id, entry.number) for entry in usage if isinstance(entry, UsageEntry)]
    asked = [decode(MATCHES, entry.value()) for entry in cluster.read(MATCHES)]
    assert set(sent) == wanted
    assert {(entry.request_id, entry.attempt) for entry in asked} == wanted  # type: ignore[attr-defined]
    return len(sent) + len(asked) - 2 * len(wanted)
