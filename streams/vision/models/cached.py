"""Files that take a while to make, in a cache directory: each is whole or counts as missing."""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path


def is_whole(path: Path) -> bool:
    """Tells whether `path` holds the bytes that `made_once` put there."""
    try:
        note = json.loads(note_path(path).read_bytes())
        return bool(hashlib.sha256(path.read_bytes()).hexdigest() == note["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return False  # nothing there, or not ours: it is made again


def made_once(path: Path, make: Callable[[], bytes], about: Mapping[str, str]) -> Path:
    """Returns `path`, made where it is missing or damaged, with a note beside it: its sha256 and `about`.

    Safe to end between any two steps: the file appears whole, and without its note it counts as missing. Of several
    processes at once one makes it and the others wait; the lock ends with its process.

    Raises:
        OSError: the directory cannot be written.
    """
    if is_whole(path):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_whole(path):
            data = make()
            _replace(path, data)
            note = {"sha256": hashlib.sha256(data).hexdigest(), **about}
            _replace(note_path(path), json.dumps(note, indent=1, sort_keys=True).encode())
    return path


def note_path(path: Path) -> Path:
    """Where the note about a file is."""
    return path.with_suffix(".json")


def _replace(path: Path, data: bytes) -> None:
    # One name for all, as only the holder of the lock writes: what a killed process left is written over.
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
