"""Which of ClickHouse's errors are an outage, and how they are told."""

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError

from streams.outcomes import TryLater, Unavailable

# Server errors that waiting (or an operator) mends, whatever was asked: TIMEOUT_EXCEEDED,
# TOO_MANY_SIMULTANEOUS_QUERIES, NOT_ENOUGH_SPACE, TABLE_IS_READ_ONLY, TOO_MANY_PARTS.
_BUSY = frozenset({159, 202, 243, 242, 252})
# UNKNOWN_TABLE, UNKNOWN_DATABASE: the deployment was not provisioned.
_NOT_PROVISIONED = frozenset({60, 81})
# UNKNOWN_USER, WRONG_PASSWORD, AUTHENTICATION_FAILED, ACCESS_DENIED.
_REFUSED = frozenset({192, 193, 516, 497})


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn ClickHouse's errors into the pipeline's.

    Raises:
        Unavailable: It is down, too busy, not provisioned, or refuses the credentials.
        TryLater: It refused this one request.
    """
    try:
        yield
    except OperationalError as error:
        if error.code is None:
            raise Unavailable("clickhouse", f"ClickHouse did not answer while {doing}.") from error
        raise _of_server(doing, error.code) from error
    except DatabaseError as error:
        raise _of_server(doing, error.code) from error
    except (ClickHouseError, OSError, TimeoutError) as error:
        raise Unavailable("clickhouse", f"ClickHouse did not answer while {doing}.") from error


def _of_server(doing: str, code: int | None) -> Unavailable | TryLater:
    if code in _NOT_PROVISIONED:
        return Unavailable("clickhouse", "A table of ClickHouse is missing; run `spotclip provision`.")
    if code in _REFUSED:
        return Unavailable("clickhouse", "ClickHouse refused the user; check its name, password and grants.")
    if code in _BUSY:
        return Unavailable("clickhouse", f"ClickHouse is too busy or full while {doing} (error {code}).")
    return TryLater(f"ClickHouse refused a request while {doing} (error {code}).")
