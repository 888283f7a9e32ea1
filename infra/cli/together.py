"""Several programs that run and end as one."""

import signal
import subprocess
import time
from collections.abc import Sequence

_POLL_S = 0.1


def run_together(programs: Sequence[Sequence[str]], *, grace_s: float = 60.0) -> int:
    """Run the programs until one of them ends, or until Ctrl-C or SIGTERM; then end the others. Main thread only.

    Whoever started this process sees at once that a part of it is gone, and starts it again.

    Args:
        programs: Program and arguments of each; they share the terminal.
        grace_s: From SIGTERM to SIGKILL.

    Returns:
        The exit code of the one that ended first, 128 + n when signal n ended it; 0 when they were asked to end.
    """
    before = signal.signal(signal.SIGTERM, _interrupt)
    children: list[subprocess.Popen[bytes]] = []
    try:
        children.extend(subprocess.Popen(program) for program in programs)  # noqa: S603 - the caller names them
        while True:
            ended = [code for child in children if (code := child.poll()) is not None]
            if ended:
                return ended[0] if ended[0] >= 0 else 128 - ended[0]
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        return 0
    finally:
        # A second signal must not leave anyone behind: they are being ended already.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
        _end(children, grace_s)
        signal.signal(signal.SIGINT, interrupted)
        signal.signal(signal.SIGTERM, before)


def _end(children: Sequence[subprocess.Popen[bytes]], grace_s: float) -> None:
    for child in children:
        child.terminate()
    deadline = time.monotonic() + grace_s
    for child in children:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
