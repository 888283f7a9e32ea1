"""The benches are not timed tests; that each can be started is one."""

import subprocess
import sys

import pytest

from bench.__main__ import BENCHES


@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_says_what_it_takes(name: str) -> None:
    told = subprocess.run([sys.executable, "-m", "bench", name, "--help"], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "usage" in told.stdout
