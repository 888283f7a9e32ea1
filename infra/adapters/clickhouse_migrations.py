"""The database and its numbered migrations: each is applied once, in order, and recorded in a table."""

import re
from collections.abc import Sequence
from pathlib import Path

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from infra.adapters.change import Change, ProvisionError
from infra.adapters.clickhouse_errors import translated
from infra.adapters.settings import ClickHouseSettings
from streams.outcomes import TryLater, Unavailable

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"
_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_ANSWER_WITHIN_S = 60
_RECORDED = """
CREATE TABLE IF NOT EXISTS migrations (number UInt32, name String, applied_at DateTime DEFAULT now())
ENGINE = MergeTree ORDER BY number
"""


def migrate(settings: ClickHouseSettings, folder: Path = MIGRATIONS) -> list[Change]:
    """Make the database and apply what is not yet applied.

    A migration that was killed half-way is applied again: each must be repeatable by itself (`IF NOT EXISTS`).

    Raises:
        ProvisionError: ClickHouse does not answer or refuses.
    """
    try:
        with translated("the tables were being made"):
            return _migrate(settings, folder)
    except (Unavailable, TryLater) as error:
        raise ProvisionError(str(error)) from error


def _migrate(settings: ClickHouseSettings, folder: Path) -> list[Change]:
    changes: list[Change] = []
    # Not into the database: it may not be there yet, and ClickHouse refuses to be opened in one that is missing.
    server = _client(settings, None)
    try:
        if not server.query("EXISTS DATABASE {name:Identifier}", {"name": settings.database}).result_rows[0][0]:
            server.command("CREATE DATABASE IF NOT EXISTS {name:Identifier}", {"name": settings.database})
            changes.append(Change(f"ClickHouse database {settings.database}", "created"))
    finally:
        server.close()
    client = _client(settings, settings.database)
    try:
        client.command(_RECORDED)
        applied = {row[0] for row in client.query("SELECT DISTINCT number FROM migrations").result_rows}
        for number, path in _files(folder):
            if number in applied:
                continue
            for statement in _statements(path.read_text(encoding="utf-8")):
                client.command(statement)
            client.command(
                "INSERT INTO migrations (number, name) VALUES ({number:UInt32}, {name:String})",
                {"number": number, "name": path.name},
            )
            changes.append(Change(f"ClickHouse database {settings.database}", f"{path.name} applied"))
    finally:
        client.close()
    return changes


def _client(settings: ClickHouseSettings, database: str | None) -> Client:
    return clickhouse_connect.get_client(
        host=settings.host,
        port=settings.port,
        interface="https" if settings.secure else "http",
        username=settings.user,
        password=settings.password,
        database=database or "default",
        send_receive_timeout=_ANSWER_WITHIN_S,
        autogenerate_session_id=False,
    )


def _files(folder: Path) -> Sequence[tuple[int, Path]]:
    named = [(_NAME.fullmatch(path.name), path) for path in sorted(folder.glob("*.sql"))]
    return [(int(name[1]), path) for name, path in named if name is not None]


def _statements(text: str) -> list[str]:
    """The statements of a file; one ends with a semicolon at the end of a line. What is only a comment is none."""
    return [part.strip() for part in re.split(r";[ \t]*(?:\n|$)", text) if re.sub(r"--.*", "", part).strip()]
