"""A client of ClickHouse that is none of ours, to put and to see what lies in a table."""

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from infra.adapters.settings import ClickHouseSettings


def plain_client(settings: ClickHouseSettings) -> Client:
    """An open client of the database; parameters travel in a form, since vectors are too long for an address."""
    return clickhouse_connect.get_client(
        host=settings.host,
        port=settings.port,
        username=settings.user,
        password=settings.password,
        database=settings.database,
        autogenerate_session_id=False,
        form_encode_query_params=True,
    )
