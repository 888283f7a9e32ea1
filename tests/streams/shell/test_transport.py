"""The consumer's own rule of what may be committed, beside Faust's."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import aiokafka
import faust
import pytest
from faust.transport.consumer import Consumer as StockConsumer
from faust.types import TP

from schemas.topics import MATCHES
from streams.shell.app import ShellApp
from streams.shell.transport import ShellConsumer
from tests.streams.shell import toy
from tests.streams.shell.apps import close, ledger_app
from tests.streams.shell.cluster import Cluster, names_in

PLACE = TP("n.searches.commands.v1", 0)


@pytest.fixture
async def app() -> AsyncIterator[ShellApp]:
    with ledger_app() as app:
        yield app


def at(offset: int) -> SimpleNamespace:
    return SimpleNamespace(tp=PLACE, offset=offset)


def acknowledged(consumer: ShellConsumer, *offsets: int) -> None:
    """What Faust notes when a stream moves on, whatever became of the message."""
    consumer._acked[PLACE].extend(offsets)
    consumer._acked_index[PLACE].update(offsets)


async def test_an_acknowledged_message_that_is_not_finished_is_not_committed(app: ShellApp) -> None:
    """A handler that raised: Faust acknowledges its message on the way out, and would commit it."""
    consumer = app.shell_consumer()
    acknowledged(consumer, 0)
    assert StockConsumer._new_offset(consumer, PLACE) == 1
    acknowledged(consumer, 0)
    assert consumer._new_offset(PLACE) is None


async def test_a_hole_of_one_message_is_not_committed_over(app: ShellApp) -> None:
    """Faust's rule lets a hole of exactly one message pass."""
    consumer = app.shell_consumer()
    consumer._committed_offset[PLACE] = 4
    acknowledged(consumer, 5, 6)
    assert StockConsumer._new_offset(consumer, PLACE) == 7
    consumer._frontier[PLACE] = 4
    acknowledged(consumer, 5, 6)
    assert not consumer.in_order(at(5))
    assert consumer._new_offset(PLACE) is None


async def test_finished_messages_are_committed_once(app: ShellApp) -> None:
    consumer = app.shell_consumer()
    consumer._committed_offset[PLACE] = 0
    for offset in range(3):
        assert consumer.in_order(at(offset))
        consumer.finish(at(offset))
    assert consumer._new_offset(PLACE) == 3
    consumer._committed_offset[PLACE] = 3
    assert consumer._new_offset(PLACE) is None


async def test_a_message_may_come_again_but_none_may_be_left_out(app: ShellApp) -> None:
    consumer = app.shell_consumer()
    consumer.finish(at(0))
    consumer.finish(at(1))
    assert consumer.in_order(at(0))
    assert consumer.in_order(at(2))
    assert not consumer.in_order(at(3))


async def test_an_app_whose_consumer_is_faults_own_is_refused(app: ShellApp) -> None:
    """Something touched the consumer before our transport was set."""
    stock = ShellApp("n.ledger", broker="kafka://127.0.0.1:1", env={})
    with pytest.raises(TypeError, match="Faust's own consumer"):
        stock.shell_consumer()
    close(stock)
    assert app.shell_consumer() is app.consumer


async def test_the_environment_overrules_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faust lets variables of common names overrule what its app was given."""
    monkeypatch.setenv("BROKER_SESSION_TIMEOUT", "999")
    with ledger_app() as app:
        assert app.conf.broker_session_timeout == 10.0
    assert faust.App("n", broker="kafka://127.0.0.1:1").conf.broker_session_timeout == 999


@pytest.mark.engines
async def test_a_fetch_that_waits_over_a_rebalance_loses_nothing(cluster: Cluster) -> None:
    """It began before the flow was stopped, and ends with what came behind the place that recovery has sought since.

    Faust throws that away and stands behind it; the recovery then waits for it for ever.
    """
    place = TP(cluster.name(MATCHES), 0)
    with ledger_app(cluster.bootstrap, cluster.namespace) as app:
        consumer = app.shell_consumer()
        client = aiokafka.AIOKafkaConsumer(bootstrap_servers=cluster.bootstrap, auto_offset_reset="earliest")
        await client.start()
        client.assign([place])
        waiting = asyncio.create_task(consumer._thread._fetch_records(client, {place}, timeout=20.0))
        await client.end_offsets([place])  # the fetch waits by then
        consumer.stop_flow()
        [name] = names_in(0, "match", 1)
        cluster.produce([toy.match(name)])
        assert await waiting == {}
        assert await client.position(place) == 0
        consumer.resume_flow()
        [[record]] = (await consumer._thread._fetch_records(client, {place}, timeout=20.0)).values()
        assert record.key == toy.match(name).key.encode()
        await client.stop()


async def test_what_a_stopped_flow_fetched_starts_no_second_seek(
    app: ShellApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faust seeks then, beside the seek of the recovery that follows."""
    consumer, asked = app.shell_consumer(), []

    async def fetch(**what: object) -> dict[TP, list[object]]:
        asked.append(what)
        consumer.stop_flow()
        return {PLACE: [object()]}

    monkeypatch.setattr(consumer, "_getmany", fetch)
    consumer._set_active_tps({PLACE})
    consumer.resume_flow()
    assert [found async for found in consumer.getmany(timeout=1.0)] == []
    assert len(asked) == 1
