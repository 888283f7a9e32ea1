"""Runs one role in this process: from the checks before the start to the exit code."""

import asyncio
import signal
from collections.abc import Callable, Sequence

from aiokafka.errors import KafkaError

from streams.flow import Ledger, Role, Stage
from streams.outcomes import Unavailable
from streams.shell.app import ShellApp, build_app
from streams.shell.exits import ExitCode, end_process
from streams.shell.failpoints import Failpoint, pass_by
from streams.shell.log import LogEvent, log, quiet_vendors
from streams.shell.settings import ShellSettings
from streams.shell.start_check import CannotStart, check_topics, read_partition_counts
from streams.shell.table import recovered
from streams.shell.tenure import Tenure


async def run_worker(
    role: Role,
    ledgers: Sequence[Ledger],
    stages: Sequence[Stage],
    settings: ShellSettings,
    clock: Callable[[], int],
    *,
    tenure: Tenure,
    failpoint: Failpoint = pass_by,
    on_ready: Callable[[], None] | None = None,
) -> ExitCode:
    """Run until SIGTERM or SIGINT, then finish the running messages, commit and return.

    Installs its own handlers of both signals on the running loop. A stop waits for the running messages, at most
    `settings.rebalance_timeout_s`. The process may also end at once, with the codes of `exits`.

    Args:
        role: See `build_app`, also for the next five.
        ledgers: The ledgers to run.
        stages: The stages to run.
        settings: Settings of this process.
        clock: Wall clock, milliseconds since 1970 UTC.
        tenure: This process's.
        failpoint: See `failpoints`.
        on_ready: Called once, when partitions are assigned and tables recovered.

    Returns:
        `STOPPED`, `CRASHED`, `REFUSED` (log line says why) or `UNAVAILABLE` (Kafka did not answer at the start).
    """
    quiet_vendors()
    try:
        check_topics(await read_partition_counts(settings.bootstrap_servers), settings)
    except CannotStart as refusal:
        log.error(LogEvent.WORKER_REFUSED, role=role, reason=str(refusal))
        return ExitCode.REFUSED
    except Unavailable as outage:
        log.error(LogEvent.WORKER_REFUSED, role=role, reason=str(outage))
        return ExitCode.UNAVAILABLE
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        app = build_app(role, ledgers, stages, settings, clock, tenure=tenure, failpoint=failpoint)
        return await _run(app, role, settings, stop, on_ready)
    except KafkaError as error:
        log.error(LogEvent.WORKER_CRASHED, role=role, reason=type(error).__name__)
        return ExitCode.UNAVAILABLE
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _run(
    app: ShellApp, role: Role, settings: ShellSettings, stop: asyncio.Event, on_ready: Callable[[], None] | None
) -> ExitCode:
    await app.start()
    app.shell_consumer()
    ended = asyncio.create_task(app.wait_until_stopped(), name="app ended")
    stopping = asyncio.create_task(stop.wait(), name="stop asked for")
    ready = asyncio.create_task(recovered(app).wait(), name="ready")
    await asyncio.wait({ended, stopping, ready}, return_when=asyncio.FIRST_COMPLETED)
    if ready.done() and not (ended.done() or stopping.done()):
        log.info(LogEvent.WORKER_READY, role=role)
        if on_ready is not None:
            on_ready()
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
    asked = stopping.done()
    log.info(LogEvent.WORKER_STOPPING if asked else LogEvent.WORKER_CRASHED, role=role)
    for task in (ended, stopping, ready):
        task.cancel()
    try:
        await asyncio.wait_for(app.stop(), settings.rebalance_timeout_s)
    except TimeoutError:
        log.error(LogEvent.WORKER_CRASHED, role=role, reason="did not stop in time")
        end_process(ExitCode.INTERRUPTED)
    log.info(LogEvent.WORKER_STOPPED, role=role)
    return ExitCode.STOPPED if asked else ExitCode.CRASHED
