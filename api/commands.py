"""Asking a ledger and waiting for its verdict."""

from typing import NamedTuple

from api.ports import Commands, Position
from api.replica.replica import Replica
from api.replica.views import Reading
from schemas.base import Command
from schemas.records import Outcome, Record
from schemas.topics import Topic


class Answer(NamedTuple):
    """What came of a command in time.

    Attributes:
        outcome: The verdict; None when the ledger took the command in but keeps its verdict no more.
        record: The record as it stood when the answer was seen.
    """

    outcome: Outcome | None
    record: Record


async def ask(commands: Commands, replica: Replica, ledger: Topic, command: Command, *, wait_s: float) -> Answer | None:
    """Send a command and wait for its answer in the replica; None when it did not come in time.

    Raises:
        LogUnavailable: Whether the command was kept is not known.
    """
    position = await commands.publish(command)
    return await replica.wait_for(ledger, command.key, lambda reading: answer_in(reading, command, position), wait_s)


def answer_in(reading: Reading, command: Command, position: Position) -> Answer | None:
    """The answer to a command that stands at this position, or None while its record is older."""
    record = reading.record
    if not isinstance(record, Record) or record.applied.get("commands", -1) < position.offset:
        return None
    return Answer(record.verdict_on(command.command_id), record)
