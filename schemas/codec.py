"""Messages to bytes and back: JSON, checked against the topic's types."""

import msgspec

from schemas.base import Message
from schemas.topics import ALL, Topic, message_types

_encoder = msgspec.json.Encoder()
_decoders = {topic: msgspec.json.Decoder(topic.types) for topic in ALL if message_types(topic)}


class Undecodable(ValueError):
    """Bytes that are no message of their topic; the sentence says where."""


def encode(message: Message) -> bytes:
    """The message as it stands on its topic."""
    return _encoder.encode(message)


def decode(topic: Topic, value: bytes | None) -> Message:
    """The message that these bytes are.

    Raises:
        Undecodable: They are no message of this topic.
    """
    if value is None:
        raise Undecodable(f"an empty value on {topic.name}")
    try:
        message: Message = _decoders[topic].decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Undecodable(f"not a message of {topic.name}: {error}") from error
    return message
