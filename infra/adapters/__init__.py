"""Kafka, ClickHouse and S3 behind the ports that streams/ and api/ own. A vendor's exception never leaves here."""
