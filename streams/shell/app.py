"""One Faust app for one role: its own consumer group, transport, tables and agents. Building it connects to nothing."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import faust

from schemas.topics import Topic
from streams.flow import Ledger, Role, Stage
from streams.shell import ledger_agent, stage_agent
from streams.shell.alive import Alive
from streams.shell.delivery import Delivery
from streams.shell.exits import Exit, end_process
from streams.shell.failpoints import Failpoint, pass_by
from streams.shell.guard import Guard, Unit
from streams.shell.handover import carry
from streams.shell.ledger_agent import LedgerParts
from streams.shell.recovery_check import RecoveryCheck
from streams.shell.sender import Sender
from streams.shell.settings import ShellSettings
from streams.shell.stage_agent import StageParts
from streams.shell.table import LedgerTable
from streams.shell.tenure import Tenure
from streams.shell.transport import ShellConsumer, ShellTransport
from streams.shell.watchdog import Watchdog

# Keys and values stay the bytes that came: what does not decode must reach the dead letters as it is.
_RAW: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What all agents of an app share."""

    settings: ShellSettings
    sender: Sender
    guard: Guard
    clock: Callable[[], int]
    failpoint: Failpoint
    end: Exit


class ShellApp(faust.App):
    """A Faust app that leaves no folders behind and knows its consumer and its tenure."""

    tenure: Tenure

    def _create_directories(self) -> None:
        """Make none: tables live in memory and their topics."""

    def shell_consumer(self) -> ShellConsumer:
        """The consumer of this app.

        Raises:
            TypeError: Something touched `app.consumer` before our transport was set; Faust then keeps its own for good,
                which loses events at rebalances.
        """
        if not isinstance(self.consumer, ShellConsumer):
            raise TypeError("This app runs on Faust's own consumer. Set its transport right after making the app.")
        return self.consumer


def build_app(
    role: Role,
    ledgers: Sequence[Ledger],
    stages: Sequence[Stage],
    settings: ShellSettings,
    clock: Callable[[], int],
    *,
    tenure: Tenure,
    failpoint: Failpoint = pass_by,
    end: Exit = end_process,
) -> ShellApp:
    """The app of one role, not started. Needs a running loop.

    Args:
        role: Names the consumer group, `{namespace}.{role}`.
        ledgers: The ledgers it runs; none for the other roles.
        stages: The stages it runs; those of other roles are an error.
        settings: See there.
        clock: Wall clock, milliseconds since 1970 UTC.
        tenure: This process's, shared with the children it works with.
        failpoint: See `failpoints`.
        end: Ends the process; a test may only watch it.

    Raises:
        ValueError: A stage belongs to another role, or there is nothing to run.
    """
    foreign = [stage.name for stage in stages if stage.role is not role]
    if foreign or not (ledgers or stages):
        raise ValueError(f"Give the role {role} its own stages or ledgers; these are not: {foreign}.")
    app = _new_app(role, settings, with_tables=bool(ledgers))
    app.tenure = tenure
    alive = Alive(limit_s=settings.longest_stop_s, end=end)
    sender = Sender(producer=lambda: app.producer, namespace=settings.namespace, alive=alive, failpoint=failpoint)
    guard = Guard(
        settings=settings,
        outlet=sender,
        tenure=tenure,
        end=end,
        failpoint=failpoint,
        clock=clock,
        monotonic_s=time.monotonic,
        sleep=asyncio.sleep,
        jitter=random.random,
    )
    app.task(alive.beat)
    common = _Common(settings=settings, sender=sender, guard=guard, clock=clock, failpoint=failpoint, end=end)
    for ledger in ledgers:
        _add_ledger(app, ledger, common)
    for stage in stages:
        _add_stage(app, stage, common)
    return app


def _new_app(role: Role, settings: ShellSettings, *, with_tables: bool) -> ShellApp:
    group = f"{settings.namespace}.{role}"
    slot = settings.member_slot
    app = ShellApp(
        group,
        env={},  # else Faust lets environment variables overrule what stands here
        broker=[f"kafka://{server.strip()}" for server in settings.bootstrap_servers.split(",")],
        Table=LedgerTable,
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        # A standby in memory gains no time at a move, and its keys would stand beside the active ones. An app without a
        # table has no standbys; the 1 makes Faust use its sticky assignor there too, and not a round robin.
        table_standby_replicas=0 if with_tables else 1,
        stream_wait_empty=True,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=None if slot is None else f"{group}.{slot}",
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.heartbeat_s,
        broker_rebalance_timeout=settings.rebalance_timeout_s,
        broker_request_timeout=settings.request_timeout_s,
        broker_commit_interval=settings.commit_interval_s,
        producer_acks=-1,
        producer_request_timeout=settings.send_timeout_s,
        producer_max_request_size=1_048_576,  # Kafka's own default of `max.message.bytes`, above our largest message
        producer_compression_type="lz4",  # as the API's producer; gzip would run at its slowest level on the loop
    )
    # Before anything touches `app.consumer`: later it would silently stay the stock one.
    app.transport = ShellTransport(app.conf.broker_consumer, app)
    return app


def _add_ledger(app: ShellApp, ledger: Ledger, common: _Common) -> None:
    namespace, sender, end = common.settings.namespace, common.sender, common.end
    topics = [ledger.commands] if ledger.facts is None else [ledger.commands, ledger.facts]
    sources: dict[str, Topic] = {topic.full_name(namespace): topic for topic in topics}
    table = app.Table(
        f"{ledger.name}-table",
        key_type=bytes,
        value_type=bytes,
        partitions=common.settings.record_partitions,
        changelog_topic=app.topic(ledger.records.full_name(namespace), **_RAW),
    )
    if not isinstance(table, LedgerTable):  # App(Table=...) sees to it
        raise TypeError("This app makes Faust's own tables.")
    table.on_recover(RecoveryCheck(table=table, sources=sources, consumer=app.shell_consumer, end=end).run)
    parts = LedgerParts(ledger=ledger, sources=sources, table=table, sender=sender, failpoint=common.failpoint, end=end)
    # Never isolated: two actors would interleave one key's commands and facts.
    channel = app.topic(*sources, **_RAW)
    _add_agent(app, ledger.name, channel, partial(ledger_agent.unit_of, parts=parts), common, isolated=False)
    watchdog = Watchdog(ledger=ledger, table=table, sender=sender, clock=common.clock, failpoint=common.failpoint)
    app.timer(common.settings.watchdog_interval_s, name=f"{ledger.name}-watchdog")(watchdog.round)


def _add_stage(app: ShellApp, stage: Stage, common: _Common) -> None:
    parts = StageParts(stage=stage, sender=common.sender, failpoint=common.failpoint)
    source = app.topic(stage.source.full_name(common.settings.namespace), **_RAW)
    _add_agent(app, stage.name, source, partial(stage_agent.unit_of, parts=parts), common, isolated=True)


def _add_agent(
    app: ShellApp,
    name: str,
    channel: Any,  # noqa: ANN401 # Faust has no types
    unit_of: Callable[[Delivery], Unit],
    common: _Common,
    *,
    isolated: bool,
) -> None:
    async def agent(stream: Any) -> None:  # noqa: ANN401 # Faust has no types; it wants a function with one argument
        await carry(stream, unit_of=unit_of, guard=common.guard, consumer=app.shell_consumer(), end=common.end)

    app.agent(channel, name=name, concurrency=1, isolated_partitions=isolated)(agent)
