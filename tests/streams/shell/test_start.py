"""When a worker refuses to start, and what it says."""

import pytest

from schemas.topics import ALL, SEARCH_COMMANDS, SEARCH_FACTS, USAGE
from streams.shell.exits import ExitCode
from streams.shell.settings import ShellSettings
from streams.shell.start_check import CannotStart, check_topics, highest_applied, source_that_ends_early
from streams.shell.table import RecordHead
from tests.streams.shell import toy
from tests.streams.shell.cluster import Cluster
from tests.streams.shell.workers import Workers, newest_records
from tests.waiting import wait_until

SETTINGS = ShellSettings(bootstrap_servers="none", namespace="n", record_partitions=8, work_partitions=32)


def whole() -> dict[str, int]:
    return {topic.full_name("n"): SETTINGS.partitions_of(topic) for topic in ALL}


def test_a_whole_cluster_is_accepted() -> None:
    check_topics(whole() | {"another": 1}, SETTINGS)


def test_every_topic_that_does_not_fit_is_named() -> None:
    counts = whole() | {"n.chunks.v1": 16}
    del counts["n.usage.v1"]
    with pytest.raises(CannotStart) as refusal:
        check_topics(counts, SETTINGS)
    assert str(refusal.value) == (
        "Provision the topics before starting a worker: "
        "n.chunks.v1 has 16 partitions, the settings say 32; n.usage.v1 is missing."
    )


def test_a_source_must_end_above_what_its_partitions_records_have_applied() -> None:
    heads = [
        (0, RecordHead(applied={"commands": 4, "facts": 9})),
        (0, RecordHead(applied={"commands": 7})),
        (1, RecordHead(applied={"commands": 1})),
    ]
    highest = highest_applied(heads)
    assert highest == {(0, "commands"): 7, (0, "facts"): 9, (1, "commands"): 1}
    ends = {(0, "commands"): 8, (0, "facts"): 10, (1, "commands"): 2}
    assert source_that_ends_early(highest, lambda *place: ends[place]) is None
    ends[0, "facts"] = 9
    assert source_that_ends_early(highest, lambda *place: ends[place]) == (0, "facts")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"heartbeat_s": 4.0}, "heartbeat_s"),
        ({"session_timeout_s": 100.0}, "request_timeout_s"),
        ({"outage_limit_s": 60.0}, "outage_limit_s"),
        ({"tries": 0}, "tries"),
    ],
)
def test_settings_that_do_not_work_together_are_refused(wrong: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ShellSettings(bootstrap_servers="", namespace="", **wrong)  # type: ignore[arg-type]


def test_settings_of_roles_with_children_work_together_and_keep_the_rest() -> None:
    """A rebalance waits longer than a job may take."""
    heavy = ShellSettings(bootstrap_servers="a:1", namespace="n", tries=3).with_jobs(300.0).on_full_cores()
    assert (heavy.tries, heavy.session_timeout_s, heavy.longest_stop_s) == (3, 30.0, 20.0)
    assert heavy.rebalance_timeout_s > 300.0


@pytest.mark.engines
def test_a_worker_refuses_missing_topics_other_counts_and_a_silent_broker(cluster: Cluster, workers: Workers) -> None:
    silent = workers.start("ledger", bootstrap="127.0.0.1:1")
    wide = workers.start("ledger", work_partitions=5)
    assert silent.wait_exit() == ExitCode.UNAVAILABLE
    assert "Kafka does not answer at 127.0.0.1:1" in silent.output
    assert wide.wait_exit() == ExitCode.REFUSED
    assert "has 4 partitions, the settings say 5" in wide.output
    cluster.delete_topics([USAGE])
    missing = workers.start("ledger")
    assert missing.wait_exit() == ExitCode.REFUSED
    assert f"{cluster.name(USAGE)} is missing" in missing.output
    cluster.make_topics([USAGE])


@pytest.mark.engines
def test_a_ledger_refuses_a_source_that_was_made_anew(cluster: Cluster, workers: Workers) -> None:
    """Its new messages would count as applied, and all would be passed over."""
    cluster.produce(toy.submit(f"r{number}") for number in range(20))
    cluster.produce(toy.fact(f"r{number % 20}", number) for number in range(40))
    first = workers.start("ledger")
    wait_until(
        lambda: sum(record.version for record in newest_records(cluster).values()) == 60, 40, "all messages applied"
    )
    assert first.stop() == ExitCode.STOPPED
    cluster.delete_topics([SEARCH_FACTS])
    cluster.make_topics([SEARCH_FACTS])
    cluster.produce([toy.fact("r1", 1)])
    second = workers.start("ledger")
    assert second.wait_exit() == ExitCode.REFUSED
    assert "source ends below what was applied" in second.output
    assert cluster.name(SEARCH_FACTS) in second.output
    assert cluster.name(SEARCH_COMMANDS) not in second.output
