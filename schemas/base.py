"""What all messages share."""

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=lambda name: name):
    """A value on a topic. Frozen; told apart by `type`, its class name; a newer writer's extra fields are ignored."""

    @property
    def key(self) -> str:
        """The Kafka key: the record it belongs to, or the unit of work."""
        raise TypeError(f"{type(self).__name__} has no key of its own")


class Command(Message, frozen=True, kw_only=True):
    """Something a person or a program asks of a ledger.

    Attributes:
        command_id: UUID of this asking; the record's verdict answers to it.
        at_ms: When it was asked, milliseconds since 1970 UTC.
    """

    command_id: str
    at_ms: int
