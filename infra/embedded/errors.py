"""The one error of the embedded stack."""


class EmbeddedError(RuntimeError):
    """The stack cannot start or go on; the message is one sentence that says what to do."""
