"""The replica's file: SQLite, rows and offsets in one transaction. Written by the following thread alone."""

import fcntl
import logging
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from api.ports import Batch, LogRecord, Partition
from schemas.base import Message
from schemas.catalog import CreateEvent, CreateOrganisation, EventRecord, OrganisationRecord
from schemas.codec import Undecodable, decode
from schemas.records import Record
from schemas.searches import AbandonSearch, SubmitSearch
from schemas.topics import CATALOG, CATALOG_COMMANDS, SEARCH_COMMANDS, SEARCHES, VIDEO_COMMANDS, VIDEOS, Topic
from schemas.videos import RegisterVideo, VideoRecord

_log = logging.getLogger(__name__)

LEDGERS = (CATALOG, VIDEOS, SEARCHES)
LEDGER_OF = {CATALOG_COMMANDS: CATALOG, VIDEO_COMMANDS: VIDEOS, SEARCH_COMMANDS: SEARCHES}
FOLLOWED: tuple[Topic, ...] = (*LEDGERS, *LEDGER_OF)

# Counts changes of the tables below; a file of another count is emptied and filled again from the log.
SCHEMA = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS log (identity TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS offsets (
    topic TEXT NOT NULL, number INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (topic, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (
    topic TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, applied INTEGER NOT NULL, parent INTEGER,
    value BLOB NOT NULL, PRIMARY KEY (topic, key));
CREATE INDEX IF NOT EXISTS records_by_parent ON records (topic, parent, key);
CREATE TABLE IF NOT EXISTS pending (
    topic TEXT NOT NULL, key TEXT NOT NULL, offset INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (topic, key, offset)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS api_keys (
    key_hash TEXT PRIMARY KEY, org_id INTEGER NOT NULL, active INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS api_keys_by_org ON api_keys (org_id);
"""
_CONTENT = ("log", "offsets", "records", "pending", "api_keys")

Touched = set[tuple[Topic, str]]
"""Ledger topic and record key of everything that changed."""


class ReplicaInUse(Exception):
    """Another process has the file. It must not: each believes that the rows are as far as its own positions."""


class ReplicaStore:
    """Applies what the log brings. Every method raises `sqlite3.Error` when the disk fails."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        The connection is made where the API starts and then belongs to the following thread.

        Raises:
            ReplicaInUse: Another process has it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = path.with_name(f"{path.name}.lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise ReplicaInUse(f"{path} belongs to another process; give each API process a file of its own") from error
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        # A power cut may lose the last transactions, never half of one: they are read from the log again.
        self._db.execute("PRAGMA synchronous=NORMAL")
        if self._db.execute("PRAGMA user_version").fetchone() != (SCHEMA,):
            for table in _CONTENT:
                self._db.execute(f"DROP TABLE IF EXISTS {table}")
        self._db.executescript(_TABLES)
        self._db.execute(f"PRAGMA user_version={SCHEMA}")

    def close(self) -> None:
        """Close the file."""
        self._db.close()
        self._lock.close()

    def identity(self) -> str | None:
        """The log that the rows came from; None in a new file."""
        row = self._db.execute("SELECT identity FROM log").fetchone()
        return str(row[0]) if row else None

    def offsets(self) -> Mapping[Partition, int]:
        """The next offset to be read, of every partition read so far."""
        topics = {topic.name: topic for topic in FOLLOWED}
        rows = self._db.execute("SELECT topic, number, next FROM offsets")
        return {Partition(topics[name], number): offset for name, number, offset in rows if name in topics}

    def empty(self, identity: str) -> None:
        """Forget everything; what follows comes from this log."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            for table in _CONTENT:
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608  # names from the constant above
            self._db.execute("INSERT INTO log VALUES (?)", (identity,))

    def apply(self, batch: Batch) -> Touched:
        """Take a batch in, whole or not at all, and say what it touched."""
        touched: Touched = set()
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            for record in batch.records:
                self._take(record, touched)
            self._db.executemany(
                "INSERT INTO offsets VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next",
                [(each.topic.name, each.number, offset) for each, offset in batch.positions.items()],
            )
        return touched

    def _take(self, record: LogRecord, touched: Touched) -> None:
        try:
            message = decode(record.topic, record.value)
        except Undecodable as error:
            # The ledger sends such a command to the dead letters; a record is never one. Standing still would help
            # nobody, so it is passed over.
            _log.warning(
                "a message that cannot be read was passed over",
                extra={"partition": record.partition, "offset": record.offset, "reason": str(error)},
            )
            return
        if record.topic in LEDGER_OF:
            ledger = LEDGER_OF[record.topic]
            self._note_command(ledger, message, record)
        elif isinstance(message, Record):
            ledger = record.topic
            self._keep(ledger, message, record.value or b"")
        else:
            return
        touched.add((ledger, message.key))

    def _note_command(self, ledger: Topic, message: Message, record: LogRecord) -> None:
        # Only these make a record where there is none, or start one again; a ledger may leave any other unanswered.
        if not isinstance(message, SubmitSearch | AbandonSearch | RegisterVideo | CreateOrganisation | CreateEvent):
            return
        self._db.execute(
            "INSERT OR IGNORE INTO pending SELECT :topic, :key, :offset, :value WHERE NOT EXISTS "
            "(SELECT 1 FROM records WHERE topic = :topic AND key = :key AND applied >= :offset)",
            {"topic": ledger.name, "key": message.key, "offset": record.offset, "value": record.value},
        )

    def _keep(self, ledger: Topic, message: Record, value: bytes) -> None:
        applied = message.applied.get("commands", -1)
        changed = self._db.execute(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version, "
            "applied = excluded.applied, parent = excluded.parent, value = excluded.value "
            "WHERE excluded.version > version",
            (ledger.name, message.key, message.version, applied, _parent(message), value),
        ).rowcount
        if not changed:
            return
        self._db.execute(
            "DELETE FROM pending WHERE topic = ? AND key = ? AND offset <= ?", (ledger.name, message.key, applied)
        )
        if isinstance(message, OrganisationRecord):
            self._db.execute("DELETE FROM api_keys WHERE org_id = ?", (message.org_id,))
            self._db.executemany(
                "INSERT OR REPLACE INTO api_keys VALUES (?, ?, ?)",
                [(key.key_hash, message.org_id, key.active) for key in message.keys],
            )


def _parent(record: Record) -> int | None:
    """What a record is listed under: events under their organisation, videos under their event."""
    if isinstance(record, EventRecord):
        return record.org_id
    if isinstance(record, VideoRecord):
        return record.event_id
    return None
