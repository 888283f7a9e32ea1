"""Workers that are killed between any two awaits: the same records as without, no output lost, some work repeated."""

import itertools
import signal
from collections.abc import Sequence

import pytest

from schemas.codec import decode
from schemas.public import UsageEntry
from schemas.searches import ClipFailed, SearchFailed
from schemas.topics import DEAD_LETTERS, MATCHES, SEARCH_FACTS, USAGE
from streams.shell.exits import ExitCode
from streams.shell.failpoints import FailpointName
from tests.streams.shell import toy
from tests.streams.shell.cluster import Cluster
from tests.streams.shell.expected import digest, folded_records, journal_lengths, repeated_work, tables_hold, versions
from tests.streams.shell.toy_worker import FAILPOINT_EXIT
from tests.streams.shell.workers import ToyWorker, Workers, newest_records
from tests.waiting import wait_until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(400)]

LEDGER_FAILPOINTS = [name for name in FailpointName if name.startswith("ledger.")]
STAGE_FAILPOINTS = [name for name in FailpointName if name.startswith(("stage.", "guard."))]
RECORDS = 24
LIVES_WITHIN_S = 240
DRAINED_WITHIN_S = 60


class Slot:
    """One worker after another, each with the next failpoint, the last with none."""

    def __init__(self, workers: Workers, role: str, failpoints: Sequence[FailpointName], slot: str | None) -> None:
        self._workers = workers
        self._role = role
        self._left = list(failpoints)
        self._slot = slot
        self.worker = self._next()

    def _next(self) -> ToyWorker:
        self.failpoint = self._left.pop(0) if self._left else None
        return self._workers.start(
            self._role,
            failpoint=self.failpoint,
            failpoint_hit=3,
            member_slot=self._slot,
            tries=1,
            failure_window=10_000,
        )

    def settled(self) -> bool:
        """Whether the last life began. Starts the next when one reached its failpoint, and checks that it did."""
        code = self.worker.process.poll()
        if code is not None:
            assert code == FAILPOINT_EXIT, self.worker.output
            assert self.worker.config.marker.read_text() == self.failpoint
            self.worker = self._next()
        return self.failpoint is None and self.worker.config.ready.exists()


def live_through(slots: list[Slot], more: "Trickle") -> None:
    def all_settled() -> bool:
        more.trickle()
        return all([slot.settled() for slot in slots])  # noqa: C419 # each of them must be asked

    wait_until(all_settled, LIVES_WITHIN_S, "every failpoint reached")


class Trickle:
    """Messages for as long as it is asked, so that each life finds some in its partitions."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._numbers = itertools.count()

    def trickle(self) -> None:
        """Two more: records grow with each fact, and the backlog must drain on a busy machine."""
        numbers = list(itertools.islice(self._numbers, 2))
        self._cluster.produce(toy.fact(f"r{number % RECORDS}", number) for number in numbers)


class StageTrickle(Trickle):
    def trickle(self) -> None:
        numbers = list(itertools.islice(self._numbers, 2))
        words = ("ok", "ok", "ok", "invalid")
        self._cluster.produce(toy.match(f"{words[number % 4]}-{number}") for number in numbers)


def check_ledger(cluster: Cluster, live: list[ToyWorker]) -> None:
    wanted = folded_records(cluster)
    wait_until(
        lambda: versions(newest_records(cluster)) == versions(wanted), DRAINED_WITHIN_S, "every message applied once"
    )
    found = newest_records(cluster)
    assert digest(found) == digest(wanted)
    since = journal_lengths(live)
    wait_until(lambda: tables_hold(live, since, found), DRAINED_WITHIN_S, "the workers' tables equal to the log")
    print("repeated outputs:", repeated_work(cluster))  # noqa: T201 # a figure for the reader of `pytest -s`
    assert [worker.stop() for worker in live] == [ExitCode.STOPPED] * len(live)


def test_two_ledger_workers_killed_at_every_failpoint_end_alike(cluster: Cluster, workers: Workers) -> None:
    """Static members, so that a next life begins within the session of the one before."""
    cluster.produce(toy.submit(f"r{number}") for number in range(RECORDS))
    backwards = list(reversed(LEDGER_FAILPOINTS))
    slots = [Slot(workers, "ledger", LEDGER_FAILPOINTS, "a"), Slot(workers, "ledger", backwards, "b")]
    live_through(slots, Trickle(cluster))
    check_ledger(cluster, [slot.worker for slot in slots])


def test_partitions_of_a_killed_ledger_worker_move_without_loss(cluster: Cluster, workers: Workers) -> None:
    """Dynamic members: the survivor recovers the other's records and goes on; then the next life takes some back."""
    cluster.produce(toy.submit(f"r{number}") for number in range(RECORDS))
    failpoints = [FailpointName.LEDGER_CHANGELOG_SENT]
    slots = [Slot(workers, "ledger", failpoints, None), Slot(workers, "ledger", [], None)]
    live_through(slots, Trickle(cluster))
    check_ledger(cluster, [slot.worker for slot in slots])


def test_two_stage_workers_killed_at_every_failpoint_lose_nothing(cluster: Cluster, workers: Workers) -> None:
    slots = [
        Slot(workers, "match", STAGE_FAILPOINTS, "a"),
        Slot(workers, "match", list(reversed(STAGE_FAILPOINTS)), "b"),
    ]
    live_through(slots, StageTrickle(cluster))
    check_stage(cluster)
    assert [slot.worker.stop() for slot in slots] == [ExitCode.STOPPED] * 2


def check_stage(cluster: Cluster) -> None:
    wait_until(lambda: cluster.committed("match", MATCHES) == cluster.ends(MATCHES), DRAINED_WITHIN_S, "all committed")
    asked = [decode(MATCHES, entry.value()) for entry in cluster.read(MATCHES)]
    good = {message.request_id for message in asked if message.request_id.startswith("ok")}  # type: ignore[attr-defined]
    bad = {message.request_id for message in asked} - good  # type: ignore[attr-defined]
    facts = [decode(SEARCH_FACTS, entry.value()) for entry in cluster.read(SEARCH_FACTS)]
    assert {fact.request_id for fact in facts if isinstance(fact, ClipFailed)} == good
    assert {fact.request_id for fact in facts if isinstance(fact, SearchFailed)} == bad
    assert {entry.key().decode() for entry in cluster.read(DEAD_LETTERS)} == {f"{toy.EVENT_ID}/{word}" for word in bad}
    usage = [decode(USAGE, entry.value()) for entry in cluster.read(USAGE)]
    assert {entry.request_id for entry in usage if isinstance(entry, UsageEntry)} == good


@pytest.mark.full
@pytest.mark.parametrize("failpoint", LEDGER_FAILPOINTS)
def test_each_failpoint_alone_with_dynamic_members(
    cluster: Cluster, workers: Workers, failpoint: FailpointName
) -> None:
    """60 records of 5 messages and more, both workers killed at the same place."""
    cluster.produce(toy.submit(f"r{number}") for number in range(60))
    cluster.produce(toy.fact(f"r{number % 60}", 1_000_000 + number) for number in range(240))
    slots = [Slot(workers, "ledger", [failpoint], None), Slot(workers, "ledger", [failpoint], None)]
    live_through(slots, Trickle(cluster))
    check_ledger(cluster, [slot.worker for slot in slots])


@pytest.mark.full
def test_a_soak_of_3000_records_with_four_kills(cluster: Cluster, workers: Workers) -> None:
    cluster.produce(toy.submit(f"r{number}") for number in range(3000))
    live = [workers.start("ledger"), workers.start("ledger")]
    for worker in live:
        worker.wait_ready()
    for kill in range(4):
        numbers = range(kill * 3000, (kill + 1) * 3000)
        cluster.produce(toy.fact(f"r{number % 3000}", number) for number in numbers)
        victim = live[kill % 2]
        victim.process.send_signal(signal.SIGKILL)
        assert victim.wait_exit() == -signal.SIGKILL
        live[kill % 2] = workers.start("ledger")
        live[kill % 2].wait_ready()
    check_ledger(cluster, live)
