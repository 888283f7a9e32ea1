"""How a bench says what it measured: a table for people, or one JSON object for programs."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from typing import TypeAlias

Figure: TypeAlias = "int | float | str | bool | list[Figure] | dict[str, Figure] | None"

_SHORT = 4


def conditions() -> str:
    """What a figure depends on most."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"{os.cpu_count()} cores, load average {load}"


def parser(description: str | None) -> argparse.ArgumentParser:
    """A bench's own arguments go on top of `--json`."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return made


def progress(line: str) -> None:
    """Says how far the bench is; never on standard output."""
    print(line, file=sys.stderr, flush=True)


def report(figures: Mapping[str, Figure], *, as_json: bool, table: str | None = None) -> None:
    """Prints the figures: as one JSON object, or as `table`, or else one figure a line."""
    if as_json:
        print(json.dumps(figures))
    elif table is not None:
        print(table)
    else:
        width = max(map(len, figures))
        print("\n".join(f"{name:<{width}}  {_plain(value)}" for name, value in figures.items()))


def _plain(value: Figure) -> str:
    return f"{value:.{_SHORT}g}" if isinstance(value, float) else str(value)
