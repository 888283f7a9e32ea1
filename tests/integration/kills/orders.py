"""Orders to kill at a named point, given by a test and taken by whichever worker of the role passes it."""

import fcntl
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from streams.flow import Role


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Kill once at this point.

    Attributes:
        nth: At which passing from now on, counted over all workers of the role.
        victim: The process to kill; None for the one that passes.
    """

    role: Role
    point: str
    nth: int = 1
    victim: int | None = None

    @property
    def name(self) -> str:
        return f"{self.role} {self.point}"


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """Says that an order was carried out, and by which process."""

    pid: int
    point: str


@dataclass(frozen=True)
class Orders:
    """A folder that tests and workers share: orders, markers, and a line for every point that was passed."""

    folder: Path

    @property
    def _passed(self) -> Path:
        return self.folder / "passed"

    def _order(self, order: str) -> Path:
        return self.folder / f"{order}.order"

    def _marker(self, order: str) -> Path:
        return self.folder / f"{order}.marker"

    def clear(self) -> None:
        """Forget what was passed and done; nothing may be on order any more."""
        assert not list(self.folder.glob("*.order")), "an order was given that nobody took"
        for path in (self._passed, *self.folder.glob("*.marker")):
            path.unlink(missing_ok=True)

    def give(self, order: Order) -> None:
        with self._alone():
            self._order(order.name).write_bytes(msgspec.json.encode(order))

    def carried_out(self, order: Order) -> Marker | None:
        """By whom, or None for not yet."""
        path = self._marker(order.name)
        return msgspec.json.decode(path.read_bytes(), type=Marker) if path.exists() else None

    def passed(self) -> Counter[tuple[Role, str]]:
        """How often the workers of each role passed each point, killed passings included."""
        lines = self._passed.read_text().splitlines() if self._passed.exists() else []
        return Counter((Role(role), point) for role, point in (line.split(" ", 1) for line in lines))

    def note(self, role: Role, point: str) -> None:
        """Write down that a point is passed."""
        with self._passed.open("a") as file:
            file.write(f"{role} {point}\n")

    def take(self, role: Role, point: str) -> Order | None:
        """The order that this passing has to carry out; its marker is on the disk then."""
        name = f"{role} {point}"
        if not self._order(name).exists():
            return None
        with self._alone():
            path = self._order(name)
            if not path.exists():
                return None  # another worker was first
            order = msgspec.json.decode(path.read_bytes(), type=Order)
            if order.nth > 1:
                path.write_bytes(msgspec.json.encode(msgspec.structs.replace(order, nth=order.nth - 1)))
                return None
            with self._marker(name).open("wb") as file:
                file.write(msgspec.json.encode(Marker(pid=os.getpid(), point=point)))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            return order

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
