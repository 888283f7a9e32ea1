"""Which ports a stack gets."""

import random
import socket
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from infra.embedded.errors import EmbeddedError
from infra.embedded.ports import GRPC_OFFSET, Ports, is_free, load, save, settle, taken_by


def draw() -> random.Random:
    return random.Random(7)  # noqa: S311 - a repeatable draw is wanted


def listening(port: int = 0) -> socket.socket:
    server = socket.socket()
    server.bind(("127.0.0.1", port))
    server.listen()
    return server


def test_all_ports_differ_with_their_grpc_ports() -> None:
    used = [port for name, base in asdict(settle(Ports(), Ports(), draw())).items() for port in taken_by(name, base)]
    assert len(used) == 13
    assert len(set(used)) == 13
    assert all(is_free(port) for port in used)


def test_a_wanted_port_is_kept_and_no_other_meets_it() -> None:
    first = settle(Ports(), Ports(), draw())
    # The same draw would give the first port again.
    second = settle(Ports(clickhouse=first.kafka), Ports(), draw())
    assert second.clickhouse == first.kafka
    assert second.kafka != first.kafka


def test_a_remembered_port_is_used_again_while_it_is_free() -> None:
    first = settle(Ports(), Ports(), draw())
    again = asdict(settle(Ports(), first, random.Random(8)))  # noqa: S311
    # Other programs of this machine may have taken one meanwhile.
    for name, port in asdict(first).items():
        assert again[name] == port or not all(is_free(taken) for taken in taken_by(name, port))


def test_a_remembered_port_that_is_taken_is_replaced() -> None:
    first = settle(Ports(), Ports(), draw())
    with listening(first.s3 + GRPC_OFFSET):
        second = settle(Ports(), first, random.Random(8))  # noqa: S311
    assert second == replace(first, s3=second.s3)
    assert second.s3 != first.s3


def test_no_free_port_is_a_sentence() -> None:
    class Stuck(random.Random):
        def randrange(self, *_range: int) -> int:
            return port

    with listening() as server:
        port = server.getsockname()[1]
        with pytest.raises(EmbeddedError, match="no free port"):
            settle(Ports(), Ports(), Stuck())


def test_ports_are_remembered_in_a_file(tmp_path: Path) -> None:
    assert load(tmp_path / "ports.json") == Ports()
    save(tmp_path / "ports.json", Ports(kafka=1, s3=2))
    assert load(tmp_path / "ports.json") == Ports(kafka=1, s3=2)
