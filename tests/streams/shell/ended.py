"""The end of a process, where a test looks at it."""

from typing import NoReturn

from streams.shell.exits import ExitCode


class Ended(BaseException):
    """Stands for the end of the process."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__(code)
        self.code = code


def end(code: ExitCode) -> NoReturn:
    raise Ended(code)
