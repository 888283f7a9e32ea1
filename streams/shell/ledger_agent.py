"""Carries messages to a ledger: decode, decide, outputs, record, in this order, each acknowledged before the next.

A message at or below the record's applied offset is done: its outputs were acknowledged before the record was. Any
other is decided, again if need be, from the same record, and gives the same outputs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

import msgspec

from schemas.base import Message
from schemas.codec import Undecodable, decode, encode
from schemas.records import Record
from schemas.topics import Topic
from streams.flow import Ledger
from streams.outcomes import Invalid, Unavailable
from streams.shell.delivery import Delivery
from streams.shell.exits import Exit, ExitCode
from streams.shell.failpoints import Failpoint, FailpointName
from streams.shell.guard import Unit
from streams.shell.log import LogEvent, log, printable_key
from streams.shell.sender import Refused, Sender


class Records(Protocol):
    """A ledger's table; `LedgerTable` is it."""

    def read(self, key: bytes) -> bytes | None:
        """The record's bytes, or None."""

    async def put(
        self,
        topic: Topic,
        key: bytes,
        value: bytes,
        partition: int,
        *,
        sender: Sender,
        acknowledged: Callable[[], None],
    ) -> None:
        """Write the record to the broker, then here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerParts:
    """What the agent of one ledger is bound with; `sources` are its topics by their name on the broker."""

    ledger: Ledger
    sources: Mapping[str, Topic]
    table: Records
    sender: Sender
    failpoint: Failpoint
    end: Exit


def unit_of(delivery: Delivery, parts: LedgerParts) -> Unit:
    """A command or a fact, and what the ledger makes of it."""
    return Unit(stage=parts.ledger.name, delivery=delivery, work=partial(apply, delivery, parts), failure=_no_fact)


async def apply(delivery: Delivery, parts: LedgerParts) -> None:
    """Apply one command or fact to its record.

    Raises:
        Undecodable: Its bytes are no message of its topic.
        Invalid: It decided about another record than its Kafka key names.
        Unavailable: Kafka did not acknowledge an output.
        Refused: Kafka refused an output.
    """
    ledger, failpoint = parts.ledger, parts.failpoint
    topic = parts.sources[delivery.topic]
    message = decode(topic, delivery.value)
    failpoint(FailpointName.LEDGER_TAKEN)
    key = delivery.key or b""
    old = _record(key, parts)
    applied = {} if old is None else old.applied
    if applied.get(topic.part, -1) >= delivery.offset:
        return
    decision = ledger.decide(old, message)
    if decision.record is old and not decision.outputs:
        return
    failpoint(FailpointName.LEDGER_DECIDED)
    if decision.record is not None and decision.record.key.encode() != key:
        raise Invalid("The Kafka key of this message is not that of its record.")
    await parts.sender.send(decision.outputs, between=FailpointName.LEDGER_BETWEEN_OUTPUTS)
    failpoint(FailpointName.LEDGER_OUTPUTS_ACKNOWLEDGED)
    if decision.record is None:
        return
    new = msgspec.structs.replace(
        decision.record,
        version=(0 if old is None else old.version) + 1,
        applied={**applied, topic.part: delivery.offset},
    )
    await _put(new, key, delivery.partition, parts)


async def _put(record: Record, key: bytes, partition: int, parts: LedgerParts) -> None:
    def acknowledged() -> None:
        parts.failpoint(FailpointName.LEDGER_CHANGELOG_ACKNOWLEDGED)

    parts.failpoint(FailpointName.LEDGER_BEFORE_PUT)
    try:
        await parts.table.put(
            parts.ledger.records, key, encode(record), partition, sender=parts.sender, acknowledged=acknowledged
        )
    except (Unavailable, Refused) as error:
        # Trying again is for the next life: whether the broker has this record is not known.
        log.error(
            LogEvent.RECORD_NOT_ACKNOWLEDGED,
            stage=parts.ledger.name, key=printable_key(key), version=record.version, error_type=type(error).__name__,
        )  # fmt: skip
        parts.end(ExitCode.UNRECORDED)
    parts.failpoint(FailpointName.LEDGER_STORED)


def _record(key: bytes, parts: LedgerParts) -> Record | None:
    stored = parts.table.read(key)
    if stored is None:
        return None
    try:
        return cast("Record", decode(parts.ledger.records, stored))
    except Undecodable:
        # The message is not to blame, so it must not become a dead letter.
        log.error(LogEvent.RECORD_UNREADABLE, stage=parts.ledger.name, key=printable_key(key))
        parts.end(ExitCode.REFUSED)


def _no_fact(_sentence: str, _at_ms: int) -> Message | None:
    """A decision that raises is a bug; there is nobody but the ledger itself whom a fact could tell."""
    return None
