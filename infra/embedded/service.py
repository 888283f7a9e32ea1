"""What the supervisor has to know about a program."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


def _nothing(_log: Path) -> None:
    return


@dataclass(frozen=True, kw_only=True)
class Service:
    """A program that runs until it is stopped, with the question that tells when it is ready.

    Attributes:
        name: names its log and pid file.
        argv: the program and its arguments.
        ready: whether it answers its own protocol; may block for about a second, raises nothing. Called from the
            service's own thread.
        env: environment variables on top of the supervisor's; may hold secrets (never logged).
        ports: loopback ports that it will listen on; a taken one stops the start with a sentence.
        needs: names of services that must be ready before it starts; they are stopped after it.
        cwd: folder to run in; None for the supervisor's.
        before: run before each start, given the service's log file; raises EmbeddedError.
        ready_within_s: seconds until a start counts as failed.
        grace_s: seconds from SIGTERM to SIGKILL.
    """

    name: str
    argv: Sequence[str]
    ready: Callable[[], bool]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    ports: tuple[int, ...] = ()
    needs: tuple[str, ...] = ()
    cwd: Path | None = None
    before: Callable[[Path], None] = _nothing
    ready_within_s: float = 60.0
    grace_s: float = 20.0
