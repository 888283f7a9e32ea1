"""Who may ask: one user with one password."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.embedded.clickhouse_server.errors import ClickHouseError
from infra.embedded.clickhouse_server.refusals import Refused, refusal


@dataclass(frozen=True, slots=True)
class Credentials:
    """The server's only user."""

    user: str
    password: str = field(repr=False)

    def check(self, headers: Mapping[str, str], arguments: Mapping[str, str]) -> None:
        """Let a request pass, or raise. Reads Basic authorization, X-ClickHouse-User/-Key or user/password parameters.

        Raises:
            ClickHouseError: AUTHENTICATION_FAILED, also when two ways are mixed, as ClickHouse does.
        """
        authorization = headers.get("authorization", "")
        by_header = "x-clickhouse-user" in headers or "x-clickhouse-key" in headers
        by_argument = "user" in arguments or "password" in arguments
        if (bool(authorization), by_header, by_argument).count(True) > 1:
            raise _failed("Invalid authentication: use one of Authorization, X-ClickHouse headers and parameters")
        if authorization:
            user, password = _basic(authorization)
        elif by_header:
            user, password = headers.get("x-clickhouse-user", "default"), headers.get("x-clickhouse-key", "")
        else:
            user, password = arguments.get("user", "default"), arguments.get("password", "")
        # Both are compared whole and in constant time, so that neither can be guessed by timing.
        same_user = hmac.compare_digest(_octets(user), _octets(self.user))
        same_password = hmac.compare_digest(_octets(password), _octets(self.password))
        if not (same_user and same_password):
            raise _failed("Authentication failed: password is incorrect, or there is no user with such name")


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise refusal(Refused.BEARER_TOKEN)
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _failed("The Authorization header is not valid Basic authorization") from error
    return user, password


def _octets(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _failed(message: str) -> ClickHouseError:
    return ClickHouseError(516, "AUTHENTICATION_FAILED", message)
