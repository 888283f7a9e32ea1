"""Names of things: record keys, object keys and clip ids. Every id derives from its inputs, so repeats agree."""

import hashlib
import hmac
import json
import re
import uuid

# What a caller may call a source: it becomes part of object keys, record keys and log lines, so nothing that any of
# them would have to escape. 64: fits a file name anywhere.
SOURCE_VIDEO_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def search_key(event_id: int, request_id: str) -> str:
    """The record key of one search: the same request id under another event is another search."""
    return f"{event_id}/{request_id}"


def video_key(event_id: int, source_video_key: str) -> str:
    """The record key of one source video."""
    return f"{event_id}/{source_video_key}"


def organisation_key(org_id: int) -> str:
    """The catalog's record key of an organisation."""
    return f"org/{org_id}"


def event_key(event_id: int) -> str:
    """The catalog's record key of an event."""
    return f"event/{event_id}"


def canonical_request_id(text: str) -> str:
    """A request id in its one spelling.

    Raises:
        ValueError: The text is not a UUID in its usual 36 characters.
    """
    if len(text) != 36:
        raise ValueError("a UUID has 36 characters")
    return str(uuid.UUID(text))


def selfie_object_key(event_id: int, request_id: str, sha256: str) -> str:
    """Where a selfie lies in the private bucket: its content is in its name, so a repeat overwrites itself."""
    return f"selfies/{event_id}/{request_id}/{sha256}"


def source_object_key(event_id: int, source_video_key: str, upload_id: str) -> str:
    """Where the bytes of a source video lie in the private bucket; another upload never changes them."""
    return f"sources/{event_id}/{source_video_key}/{upload_id}"


def clip_path(event_id: int, request_id: str, clip_id: str) -> str:
    """The public path of a clip, without a leading slash; also its object key in the public bucket."""
    return f"vids/{event_id}/motion/selfie/{request_id}/{clip_id}.mp4"


def clip_id(secret: bytes, *parts: str | int) -> str:
    """A clip's UUID: an HMAC-SHA256 under the deployment's secret over everything that decides its content.

    Repeats agree, nobody without the secret can guess one, and another selfie gets another id. Version 8 (RFC 9562,
    section 5.8: custom), so that no reader takes it for a random or a time-based one.
    """
    text = json.dumps([str(part) for part in parts]).encode()  # a list, so that no two lists of parts look alike
    digest = bytearray(hmac.new(secret, text, hashlib.sha256).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x80
    digest[8] = (digest[8] & 0x3F) | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))
