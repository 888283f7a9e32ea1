"""What every Kafka client of ours says to librdkafka, and how its errors are told."""

from typing import Any

from confluent_kafka import KafkaError, KafkaException


def client_config(bootstrap: str, client_id: str) -> dict[str, Any]:
    """Settings that all clients share.

    Args:
        bootstrap: `host:port`, several with commas.
        client_id: Names the client in the broker's logs.
    """
    return {
        "bootstrap.servers": bootstrap,
        "client.id": client_id,
        # Back within moments of the broker; the default waits up to 10 s between two tries.
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 500,
        # On a small deployment all brokers being down is an outage like any other, told by what then fails.
        "log_level": 2,
        "error_cb": _ignore,
    }


def _ignore(_error: KafkaError) -> None:
    """Errors of a connection: librdkafka mends them or fails the request that needed it."""


def explain(error: KafkaError | KafkaException) -> str:
    """The error's own text, without the class names around it."""
    inner = error.args[0] if isinstance(error, KafkaException) and error.args else error
    return inner.str() if isinstance(inner, KafkaError) else str(inner)
