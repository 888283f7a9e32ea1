"""One client of ClickHouse for a process, opened when it is first needed."""

import asyncio

import clickhouse_connect
from clickhouse_connect.driver.asyncclient import AsyncClient

from infra.adapters.clickhouse_errors import translated
from infra.adapters.settings import ClickHouseSettings

CONNECT_WITHIN_S = 2.0
# Above the longest scan: 5 million vectors take 0.13 s on 2 cores for one selfie, 1.1 for sixteen together, and
# searches may queue behind one another.
ANSWER_WITHIN_S = 60.0


class ClickHouseClient:
    """Opens at the first `get`, which asks the server for its version; not yet there means asked again next time.

    Args:
        settings: Where it is.
        database: Empty to connect without one, as provisioning must before it exists.
    """

    def __init__(self, settings: ClickHouseSettings, *, database: str | None = None) -> None:
        self._settings = settings
        self._database = settings.database if database is None else database
        self._opening = asyncio.Lock()
        self._client: AsyncClient | None = None

    async def get(self) -> AsyncClient:
        """The client.

        Raises:
            Unavailable: ClickHouse is down or refuses the credentials.
        """
        async with self._opening:
            if self._client is None:
                with translated("connecting"):
                    self._client = await clickhouse_connect.get_async_client(
                        host=self._settings.host,
                        port=self._settings.port,
                        secure=self._settings.secure,
                        username=self._settings.user,
                        password=self._settings.password,
                        database=self._database or "default",
                        connect_timeout=CONNECT_WITHIN_S,
                        send_receive_timeout=ANSWER_WITHIN_S,
                        # Vectors travel as parameters: in the form, an address would be too long.
                        form_encode_query_params=True,
                        # Answers are small and vectors do not compress.
                        compress=False,
                        autogenerate_session_id=False,
                    )
            return self._client

    async def close(self) -> None:
        """Close the connections; a later `get` opens anew."""
        async with self._opening:
            client, self._client = self._client, None
            if client is not None:
                await client.close()
