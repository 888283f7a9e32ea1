"""What each adapter needs to know, in frozen groups. Secrets stay out of every repr."""

from dataclasses import dataclass, field

from schemas.topics import Spread, Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """The log.

    Attributes:
        bootstrap: `host:port`, several with commas.
        namespace: Prefix of every topic and group of this deployment.
        record_partitions: Of commands, facts and ledger topics. Fixed once made: a key must never move. 8: a ledger
            does about 1,200 events a second, and eight workers may share it.
        work_partitions: Of work topics: the most workers of a role that can be busy at once. 32: wider than one
            machine, and it may be raised later.
        replication: Copies of every partition; None for the cluster's own default.
    """

    bootstrap: str
    namespace: str
    record_partitions: int = 8
    work_partitions: int = 32
    replication: int | None = None

    def partitions_of(self, topic: Topic) -> int:
        """How many partitions a topic has in this deployment."""
        return self.record_partitions if topic.spread is Spread.RECORD else self.work_partitions


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickHouseSettings:
    """The store of faces.

    Attributes:
        host, port, secure: Of ClickHouse's HTTP interface.
        database: This deployment's own; plain letters, digits and underscores.
    """

    host: str
    port: int
    secure: bool = False
    user: str
    password: str = field(repr=False)
    database: str


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Settings:
    """The object store.

    Attributes:
        endpoint: `host:port` as this process reaches it; `secure` says whether by https.
        region: Given, never asked for, so that signing an address needs no network.
        private_bucket: Sources and selfies.
        public_bucket: Clips and posters. Public through the API, not through the store: both buckets are private there.
    """

    endpoint: str
    secure: bool = False
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    region: str
    private_bucket: str
    public_bucket: str
