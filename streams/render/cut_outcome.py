"""What becomes of a cut: a proved clip, or a sentence. No media library is imported here."""

from dataclasses import dataclass


class CutFailed(Exception):
    """No clip of this window can be made; the text is a sentence for the person who asked."""


@dataclass(frozen=True)
class Clip:
    """A clip that passed its proof.

    `start_ms` and `end_ms` are those of what plays, `method` is `copy` or `encode`, `encoded_because` is a phrase for
    the log that says why it is no copy. (A child that logs by itself would write into its parent's standard output.)
    """

    start_ms: int
    end_ms: int
    method: str
    size_bytes: int
    sha256: str
    encoded_because: str | None = None
