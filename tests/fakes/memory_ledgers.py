"""The three ledgers in this process: the real decisions, over the log in memory."""

from collections.abc import Callable
from typing import Any

import msgspec

from api.ports import Position
from schemas.base import Message
from schemas.records import Record
from schemas.topics import (
    CATALOG_COMMANDS,
    SEARCH_COMMANDS,
    SEARCH_FACTS,
    VIDEO_COMMANDS,
    VIDEO_FACTS,
    Topic,
)
from streams.flow import Decision
from streams.ledgers import catalog, searches, videos
from tests.fakes.memory_log import MemoryLog

_DECIDE: dict[Topic, Callable[[Any, Any], Decision]] = {
    CATALOG_COMMANDS: catalog.decide,
    VIDEO_COMMANDS: videos.decide,
    VIDEO_FACTS: videos.decide,
    SEARCH_COMMANDS: searches.decide,
    SEARCH_FACTS: searches.decide,
}


class MemoryLedgers:
    """Decides every command and fact as it is appended; paused, it decides nothing until it is resumed.

    Attributes:
        outputs: Everything that the ledgers asked for, in order.
    """

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._records: dict[tuple[str, str], Record] = {}
        self._waiting: list[tuple[Position, Message]] = []
        self.paused = False
        self.outputs: list[Message] = []
        self.answers: Callable[[Message], Message | None] = lambda _: None
        log.listeners.append(self._on_append)

    def resume(self) -> None:
        """Decide what waited, and everything that comes."""
        self.paused = False
        waiting, self._waiting = self._waiting, []
        for position, message in waiting:
            self._decide(position, message)

    def _on_append(self, position: Position, message: Message) -> None:
        if position.topic not in _DECIDE:
            return
        if self.paused:
            self._waiting.append((position, message))
        else:
            self._decide(position, message)

    def _decide(self, position: Position, message: Message) -> None:
        place = (position.topic.name.split(".")[0], message.key)
        before = self._records.get(place)
        decision = _DECIDE[position.topic](before, message)
        self.outputs.extend(decision.outputs)
        if decision.record is None or (decision.record is before and not decision.outputs):
            return
        after = msgspec.structs.replace(
            decision.record,
            version=(before.version if before else 0) + 1,
            applied={**(before.applied if before else {}), position.topic.part: position.offset},
        )
        self._records[place] = after
        self._log.append(after)
        for output in decision.outputs:
            if (fact := self.answers(output)) is not None:
                self._log.append(fact)
