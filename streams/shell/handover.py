"""From the stream to the guard and back: in order, and committed only when finished."""

from streams.shell.exits import Exit, ExitCode
from streams.shell.guard import Guard, Unit
from streams.shell.log import LogEvent, log
from streams.shell.transport import ShellConsumer


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
