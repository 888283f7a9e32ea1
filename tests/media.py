"""Footage and models that several tests share, each made once in a run, also over several test processes."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.demo_media import SHOTS as RACE_SHOTS
from infra.demo_media import Race, Shot, build_race, move_moov, race_truth


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this test run share."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(path: Path, make: Callable[[Path], object]) -> Path:
    """Returns `path`, made by the first of all callers; `make` must write it whole or not at all."""
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            make(path)
    return path


def shared_race(folder: Path, *, moov_first: bool = True, shots: tuple[Shot, ...] = RACE_SHOTS) -> Race:
    """The race in `folder`, built where it is not there yet; both places of the header hold the same pictures."""
    front = made_once(folder / "race-moov-first.mp4", lambda path: build_race(path, shots=shots))
    behind = folder / "race-moov-behind.mp4"
    path = front if moov_first else made_once(behind, lambda path: move_moov(front, path, moov_first=False))
    truth = race_truth(shots)
    return Race(path, truth[-1].end_ms, truth)
