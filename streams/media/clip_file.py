"""Opening a clip for writing: MP4 that any browser plays, the same bytes on every run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import OutputContainer

# Bit-exact: no version of a library and no wall time stands in the file. Faststart: the header is moved before the
# media data, which also halves the requests of a player.
OPTIONS = {"movflags": "+faststart", "fflags": "+bitexact"}


@contextmanager
def open_clip(path: Path) -> Iterator[OutputContainer]:
    """A new MP4 file, finished at the end of the block. Nothing of a source's metadata is carried over."""
    with av.open(str(path), "w", format="mp4", options=OPTIONS) as output:
        yield output
