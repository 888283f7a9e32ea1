"""The embedded ClickHouse engine: one folder, one process, a handle for each statement that runs."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chdb

from infra.embedded.clickhouse_server.errors import ClickHouseError, EngineError

# The embedded engine reads `1 + 1` as `SELECT 1 + 1`; ClickHouse's server does not.
_SERVER_LIKE = {"implicit_select": "0"}
# Handles kept for the next SELECT that asks for the same: of a few clients with a few searches each.
_KEPT_HANDLES = 16
# The engine takes its path as a URL and an INSERT's file name as a pattern.
_UNUSABLE_IN_PATHS = frozenset("?*{}|'\\")


# A handle's database and settings, in their order.
_Wanted = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Job:
    """One statement with all that it depends on.

    Attributes:
        sql: the statement.
        default_format: the format of rows if the statement names none.
        database: where unqualified names are looked up.
        parameters: values of `{name:Type}`.
        settings: settings for this statement alone.
        readonly: 0, 1 or 2.
        leaves_nothing: whether its handle is afterwards as it was before, as a SELECT's is.
    """

    sql: bytes
    default_format: str
    database: str
    parameters: Mapping[str, str]
    settings: Mapping[str, str]
    readonly: int
    leaves_nothing: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished statement.

    Attributes:
        data: the rows in the asked format. They lie in the engine's memory, so they are valid while this object lives.
        summary: what ClickHouse counts.
        owner: what keeps `data` alive; the view itself does not.
    """

    data: memoryview
    summary: Mapping[str, str]
    owner: object


class Engine:
    """Owner of one engine folder. Never fork after opening it.

    A handle with its database and settings costs 0.35 ms, and several times that behind a large scan (measured), so the
    next SELECT with the same ones gets that of a SELECT before. Every other statement's is closed behind it, so that a
    SET or USE cannot reach another request. Calls from several threads run side by side.

    Raises:
        ClickHouseError: if the folder cannot be opened, for example because another process owns it.
    """

    def __init__(self, folder: Path) -> None:
        folder = folder.resolve()
        if _UNUSABLE_IN_PATHS & set(str(folder)):
            raise ClickHouseError(36, "BAD_ARGUMENTS", f"The path {folder} has one of the characters ? * {{ }} | ' \\")
        folder.mkdir(parents=True, exist_ok=True)
        self._path = str(folder)
        self._kept: list[tuple[_Wanted, Any]] = []
        self._keeping = threading.Lock()
        # The engine lives as long as any handle does.
        try:
            self._keeper = self._open()
        except EngineError as error:
            # The engine prints its own reason to stderr; what it raises does not name it.
            sentence = f"The folder {folder} cannot be opened: stop the other process that uses it"
            raise ClickHouseError(76, "CANNOT_OPEN_FILE", sentence) from error
        self._use_plain_default_database(folder)
        self.version = self._ask("SELECT version()")
        self.timezone = self._ask("SELECT timezone()")
        self.compresses_by_default = self._ask("SELECT getSetting('enable_http_compression')") in ("1", "true")

    def run(self, job: Job) -> Answer:
        """Run one statement and wait for its whole answer.

        Raises:
            ClickHouseError: whatever the engine says.
        """
        settings = {**_SERVER_LIKE, **job.settings}
        # readonly comes last: it forbids the settings behind it.
        if job.readonly:
            settings["readonly"] = str(job.readonly)
        wanted = (job.database, tuple(settings.items()))
        kept = self._take(wanted) if job.leaves_nothing else None
        handle = self._open() if kept is None else kept
        try:
            if kept is None:
                _prepare(handle, *wanted)
            answer = _answer(handle.query(job.sql, job.default_format, params=dict(job.parameters)))
        except BaseException as error:
            handle.close()
            if isinstance(error, RuntimeError):
                raise EngineError(str(error)) from error
            raise
        if job.leaves_nothing:
            self._keep(wanted, handle)
        else:
            handle.close()
        return answer

    def close(self) -> None:
        """Close the engine. No statement may be running."""
        for _, handle in self._kept:
            handle.close()
        self._keeper.close()

    def _take(self, wanted: _Wanted) -> Any | None:  # noqa: ANN401 - as `_open`
        with self._keeping:
            for place, (prepared, handle) in enumerate(self._kept):
                if prepared == wanted:
                    del self._kept[place]
                    return handle
        return None

    def _keep(self, wanted: _Wanted, handle: Any) -> None:  # noqa: ANN401 - as `_open`
        """Keeps it in place of the one that was kept for the longest time, if there are too many."""
        with self._keeping:
            self._kept.append((wanted, handle))
            oldest = self._kept.pop(0) if len(self._kept) > _KEPT_HANDLES else None
        if oldest is not None:
            oldest[1].close()

    def _use_plain_default_database(self, folder: Path) -> None:
        """Put ClickHouse's own kind of database in place of the embedded engine's `default`.

        The embedded one is an overlay in which a table that does not exist is looked for among this machine's files.
        Detaching removes nothing from the disk, so a kill between any two steps does no harm.
        """
        definition, link = folder / "metadata" / "default.sql", folder / "metadata" / "default"
        self._ask("DETACH DATABASE default")
        if definition.exists() and link.is_symlink():
            self._ask("ATTACH DATABASE default")
            return
        # The link appears with the database's first table. Without it the database is empty, and the engine cannot
        # attach it; so the link is made here.
        definition.unlink(missing_ok=True)
        self._ask("CREATE DATABASE default ENGINE = Atomic")
        self._ask("CREATE TABLE default.first (a UInt8) ENGINE = Memory")
        self._ask("DROP TABLE default.first SYNC")

    def _open(self) -> Any:  # noqa: ANN401 - the engine's library has no types
        try:
            return chdb.connect(self._path)
        except RuntimeError as error:
            raise EngineError(str(error)) from error

    def _ask(self, sql: str) -> str:
        try:
            return str(self._keeper.query(sql, "TabSeparated").bytes().decode().strip())
        except RuntimeError as error:
            raise EngineError(str(error)) from error


def quoted(value: str) -> str:
    """`value` as a ClickHouse string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quoted_name(name: str) -> str:
    """`name` as a ClickHouse identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _prepare(handle: Any, database: str, settings: Iterable[tuple[str, str]]) -> None:  # noqa: ANN401 - as below
    handle.query(f"USE {quoted_name(database)}")
    handle.query("SET " + ", ".join(f"{name} = {quoted(value)}" for name, value in settings))


def _answer(result: Any) -> Answer:  # noqa: ANN401 - the engine's library has no types
    owner = result.get_memview()
    data = owner.view() if result.size() else memoryview(b"")
    summary = {
        "read_rows": result.storage_rows_read(),
        "read_bytes": result.storage_bytes_read(),
        "written_rows": result.rows_written(),
        "written_bytes": result.bytes_written(),
        "result_rows": result.rows_read(),
        "result_bytes": result.size(),
        "elapsed_ns": int(result.elapsed() * 1e9),
    }
    return Answer(data, {name: str(count) for name, count in summary.items()}, (result, owner))
