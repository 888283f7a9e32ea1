import hashlib
import json
import multiprocessing
import os
from pathlib import Path

import pytest

from streams.vision.models.cached import is_whole, made_once, note_path

DATA = bytes(range(256)) * 40


class Killed(BaseException):
    """As a signal: nothing of ours catches it."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "model.onnx"


def make(path: Path) -> Path:
    return made_once(path, lambda: DATA, {"source": "package==1"})


def test_a_file_is_made_once_with_a_note_beside_it(path: Path) -> None:
    calls = []
    for _ in range(2):
        made_once(path, lambda: calls.append(1) or DATA, {"source": "package==1"})
    assert calls == [1]
    assert path.read_bytes() == DATA
    note = json.loads(note_path(path).read_bytes())
    assert note == {"sha256": hashlib.sha256(DATA).hexdigest(), "source": "package==1"}


@pytest.mark.parametrize("damage", [DATA[:-1], b"", DATA + b"x"])
def test_a_damaged_file_is_made_anew(path: Path, damage: bytes) -> None:
    make(path).write_bytes(damage)
    assert not is_whole(path)
    assert make(path).read_bytes() == DATA


@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b'{"sha256": 1}', b"\xff"])
def test_a_damaged_note_counts_as_none(path: Path, damage: bytes) -> None:
    note_path(make(path)).write_bytes(damage)
    assert not is_whole(path)
    make(path)
    assert is_whole(path)


@pytest.mark.parametrize("step", range(7))
def test_a_kill_at_any_step_leaves_a_file_that_is_whole_or_counts_as_missing(
    path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps: the data made; each file opened to write, synced, put in its place."""
    left = [step]

    def passing(real: object) -> object:
        def call(*args: object, **kwargs: object) -> object:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return real(*args, **kwargs)  # type: ignore[operator]

        return call

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", passing(os.fsync))
        patched.setattr(Path, "replace", passing(Path.replace))
        patched.setattr(json, "dumps", passing(json.dumps))
        patched.setattr(hashlib, "sha256", passing(hashlib.sha256))
        if step < 6:
            with pytest.raises(Killed):
                make(path)
            assert not is_whole(path)
        else:
            make(path)
    assert make(path).read_bytes() == DATA
    assert is_whole(path)
    assert sorted(file.name for file in path.parent.iterdir()) == ["model.json", "model.lock", "model.onnx"]


def build(path: Path, calls: Path, start: object) -> None:
    start.wait()  # type: ignore[attr-defined]

    def data() -> bytes:
        with calls.open("a") as file:
            file.write("x")
        return DATA

    made_once(path, data, {})


def test_of_builders_at_one_time_one_builds(path: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Event()
    builders = [context.Process(target=build, args=(path, tmp_path / "calls", start)) for _ in range(3)]
    for builder in builders:
        builder.start()
    start.set()
    for builder in builders:
        builder.join(timeout=60)
        assert builder.exitcode == 0
    assert (tmp_path / "calls").read_text() == "x"
    assert is_whole(path)
