"""What the app is made of, and how handlers get at it."""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, SkipValidation

from api.ports import Clock, Commands, LogReader, MediaStore
from api.replica.replica import Replica
from api.settings import ApiSettings


def _new_api_key() -> str:
    return secrets.token_urlsafe(32)  # 256 random bits


def _new_number() -> int:
    return secrets.randbelow(2**31 - 1) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Everything from outside.

    Attributes:
        log: For the replica alone, which closes it at the end.
        new_uuid: Ids of searches, commands, uploads and keys.
        new_number: Ids of organisations and events that the caller left to us.
        new_api_key: At least 256 random bits, URL-safe.
    """

    settings: ApiSettings
    commands: Commands
    log: LogReader
    media: MediaStore
    clock: Clock
    new_uuid: Callable[[], str] = field(default=lambda: str(uuid.UUID(bytes=secrets.token_bytes(16), version=4)))
    new_number: Callable[[], int] = _new_number
    new_api_key: Callable[[], str] = _new_api_key


# Handlers take these by name. They are ours and typed already, so the framework need not look into them.
TheDeps = NamedDependency[SkipValidation[Deps]]
TheReplica = NamedDependency[SkipValidation[Replica]]
PathId = FromPath[int]
PathText = FromPath[str]
ApiKeyHeader = Annotated[str | None, HeaderParameter(name="X-API-Key")]
