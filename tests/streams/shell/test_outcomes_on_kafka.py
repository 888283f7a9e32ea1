"""How messages end in a running worker: committed, given up, or left uncommitted by a process that ended."""

import pytest

from schemas.codec import decode
from schemas.searches import ClipFailed, SearchFailed, SearchStatus
from schemas.topics import DEAD_LETTERS, MATCHES, SEARCH_COMMANDS, SEARCH_FACTS, USAGE
from streams.shell.exits import ExitCode
from tests.streams.shell import toy
from tests.streams.shell.cluster import Cluster
from tests.streams.shell.workers import Workers, newest_records
from tests.waiting import wait_until

pytestmark = pytest.mark.engines


def test_a_stage_ends_each_message_as_its_outcome_says(cluster: Cluster, workers: Workers) -> None:
    """Done, invalid, tried in vain and undecodable: the last three become dead letters as they came, all commit."""
    cluster.produce(toy.match(request_id) for request_id in ("ok-1", "invalid-1", "later-1", "crash-1"))
    cluster.produce_raw(MATCHES, b"\xff\xfe", b"\x00 no message")
    cluster.produce_raw(MATCHES, None, b"{}")
    cluster.produce_raw(MATCHES, b"nothing", None)
    cluster.flush()
    worker = workers.start("match", tries=2)
    wait_until(lambda: cluster.committed("match", MATCHES) == committable(cluster), 40, "everything committed")
    assert worker.stop() == ExitCode.STOPPED

    facts = [decode(SEARCH_FACTS, message.value()) for message in cluster.read(SEARCH_FACTS)]
    assert {fact.request_id for fact in facts if isinstance(fact, ClipFailed)} == {"ok-1"}
    assert {fact.request_id: fact.error for fact in facts if isinstance(fact, SearchFailed)} == {
        "invalid-1": "No face was found in this selfie.",
        "later-1": "The selfie could not be read this time.",
        "crash-1": "This failed 2 times and was given up.",
    }
    letters = {(message.key(), message.value()): dict(message.headers()) for message in cluster.read(DEAD_LETTERS)}
    assert {key for key, _ in letters} == {b"7/invalid-1", b"7/later-1", b"7/crash-1", b"\xff\xfe", None, b"nothing"}
    produced = {(topic, part, offset): key for topic, part, offset, key in cluster.produced}
    for (key, value), headers in letters.items():
        origin = headers["origin-topic"], headers["origin-partition"], headers["origin-offset"]
        assert produced[origin[0].decode(), int(origin[1]), int(origin[2])] == key
        assert headers["stage"] == b"toy-match"
        assert headers["attempt"] == (b"2" if key in (b"7/later-1", b"7/crash-1") else b"1")
        assert int(headers["at-ms"]) > 1_700_000_000_000
        assert headers["error"]
        assert value == {b"\xff\xfe": b"\x00 no message", None: b"{}", b"nothing": None}.get(key, value)
    assert "invalid-1" not in worker.output.replace("7/invalid-1", "")


def committable(cluster: Cluster) -> dict[int, int]:
    """The ends of the partitions that have messages."""
    return {number: end for number, end in cluster.ends(MATCHES).items() if end}


def test_a_ledgers_bug_becomes_a_dead_letter_and_the_ledger_goes_on(cluster: Cluster, workers: Workers) -> None:
    cluster.produce([toy.submit("bug", org_id=toy.BUG_ORG_ID), toy.submit("good")])
    worker = workers.start("ledger", tries=2)
    wait_until(lambda: "7/good" in newest_records(cluster), 40, "the good record")
    wait_until(lambda: cluster.read(DEAD_LETTERS), 20, "a dead letter")
    assert worker.stop() == ExitCode.STOPPED
    assert [message.key() for message in cluster.read(DEAD_LETTERS)] == [b"7/bug"]
    assert "7/bug" not in newest_records(cluster)
    assert not cluster.read(SEARCH_FACTS)


def test_an_outage_uses_no_tries_and_ends_the_process_uncommitted(cluster: Cluster, workers: Workers) -> None:
    cluster.produce([toy.match("down-1")])
    worker = workers.start("match", tries=1, outage_limit_s=1.0, backoff_limit_s=0.2)
    assert worker.wait_exit() == ExitCode.UNAVAILABLE
    assert not cluster.read(DEAD_LETTERS)
    assert not any(cluster.committed("match", MATCHES).values())


def test_too_large_a_share_of_failures_stops_the_worker(cluster: Cluster, workers: Workers) -> None:
    """A bad deployment must not drain a topic: what is beyond the limit stays uncommitted."""
    cluster.produce([toy.match("invalid-1")] * 12)
    worker = workers.start("match", failure_window=4, failure_share_limit=0.5)
    assert worker.wait_exit() == ExitCode.FAILING
    assert len(cluster.read(DEAD_LETTERS)) == 3
    assert sum(cluster.committed("match", MATCHES).values()) <= 3


def test_a_refused_record_is_noticed_and_not_committed(cluster: Cluster, workers: Workers) -> None:
    """The broker will not take the record: the process ends, and the command is taken again in its next life."""
    cluster.limit_record_bytes(20_000)
    cluster.produce([toy.submit("good")])
    worker = workers.start("ledger")
    wait_until(lambda: "7/good" in newest_records(cluster), 40, "the good record")
    cluster.produce([toy.submit("big", org_id=toy.BIG_ORG_ID)])
    assert worker.wait_exit() == ExitCode.UNRECORDED
    [(topic, partition, offset, _)] = [entry for entry in cluster.produced if entry[3] == b"7/big"]
    assert topic == cluster.name(SEARCH_COMMANDS)
    assert cluster.committed("ledger", SEARCH_COMMANDS).get(partition, 0) <= offset
    assert "7/big" not in newest_records(cluster)


def test_a_record_past_its_deadline_is_given_up_through_the_log(cluster: Cluster, workers: Workers) -> None:
    cluster.produce([toy.submit("late", deadline_ms=1), toy.submit("early")])
    worker = workers.start("ledger")
    wait_until(
        lambda: (late := newest_records(cluster).get("7/late")) and late.status is SearchStatus.FAILED,
        40,
        "the late record given up",
    )
    assert worker.stop() == ExitCode.STOPPED
    assert newest_records(cluster)["7/early"].status is SearchStatus.PROCESSING
    assert len(cluster.read(SEARCH_COMMANDS)) == 3


def test_a_stop_waits_for_the_running_message_and_commits_it(cluster: Cluster, workers: Workers) -> None:
    cluster.produce([toy.match("slow")])
    worker = workers.start("match", slow_key="slow", slow_s=2.0)
    worker.wait_journal("began slow")
    assert worker.stop() == ExitCode.STOPPED
    assert worker.journal == ["began slow", "ended slow"]
    assert cluster.committed("match", MATCHES) == committable(cluster)
    assert len(cluster.read(USAGE)) == 1
