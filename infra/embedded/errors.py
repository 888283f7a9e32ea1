"""The one error of the embedded stack."""

from infra.errors import UserError


class EmbeddedError(UserError):
    """The stack cannot start or go on; the message is one sentence that says what to do."""
