"""Units of a packet as MP4 holds them."""


def prefixed(*units: bytes) -> bytes:
    """Each behind its length, in four bytes."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
