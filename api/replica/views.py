"""Reads of the replica's file: points and short lists, made on the loop through a connection of its own."""

import sqlite3
from pathlib import Path
from typing import NamedTuple

from api.replica.store import LEDGER_OF
from schemas.base import Message
from schemas.codec import decode
from schemas.topics import Topic

_COMMANDS_OF = {ledger: commands for commands, ledger in LEDGER_OF.items()}


class Reading(NamedTuple):
    """What the replica knows of one record.

    Attributes:
        record: The ledger's record, or None.
        pending: Commands seen that the record has not taken in yet, oldest first.
    """

    record: Message | None
    pending: tuple[Message, ...]


class KnownKey(NamedTuple):
    """An API key as authentication sees it."""

    key_hash: str
    org_id: int
    active: bool


class ReplicaViews:
    """Reads. A point read takes some tens of microseconds, so it is made where it is needed, on the loop."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA query_only=ON")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def read(self, ledger: Topic, key: str) -> Reading:
        """One record and what is pending on it."""
        row = self._db.execute("SELECT value FROM records WHERE topic = ? AND key = ?", (ledger.name, key)).fetchone()
        pending = self._db.execute(
            "SELECT value FROM pending WHERE topic = ? AND key = ? ORDER BY offset", (ledger.name, key)
        )
        commands = _COMMANDS_OF[ledger]
        return Reading(decode(ledger, row[0]) if row else None, tuple(decode(commands, value) for (value,) in pending))

    def below(self, ledger: Topic, parent: int) -> list[Message]:
        """The records listed under a parent, by key."""
        rows = self._db.execute(
            "SELECT value FROM records WHERE topic = ? AND parent = ? ORDER BY key", (ledger.name, parent)
        )
        return [decode(ledger, value) for (value,) in rows]

    def with_prefix(self, ledger: Topic, prefix: str) -> list[Message]:
        """The records whose key starts with this text, by key."""
        rows = self._db.execute(
            "SELECT value FROM records WHERE topic = ? AND key >= ? AND key < ? ORDER BY key",
            (ledger.name, prefix, prefix + "\U0010ffff"),
        )
        return [decode(ledger, value) for (value,) in rows]

    def key(self, key_hash: str) -> KnownKey | None:
        """The API key with this hash."""
        row = self._db.execute(
            "SELECT key_hash, org_id, active FROM api_keys WHERE key_hash = ?", (key_hash,)
        ).fetchone()
        return KnownKey(row[0], row[1], bool(row[2])) if row else None
