"""`spotclip up` where it cannot start. (Where it can: tests/integration/test_up.py.)"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.directory_lock import DirectoryLock
from tests.infra.cli.conftest import Spotclip


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The command takes SIGTERM for itself; here the process goes on."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_data_directory_in_use_is_one_sentence_and_nothing_is_started(spotclip: Spotclip, tmp_path: Path) -> None:
    """Its owner runs on undisturbed."""
    data = tmp_path / "data"
    with DirectoryLock(data):
        ran = spotclip("up", "--data", data)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith(f"spotclip: {data} is in use by process ")
        assert len(ran.err.splitlines()) == 1
        assert [path.name for path in data.iterdir()] == ["lock"]


def test_a_ready_file_that_cannot_be_written_is_told_before_anything_starts(spotclip: Spotclip, tmp_path: Path) -> None:
    """Not after a minute of starting."""
    ran = spotclip("up", "--data", tmp_path / "data", "--ready-file", tmp_path / "none" / "ready.json")
    assert (ran.code, ran.out) == (1, "")
    assert "name another ready file" in ran.err
    assert not (tmp_path / "data").exists()
