"""What the shell must be told, and why each number is what it is. Nothing here is read from the environment."""

from dataclasses import dataclass, replace
from typing import Self

from schemas.topics import Spread, Topic

# A clip's upload at 10 Mb/s, or a chunk's rows on a store that is slow for once, and the acknowledgement of the facts.
_AFTER_A_JOB_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellSettings:
    """Settings of one worker process.

    Attributes:
        bootstrap_servers: `host:port`, several with commas.
        namespace: Prefix of every topic and group of this deployment.
        record_partitions: Partitions of commands, facts and ledger topics. Fixed when they are made.
        work_partitions: Partitions of work topics: the most workers of a role that can be busy at once.
        session_timeout_s: After so long without a heartbeat a member is given up: the stall after a kill. Below 10 s
            a busy machine loses members that are alive.
        heartbeat_s: Three may be missed within a session, Kafka's own rule of thumb.
        rebalance_timeout_s: How long a rebalance waits for running messages. Must exceed the longest message, else it
            is done twice and the members throw each other out in turn.
        request_timeout_s: Of the consumer; Faust wants it above the session timeout.
        commit_interval_s: How much work a kill repeats, at most.
        send_timeout_s: After so long without an acknowledgement the broker counts as down.
        tries: Attempts at a message before it is given up.
        backoff_s: Pause before the second try; doubles, up to `backoff_limit_s`, times a jitter of 0.5 to 1.
        outage_limit_s: So long a message waits for a dependency that is down; then the process ends uncommitted.
            Below the rebalance timeout, since a waiting message holds up a rebalance like a running one.
        failure_window: The share of failures is taken over so many of the last messages.
        failure_share_limit: A larger share than this stops the worker: a bad deployment must not drain a topic into
            the dead letters.
        watchdog_interval_s: How late an expiry may be. Each round reads every record of the process.
        member_slot: A name that this process keeps over restarts and shares with none (a host's ordinal): makes it a
            static member, whose restart within the session timeout moves no partition. None: a dynamic member.
    """

    bootstrap_servers: str
    namespace: str
    record_partitions: int = 8
    work_partitions: int = 32
    session_timeout_s: float = 10.0
    heartbeat_s: float = 3.0
    rebalance_timeout_s: float = 60.0
    request_timeout_s: float = 90.0
    commit_interval_s: float = 0.5
    send_timeout_s: float = 30.0
    tries: int = 5
    backoff_s: float = 0.5
    backoff_limit_s: float = 10.0
    outage_limit_s: float = 45.0
    failure_window: int = 50
    failure_share_limit: float = 0.5
    watchdog_interval_s: float = 15.0
    member_slot: str | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that do not work together."""
        if self.heartbeat_s * 3 > self.session_timeout_s:
            raise ValueError("Set heartbeat_s to at most a third of session_timeout_s.")
        if self.session_timeout_s > self.request_timeout_s:
            raise ValueError("Set request_timeout_s to at least session_timeout_s.")
        if self.outage_limit_s >= self.rebalance_timeout_s:
            raise ValueError("Set outage_limit_s below rebalance_timeout_s.")
        if self.tries < 1 or self.failure_window < 1:
            raise ValueError("Set tries and failure_window to at least 1.")

    def with_jobs(self, limit_s: float) -> Self:
        """These settings for a role with children.

        Args:
            limit_s: A job's hard limit. A rebalance waits for the jobs that run, not for those that wait for a child
                (see `tenure`), and then for what comes after a job: the store, and the outputs.
        """
        return replace(self, rebalance_timeout_s=limit_s + _AFTER_A_JOB_S)

    def on_full_cores(self) -> Self:
        """These settings for roles whose children fill the cores for minutes (index, render).

        Decoding delays heartbeats, and a static member may restart within its session without moving a partition.
        """
        return replace(self, session_timeout_s=30.0, heartbeat_s=10.0)

    @property
    def longest_stop_s(self) -> float:
        """How long the process may have been stopped and still own its partitions for sure, seconds.

        The broker counts the session from the last heartbeat, which may lie a whole interval before the stop. With the
        whole session as the limit a process stopped for 6 s sent its outputs after another had taken its partitions.
        """
        return self.session_timeout_s - self.heartbeat_s

    def partitions_of(self, topic: Topic) -> int:
        """How many partitions a topic has in this deployment."""
        return self.record_partitions if topic.spread is Spread.RECORD else self.work_partitions
