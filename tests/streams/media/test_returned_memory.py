import platform
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
from contextlib import nullcontext
from streams.media.returned_memory import returning_large_blocks

def resident_kib():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

bytearray(16 * 2**20)  # freed at once: from now on glibc keeps blocks of this size for itself
with {block}:
    index = bytearray(b"i") * (8 * 2**20)
later = [bytes(1000) for _ in range(5000)]  # what comes to lie behind it
before = resident_kib()
del index
print(before - resident_kib())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_a_large_block_taken_inside_goes_back_to_the_system() -> None:
    """And one taken outside would not, which is why this exists."""

    def given_back_kib(block: str) -> int:
        program = _PROGRAM.format(block=block)
        root = Path(__file__).parents[3]
        done = subprocess.run([sys.executable, "-c", program], cwd=root, check=True, capture_output=True, text=True)
        return int(done.stdout)

    assert given_back_kib("returning_large_blocks()") > 7 * 1024
    assert given_back_kib("nullcontext()") < 1024
