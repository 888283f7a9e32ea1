"""How much memory processes hold, as Linux counts it under /proc."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

KIB = 1024
MIB = 1024 * KIB
_PROC = Path("/proc")


def with_descendants(pid: int) -> Iterator[int]:
    """The process and everything that it started, as far as it still runs.

    Until a started process runs a program of its own its memory is that of the process that started it: it is left out,
    or what a worker holds would count once more for a moment, and for ever in a peak.
    """
    yield pid
    try:
        tasks = list((_PROC / str(pid) / "task").iterdir())
        children = [int(each) for task in tasks for each in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return  # it has just ended
    own = _command_line(pid)
    for child in children:
        if _command_line(child) != own:
            yield from with_descendants(child)


def pss_bytes(pid: int) -> int:
    """Proportional set size: a page that three processes share counts a third for each, so that sums are true."""
    return _kib(_PROC / str(pid) / "smaps_rollup", "Pss:") * KIB


def peak_rss_bytes(pid: int) -> int:
    """The largest resident set size that the process ever had; the kernel keeps it, so that no peak is missed."""
    return _kib(_PROC / str(pid) / "status", "VmHWM:") * KIB


def _kib(path: Path, name: str) -> int:
    try:
        lines = path.read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has just ended
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)


@dataclass
class Peaks:
    """What was seen of a set of process trees.

    Attributes:
        pss: Process -> its share of memory at the moment when the sum was largest, bytes.
        peak_rss: Process -> its own largest resident set, bytes.
        label: Process -> what it is.
    """

    pss: Mapping[int, int] = field(default_factory=dict)
    peak_rss: dict[int, int] = field(default_factory=dict)
    label: dict[int, str] = field(default_factory=dict)

    @property
    def largest_pss_sum(self) -> int:
        """Bytes."""
        return sum(self.pss.values())

    @property
    def sum_of_peak_rss(self) -> int:
        """Bytes; at least what all of them ever held at one moment."""
        return sum(self.peak_rss.values())


class Watch:
    """Looks at process trees every so often while a block runs."""

    def __init__(self, roots: Mapping[str, int], *, every_s: float = 0.2) -> None:
        """Watch `roots`, by label, and whatever they start; a started one is labelled after its root."""
        self.roots = dict(roots)
        self.peaks = Peaks()
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            self._look()

    def _look(self) -> None:
        pss: dict[int, int] = {}
        roots = set(self.roots.values())
        for name, root in list(self.roots.items()):
            for pid in with_descendants(root):
                if pid in pss or (pid != root and pid in roots):
                    continue
                self.peaks.label.setdefault(pid, name)
                pss[pid] = pss_bytes(pid)
                self.peaks.peak_rss[pid] = max(peak_rss_bytes(pid), self.peaks.peak_rss.get(pid, 0))
                # Anew each time: roots become known while they run, and some programs start another in their place.
                program = _program(pid)
                if program is not None:
                    self.peaks.label[pid] = name if pid == root else f"{name}: {program}"
        if sum(pss.values()) > self.peaks.largest_pss_sum:
            self.peaks.pss = pss


def _command_line(pid: int) -> Sequence[str]:
    """Empty when it has ended, also when its parent has not looked yet."""
    try:
        line = (_PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ()
    return line.decode(errors="replace").split("\0") if line else ()


def _program(pid: int) -> str | None:
    words = _command_line(pid)
    if not words:
        return None
    for word in words:
        if "spawn_main" in word:
            return "child"
        if "resource_tracker" in word:
            return "resource tracker"
        if word.endswith("guardian.py"):
            return "guardian"
    return Path(words[0]).name
