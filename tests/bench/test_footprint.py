"""What a process tree holds is counted once."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.footprint import MIB, Watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="figures come from /proc")

HELD_MIB = 64
# Holds memory that it has written to, and has a process started that runs nothing of its own until it is told.
STARTER = f"""
import os
held = bytearray(os.urandom({MIB}) * {HELD_MIB})
if os.fork() == 0:
    print("forked", flush=True)
    os.read(0, 1)
    os.execvp("cat", ["cat"])
os.wait()
"""


def test_memory_of_the_starter_is_not_counted_for_what_it_starts_too() -> None:
    """Not even in a peak; the program that is then run is counted."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as starter:
        assert starter.stdin is not None
        assert starter.stdout is not None
        watch = Watch({"starter": starter.pid})
        assert starter.stdout.readline() == "forked\n"
        watch._look()
        assert list(watch.peaks.peak_rss) == [starter.pid]
        starter.stdin.write("!there\n")
        assert starter.stdout.readline() == "there\n"
        watch._look()
        starter.stdin.close()
    peaks = watch.peaks
    assert sorted(peaks.label.values()) == ["starter", "starter: cat"]
    own, started = (peaks.peak_rss[pid] for pid in sorted(peaks.peak_rss, key=lambda pid: pid != starter.pid))
    assert own > HELD_MIB * MIB
    assert 0 < started < HELD_MIB * MIB / 4
    assert peaks.sum_of_peak_rss == own + started


def test_what_has_ended_keeps_its_peak() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as cat, Watch({"cat": cat.pid}, every_s=60) as watch:
        watch._look()
        peak = watch.peaks.peak_rss[cat.pid]
        assert cat.stdin is not None
        cat.stdin.close()
        cat.wait()
    assert not Path(f"/proc/{cat.pid}").exists()
    assert watch.peaks.peak_rss == {cat.pid: peak}
    assert peak > 0
