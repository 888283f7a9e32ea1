"""What every ledger record carries beside its own fields."""

from enum import StrEnum
from typing import Self

import msgspec

from schemas.base import Command, Message

# A caller looks for its verdict within moments; more askings than this about one record in that time are answered
# as if the verdict had not come.
VERDICTS_KEPT = 16


class Outcome(StrEnum):
    """What the ledger made of a command."""

    ACCEPTED = "accepted"  # the record changed as asked
    CACHED = "cached"  # already so; nothing runs again
    CONFLICT = "conflict"  # refused: the id is taken by something else
    LIMIT = "limit"  # refused: a documented limit is reached
    ABANDONED = "abandoned"  # given up by who asked, before it was taken
    UNKNOWN = "unknown"  # refused: what it names is not in the record


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger's answer to one command."""

    command_id: str
    outcome: Outcome


class Record(Message, frozen=True, kw_only=True):
    """One ledger's whole knowledge of one thing, as it stands on its compacted topic.

    Attributes:
        version: Counts the writes of this record; a reader keeps the highest it has seen.
        applied: The highest offset applied of each source topic, by its part in the flow (`commands`, `facts`): a
            message at or below it is done, its outputs were acknowledged before this record was.
        verdicts: Answers to the latest commands, oldest first.
    """

    version: int = 0
    applied: dict[str, int] = msgspec.field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()

    def with_verdict(self, command: Command, outcome: Outcome) -> Self:
        """This record with one more answer, the oldest forgotten beyond `VERDICTS_KEPT`."""
        verdict = Verdict(command_id=command.command_id, outcome=outcome)
        return msgspec.structs.replace(self, verdicts=(*self.verdicts, verdict)[-VERDICTS_KEPT:])

    def verdict_on(self, command_id: str) -> Outcome | None:
        """The answer to a command, or None when it has none (yet, or any more). A repeated command has one already."""
        return next((v.outcome for v in reversed(self.verdicts) if v.command_id == command_id), None)
