"""What a command says: tables and progress for people, one JSON value for programs."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

JsonFlag = Annotated[bool, typer.Option("--json", help="Print machine-readable output alone on stdout.")]


class Output:
    """One command's voice. With `as_json`, stdout carries one JSON value and nothing else; people read stderr."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._people = Console(stderr=as_json, highlight=False)

    def say(self, text: str) -> None:
        """A line for people."""
        self._people.print(text, markup=False, soft_wrap=True)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table for people."""
        table = Table(title=title, title_justify="left")
        for column in columns:
            table.add_column(column, overflow="fold")  # a narrow terminal must not cost the end of a sentence
        for row in rows:
            table.add_row(*("" if cell is None else str(cell) for cell in row))
        self._people.print(table)

    def result(self, value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """The value for programs."""
        if self.as_json:
            sys.stdout.write(json.dumps(value) + "\n")
            sys.stdout.flush()  # whoever reads a pipe waits for this, and the command may run on

    @contextmanager
    def progress(self, label: str, total: float | None = None, *, in_bytes: bool = False) -> Iterator["Meter"]:
        """A progress bar while it lasts; on a pipe nothing is drawn."""
        columns = [TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()]
        if in_bytes:
            columns.insert(2, DownloadColumn())
        with Progress(*columns, console=self._people, transient=True, disable=not self._people.is_terminal) as bar:
            yield Meter(bar, bar.add_task(label, total=total))


class Meter:
    """One bar of a progress display."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar = bar
        self._task = task

    def reach(self, done: float, total: float | None = None, label: str | None = None) -> None:
        """Show that `done` of `total` is done."""
        self._bar.update(self._task, completed=done, total=total, description=label)
