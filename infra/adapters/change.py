"""What provisioning did, and why it would not."""

from dataclasses import dataclass

from infra.errors import UserError


class ProvisionError(UserError):
    """An engine does not answer, or cannot be made what the settings ask for; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is now otherwise than before.

    Attributes:
        thing: What was changed, `topic spotclip.catalog.v1`.
        done: What was done to it, `created with 8 partitions`.
    """

    thing: str
    done: str

    def __str__(self) -> str:
        """A line for people."""
        return f"{self.thing}: {self.done}"
