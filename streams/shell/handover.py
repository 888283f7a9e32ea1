"""From the stream to the guard and back: in order, and committed only when finished."""

from collections.abc import AsyncIterable, Callable
from typing import Any

from streams.shell.delivery import Delivery
from streams.shell.exits import Exit, ExitCode
from streams.shell.guard import Guard, Unit
from streams.shell.log import LogEvent, log
from streams.shell.transport import ShellConsumer


async def carry(
    stream: Any,  # noqa: ANN401 # Faust has no types
    *,
    unit_of: Callable[[Delivery], Unit],
    guard: Guard,
    consumer: ShellConsumer,
    end: Exit,
) -> None:
    """Take a stream's messages one after another, for as long as it lives."""
    events: AsyncIterable[Any] = stream.events()
    async for event in events:
        await hand_over(unit_of(event.message), guard=guard, consumer=consumer, end=end)


async def hand_over(unit: Unit, *, guard: Guard, consumer: ShellConsumer, end: Exit) -> None:
    """Carry one delivery to its end. When an offset was lost before it, the process ends and nothing is committed."""
    delivery = unit.delivery
    if consumer.tenure.is_over:
        return  # it was in a queue when the partitions began to be given away
    if not consumer.in_order(delivery):
        log.error(LogEvent.HOLE_FOUND, topic=delivery.topic, partition=delivery.partition, offset=delivery.offset)
        end(ExitCode.HOLE)
    if await guard.run(unit):
        consumer.finish(delivery)
