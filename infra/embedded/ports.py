"""Loopback ports: which are free, and which this data directory uses."""

import random
import socket
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import msgspec

from infra.embedded.errors import EmbeddedError
from infra.embedded.private_file import write_private

LOOPBACK = "127.0.0.1"
# SeaweedFS listens for gRPC on each port + 10000.
GRPC_OFFSET = 10_000
# Port and port + 10000 both lie below Linux's first port for outgoing connections (32768): none of those sits there.
_FIRST, _LAST = 11_000, 22_000
_TRIES = 1_000


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The base ports of the stack; 0 means "a free one, the same at the next start".

    Each ``s3*`` port takes port + 10000 too.
    """

    kafka: int = 0
    kafka_controller: int = 0
    clickhouse: int = 0
    s3: int = 0
    s3_filer: int = 0
    s3_master: int = 0
    s3_volume: int = 0
    s3_admin: int = 0


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def taken_by(name: str, port: int) -> list[int]:
    """All ports that the field ``name`` of ``Ports`` uses when it is ``port``."""
    return [port, port + GRPC_OFFSET] if name.startswith("s3") else [port]


def settle(wanted: Ports, remembered: Ports, draw: random.Random) -> Ports:
    """Fill the zeros of ``wanted``: with the remembered port if it is free, else with a drawn free one.

    Wanted ports are taken as they are; whether they are free shows at the start of their service.

    Raises:
        EmbeddedError: no free port was found.
    """
    settled: dict[str, int] = {}
    used: set[int] = set()
    names = [field.name for field in fields(Ports)]
    for name in sorted(names, key=lambda name: getattr(wanted, name) == 0):
        port = getattr(wanted, name) or _choose(name, getattr(remembered, name), used, draw)
        settled[name] = port
        used.update(taken_by(name, port))
    return Ports(**settled)


def free_port(draw: random.Random) -> int:
    """A free loopback port, out of the way of outgoing connections.

    Raises:
        EmbeddedError: none was found.
    """
    return _choose("", 0, set(), draw)


def _choose(name: str, remembered: int, used: set[int], draw: random.Random) -> int:
    candidates = [remembered] if remembered else []
    candidates.extend(draw.randrange(_FIRST, _LAST) for _ in range(_TRIES))
    for candidate in candidates:
        needed = taken_by(name, candidate)
        if not used.intersection(needed) and all(is_free(port) for port in needed):
            return candidate
    raise EmbeddedError(f"no free port was found between {_FIRST} and {_LAST}; stop programs that listen there.")


def load(path: Path) -> Ports:
    """Read remembered ports; all zero when there are none."""
    if not path.exists():
        return Ports()
    return msgspec.json.decode(path.read_bytes(), type=Ports)


def save(path: Path, ports: Ports) -> None:
    """Remember ports."""
    write_private(path, msgspec.json.encode(asdict(ports)))
