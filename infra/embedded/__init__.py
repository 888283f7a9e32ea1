"""Real Kafka, ClickHouse and S3 on one machine, from wheels and verified jars, under one supervisor."""
