"""ClickHouse's engine (chdb) behind our local HTTP interface: a development server.

`python -m infra.embedded.clickhouse_server --path DIR --host 127.0.0.1 --port N` owns one folder and answers the plain
`clickhouse_connect` clients. What the engine or this interface lacks is answered with a ClickHouse error, never with a
wrong result; `refusals.py` is the list.
"""
