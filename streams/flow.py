"""The two kinds of thing the pipeline is made of: ledgers, which decide, and stages, which work. Neither sends."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from schemas.base import Message
from schemas.records import Record
from schemas.topics import Topic


class Role(StrEnum):
    """One Faust app, consumer group and process each: a dependency that is down stops only those who need it."""

    LEDGER = "ledger"
    MATCH = "match"
    INDEX = "index"
    RENDER = "render"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a ledger makes of a message: the record as it now is, and what must be sent before it is kept.

    The same record object as before, and nothing to send, means that the message changes nothing.
    """

    record: Record | None
    outputs: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """The one writer of a kind of record.

    Attributes:
        decide: Pure: no clock, no randomness, no I/O. The same record and message give the same decision. The shell
            sets `version` and `applied`.
        expire: Pure: the command by which a record past its deadline is given up at `now_ms`, or None.
    """

    name: str
    commands: Topic
    facts: Topic | None
    records: Topic
    decide: Callable[[Any, Any], Decision]
    expire: Callable[[Any, int], Message | None]


@dataclass(frozen=True, slots=True)
class Stage:
    """One kind of work: a message in, messages out. Done when it returns; else see `outcomes`.

    Attributes:
        handle: The work. May be repeated with the same message at any time, and then gives equal messages or ones that
            a ledger ignores.
        failure: The fact by which a ledger learns that this message can never be done: message, sentence, wall clock.
            None where a ledger has nothing to do then.
    """

    name: str
    role: Role
    source: Topic
    handle: Callable[[Any], Awaitable[Sequence[Message]]]
    failure: Callable[[Any, str, int], Message | None]
