"""How reading a source ends when it does not end well. No media library is imported here."""

from streams.outcomes import Invalid, TryLater


class SourceUnreadable(Invalid):
    """The source cannot be opened or has no picture; the text is a sentence for the person who asked."""


class SourceUnreachable(TryLater):
    """The source's address did not answer, or the connection broke: another try may work."""
