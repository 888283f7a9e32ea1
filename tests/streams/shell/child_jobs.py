"""Jobs for the tests of the children: importable by name in a spawned process."""

import os
import signal
import threading
import time


def add(a: int, b: int) -> int:
    return a + b


def pid() -> int:
    return os.getpid()


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def hang() -> None:
    threading.Event().wait()


def eat(size_bytes: int) -> int:
    return len(bytearray(size_bytes))


def niceness() -> int:
    return os.nice(0)


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds
