"""What the system says about processes, for tests that check what is left behind."""

import os
import socket
import struct
from contextlib import suppress
from pathlib import Path


def runs(pid: int) -> bool:
    """Whether this process exists and is no zombie (a zombie's parent has only not asked yet)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        # Either no /proc on this system, or the process ended just now.
        return not Path("/proc").is_dir()


def listeners(pid: int) -> set[tuple[str, int]]:
    """Addresses and ports on which a process listens, from Linux's ``/proc``."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since the folder was read
            target = str(link.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                host, port = fields[1].split(":")
                found.add((_address(host), int(port, 16)))
    return found


def _address(text: str) -> str:
    """An address as ``/proc/net`` writes it: 32-bit words in the machine's byte order."""
    raw = b"".join(struct.pack("=I", int(text[i : i + 8], 16)) for i in range(0, len(text), 8))
    address = socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)
    return address.removeprefix("::ffff:")
