"""Everything a deployment needs of its engines before its first process starts. Safe to repeat at any time."""

from infra.adapters.change import Change, ProvisionError
from infra.adapters.clickhouse_migrations import migrate
from infra.adapters.kafka_topics import KafkaTopics
from infra.adapters.s3_buckets import S3Buckets
from infra.settings import Settings

__all__ = ["Change", "ProvisionError", "provision"]


def provision(settings: Settings) -> list[Change]:
    """Make topics, buckets, database and tables, and repair what has drifted. Blocks.

    Returns:
        What is now otherwise than before; empty when all was as it should be.

    Raises:
        ProvisionError: An engine does not answer, or must not be changed to what the settings ask for.
        SettingsError: An engine's address is missing.
    """
    # All settings first: a missing one must not be noticed half-way.
    topics, buckets = KafkaTopics(settings.kafka), S3Buckets(settings.s3, settings.public_base)
    clickhouse = settings.clickhouse
    return [*topics.provision(), *buckets.provision(), *migrate(clickhouse)]
