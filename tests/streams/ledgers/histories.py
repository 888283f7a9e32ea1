"""Runs a ledger as the shell does, over messages made by its own decisions, repeated, delayed and reordered."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import strategies as st

from schemas.base import Message
from schemas.records import Record
from streams.flow import Decision


@dataclass
class Bench:
    """One record of one ledger, the outputs it acknowledged, and the messages still under way."""

    decide: Callable[[Any, Any], Decision]
    answer: Callable[[Message], list[Message]]
    record: Record | None = None
    sent: list[Message] = field(default_factory=list)
    under_way: list[Message] = field(default_factory=list)
    seen: list[Message] = field(default_factory=list)

    def deliver(self, message: Message, *, crash_before_put: bool = False) -> None:
        """One message through the ledger. A crash between the outputs and the table means the same decision again."""
        self.seen.append(message)
        for lost in (True, False) if crash_before_put else (False,):
            decision = self.decide(self.record, message)
            self.sent += decision.outputs
            for output in decision.outputs:
                self.under_way += self.answer(output)
            if not lost and decision.record is not self.record:
                assert decision.record is not None
                version = (self.record.version if self.record else 0) + 1
                self.record = msgspec.structs.replace(decision.record, version=version)

    def run(self, first: list[Message], data: st.DataObject) -> None:
        """Deliver until nothing is under way; the draw picks order, repeats and crashes."""
        self.under_way += first
        repeats = 12
        while self.under_way:
            place = data.draw(st.integers(0, len(self.under_way) - 1), label="next")
            self.deliver(self.under_way.pop(place), crash_before_put=data.draw(st.booleans(), label="crash"))
            if repeats and data.draw(st.booleans(), label="repeat"):
                repeats -= 1
                self.deliver(data.draw(st.sampled_from(self.seen), label="stale"))
