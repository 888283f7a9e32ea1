"""What a rebalance and a start may not lose: each case lost messages with Faust's own consumer."""

import itertools
import os
import signal

import pytest

from schemas.codec import decode
from schemas.searches import ClipFailed
from schemas.topics import MATCHES, SEARCH_COMMANDS, SEARCH_FACTS, Topic
from streams.shell.exits import ExitCode
from streams.shell.log import LogEvent
from tests.streams.shell import toy
from tests.streams.shell.cluster import PARTITIONS, Cluster, names_in
from tests.streams.shell.expected import digest, folded_records, repeated_work, versions
from tests.streams.shell.workers import Workers, newest_records
from tests.waiting import wait_until

pytestmark = pytest.mark.engines


def all_committed(cluster: Cluster, role: str, topic: Topic) -> bool:
    wanted = {number: end for number, end in cluster.ends(topic).items() if end}
    return cluster.committed(role, topic) == wanted


@pytest.mark.parametrize("role", ["ledger", "match"])
def test_a_second_worker_joins_a_fresh_group_during_a_long_message(
    cluster: Cluster, workers: Workers, role: str
) -> None:
    """Nothing is committed yet and messages wait in every partition: none of those may be passed over.

    `ledger` is a group with a table, `match` one without.
    """
    make = toy.submit if role == "ledger" else toy.match
    [slow] = names_in(0, "slow", 1)
    waiting = [name for number in range(PARTITIONS) for name in names_in(number, "ok", 40)]
    first = workers.start(role, slow_key=slow, slow_s=4.0)
    first.wait_ready()
    cluster.produce([make(slow)])
    first.wait_journal(f"began {slow}")
    cluster.produce(make(name) for name in waiting)
    second = workers.start(role)
    later = (make(name) for number in range(PARTITIONS) for name in names_in(number, "more", 200))

    def joined() -> bool:
        cluster.produce(itertools.islice(later, 4))
        return second.config.ready.exists()

    wait_until(joined, 40, "the second worker ready")
    source = SEARCH_COMMANDS if role == "ledger" else MATCHES
    wait_until(lambda: all_committed(cluster, role, source), 40, "everything committed")
    assert [first.stop(), second.stop()] == [ExitCode.STOPPED] * 2
    if role == "ledger":
        assert digest(newest_records(cluster)) == digest(folded_records(cluster))
        repeated_work(cluster)
    else:
        asked = {entry.key() for entry in cluster.read(MATCHES)}
        assert {entry.key() for entry in cluster.read(SEARCH_FACTS)} == asked


def test_workers_that_come_and_go_lose_nothing_of_a_table(cluster: Cluster, workers: Workers) -> None:
    """Commits are present, messages flow, and the partitions move three times."""
    cluster.produce(toy.submit(f"r{number}") for number in range(40))
    stays = workers.start("ledger")
    stays.wait_ready()
    numbers = itertools.count()

    def flow() -> None:
        # One at each look, some 40 a second: records grow with each fact, and the backlog must drain on a busy machine.
        cluster.produce(toy.fact(f"r{number % 40}", number) for number in itertools.islice(numbers, 1))

    for _ in range(2):
        guest = workers.start("ledger")

        def ready(guest: object = guest) -> bool:
            flow()
            return guest.config.ready.exists()  # type: ignore[attr-defined]

        wait_until(ready, 40, "a guest ready")
        assert guest.stop() == ExitCode.STOPPED
    wanted = folded_records(cluster)
    wait_until(lambda: versions(newest_records(cluster)) == versions(wanted), 40, "every message applied once")
    assert digest(newest_records(cluster)) == digest(wanted)
    assert stays.stop() == ExitCode.STOPPED


def test_a_commit_older_than_the_logs_start_is_moved_to_it(cluster: Cluster, workers: Workers) -> None:
    """Retention passed over a sleeping deployment: what is left is done, and the gap ends no process."""
    cluster.produce(toy.match(f"ok-{number}") for number in range(40))
    first = workers.start("match")
    wait_until(lambda: all_committed(cluster, "match", MATCHES), 40, "everything committed")
    assert first.stop() == ExitCode.STOPPED
    cluster.produce(toy.match(f"ok-{number}") for number in range(40, 120))
    starts = {number: end - 3 for number, end in cluster.ends(MATCHES).items()}
    committed = cluster.committed("match", MATCHES)
    assert all(starts[number] > committed[number] for number in starts)
    cluster.delete_before(MATCHES, starts)
    second = workers.start("match")
    wait_until(lambda: all_committed(cluster, "match", MATCHES), 40, "what is left committed")
    assert second.stop() == ExitCode.STOPPED
    left = {entry.key() for entry in cluster.read(MATCHES)}
    assert len(left) == 3 * PARTITIONS
    assert left <= {entry.key() for entry in cluster.read(SEARCH_FACTS)}
    assert second.output.count("commit moved") >= PARTITIONS


def test_a_late_waker_ends_before_it_sends(cluster: Cluster, workers: Workers) -> None:
    """A worker is stopped inside a message for longer than its session; another does the message; then it wakes."""
    late = workers.start("match", slow_key="slow", slow_s=1.0)
    late.wait_ready()
    cluster.produce([toy.match("slow")])
    late.wait_journal("began slow")
    os.kill(late.process.pid, signal.SIGSTOP)
    other = workers.start("match")
    wait_until(lambda: "ended slow" in other.journal, 40, "the message done by the other")
    os.kill(late.process.pid, signal.SIGCONT)
    assert late.wait_exit() == ExitCode.LATE
    assert other.stop() == ExitCode.STOPPED
    facts = [decode(SEARCH_FACTS, entry.value()) for entry in cluster.read(SEARCH_FACTS)]
    assert [fact.request_id for fact in facts if isinstance(fact, ClipFailed)] == ["slow"]


def test_a_rebalance_waits_for_the_job_in_the_child_and_not_for_those_that_wait_for_it(
    cluster: Cluster, workers: Workers
) -> None:
    """Those go back to the log and are done once, by whoever has their partition then."""
    names = [name for number in range(PARTITIONS) for name in names_in(number, "child", 1)]
    first = workers.start("match", slow_s=4.0)
    first.wait_ready()
    cluster.produce(toy.match(name) for name in names)
    wait_until(lambda: len(first.journal) == PARTITIONS, 40, "every message taken")
    second = workers.start("match", slow_s=0.1)
    wait_until(lambda: all_committed(cluster, "match", MATCHES), 60, "everything committed")
    assert LogEvent.HANDED_BACK in first.output
    ended = [line for worker in (first, second) for line in worker.journal if line.startswith("ended")]
    assert sorted(ended) == sorted(f"ended {name}" for name in names)
    assert [line for line in second.journal if line.startswith("ended")]
    assert [first.stop(), second.stop()] == [ExitCode.STOPPED] * 2


@pytest.mark.full
def test_a_static_member_keeps_its_partitions_over_a_restart(cluster: Cluster, workers: Workers) -> None:
    """Killed and back within its session: the other member sees no rebalance."""
    stays = workers.start("match", member_slot="a")
    killed = workers.start("match", member_slot="b")
    stays.wait_ready()
    killed.wait_ready()
    cluster.produce(toy.match(f"ok-{number}") for number in range(40))
    wait_until(lambda: all_committed(cluster, "match", MATCHES), 40, "everything committed")
    before = cluster.members("match")
    killed.process.send_signal(signal.SIGKILL)
    killed.wait_exit()
    back = workers.start("match", member_slot="b")
    back.wait_ready()
    cluster.produce(toy.match(f"ok-{number}") for number in range(40, 80))
    wait_until(lambda: all_committed(cluster, "match", MATCHES), 40, "everything committed again")
    assert cluster.members("match") == before
    assert {entry.key() for entry in cluster.read(SEARCH_FACTS)} == {entry.key() for entry in cluster.read(MATCHES)}
