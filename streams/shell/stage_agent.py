"""Carries messages to a stage and its outputs away.

One message per partition at a time, so partitions do not wait for each other.
"""

from dataclasses import dataclass
from functools import partial

from schemas.base import Message
from schemas.codec import Undecodable, decode
from streams.flow import Stage
from streams.shell.delivery import Delivery
from streams.shell.failpoints import Failpoint, FailpointName
from streams.shell.guard import Unit
from streams.shell.sender import Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class StageParts:
    """What the agent of one stage is bound with."""

    stage: Stage
    sender: Sender
    failpoint: Failpoint


def unit_of(delivery: Delivery, parts: StageParts) -> Unit:
    """A message, and what the stage makes of it."""
    return Unit(
        stage=parts.stage.name,
        delivery=delivery,
        work=partial(work, delivery, parts),
        failure=partial(failure_of, delivery, parts),
    )


async def work(delivery: Delivery, parts: StageParts) -> None:
    """One try at one message: handle it and send what comes of it.

    Raises:
        Undecodable: Its bytes are no message of its topic.
        Unavailable: A dependency, Kafka among them, is down.
        Refused: Kafka refused an output.
        Exception: Whatever the stage raises; see `streams.outcomes`.
    """
    message = decode(parts.stage.source, delivery.value)
    parts.failpoint(FailpointName.STAGE_TAKEN)
    outputs = await parts.stage.handle(message)
    parts.failpoint(FailpointName.STAGE_HANDLED)
    await parts.sender.send(outputs, between=FailpointName.STAGE_BETWEEN_OUTPUTS)
    parts.failpoint(FailpointName.STAGE_OUTPUTS_ACKNOWLEDGED)


def failure_of(delivery: Delivery, parts: StageParts, sentence: str, at_ms: int) -> Message | None:
    """The stage's failure fact; None for bytes that name no record to fail."""
    try:
        message = decode(parts.stage.source, delivery.value)
    except Undecodable:
        return None
    return parts.stage.failure(message, sentence, at_ms)
