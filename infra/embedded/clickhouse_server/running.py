"""The queries under way, by query id and session."""

from collections.abc import Iterator
from contextlib import contextmanager

from infra.embedded.clickhouse_server.errors import ClickHouseError


class RunningQueries:
    """Holds ids of running queries. Not thread-safe: it belongs to the server's event loop."""

    def __init__(self) -> None:
        self._query_ids: set[str] = set()
        self._session_ids: set[str] = set()

    @contextmanager
    def claim(self, query_id: str, session_id: str) -> Iterator[None]:
        """Hold both ids (a session's only if there is one) while a query runs.

        Raises:
            ClickHouseError: 216 if the query id runs already, 373 if another query of the session does.
        """
        if query_id in self._query_ids:
            raise ClickHouseError(
                216, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", f"Query with id = {query_id} is already running"
            )
        if session_id and session_id in self._session_ids:
            raise ClickHouseError(
                373, "SESSION_IS_LOCKED", f"Session {session_id} is locked by a concurrent client: use one per client"
            )
        self._query_ids.add(query_id)
        if session_id:
            self._session_ids.add(session_id)
        try:
            yield
        finally:
            self._query_ids.discard(query_id)
            self._session_ids.discard(session_id)
