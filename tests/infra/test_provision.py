"""Provisioning real engines: everything is made, nothing twice, drift is repaired, what would do harm is refused."""

import dataclasses
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported, which its types do not say
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from minio import Minio
from minio.commonconfig import ENABLED, Filter
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule

from infra.adapters.clickhouse_migrations import migrate
from infra.adapters.kafka_topics import KafkaTopics, check_offsets_retention
from infra.adapters.s3_buckets import S3Buckets
from infra.adapters.settings import S3Settings
from infra.embedded.addresses import Addresses
from infra.local import engines_of
from infra.provision import Change, ProvisionError, provision
from infra.settings import Settings
from schemas.topics import ALL, CATALOG, CHUNKS, RETENTION_MS
from tests.waiting import wait_until

pytestmark = pytest.mark.engines
ORIGIN = "https://clips.example.org"

MakeSettings = Callable[..., Settings]


@pytest.fixture
def make(stack: Addresses) -> MakeSettings:
    """Settings of one namespace of this test alone, with any values changed."""
    namespace = f"p-{uuid.uuid4().hex[:12]}"

    def settings(**changed: str) -> Settings:
        return Settings.from_environment(
            {
                "SPOTCLIP_NAMESPACE": namespace,
                "SPOTCLIP_PUBLIC_BASE": ORIGIN,
                **engines_of(stack),
                "SPOTCLIP_RECORD_PARTITIONS": "2",
                "SPOTCLIP_WORK_PARTITIONS": "3",
            }
            | changed
        )

    return settings


@pytest.fixture
def topics(make: MakeSettings) -> Settings:
    """A namespace whose topics exist."""
    settings = make()
    KafkaTopics(settings.kafka).provision()
    return settings


def sdk(s3: S3Settings) -> Minio:
    return Minio(s3.endpoint, access_key=s3.access_key, secret_key=s3.secret_key, secure=s3.secure, region=s3.region)


def partitions(settings: Settings) -> dict[str, int]:
    found = AdminClient({"bootstrap.servers": settings.kafka.bootstrap}).list_topics(timeout=10).topics
    prefix = f"{settings.namespace}."
    return {name.removeprefix(prefix): len(found[name].partitions) for name in found if name.startswith(prefix)}


def test_everything_is_made_once(make: MakeSettings) -> None:
    """A second run finds nothing to do and says so by saying nothing."""
    settings = make()
    changes = provision(settings)
    things = {change.thing for change in changes}
    assert {f"topic {topic.full_name(settings.namespace)}" for topic in ALL} <= things
    assert {f"bucket {settings.namespace}-private", f"bucket {settings.namespace}-public"} <= things
    assert f"ClickHouse database {settings.clickhouse.database}" in things
    assert partitions(settings) == {topic.name: settings.kafka.partitions_of(topic) for topic in ALL}
    assert provision(settings) == []


def config_of(settings: Settings, name: str) -> dict[str, str]:
    admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap})
    (future,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]).values()
    return {key: entry.value for key, entry in future.result(10).items()}


def test_ledgers_are_compacted_and_forget_nothing(topics: Settings) -> None:
    """A ledger's topic is the record's only copy; work is deleted by age."""
    ledger = config_of(topics, CATALOG.full_name(topics.namespace))
    assert (ledger["cleanup.policy"], ledger["retention.ms"]) == ("compact", "-1")
    work = config_of(topics, CHUNKS.full_name(topics.namespace))
    assert (work["cleanup.policy"], work["retention.ms"]) == ("delete", str(CHUNKS.retention_ms))


def test_drifted_topic_is_repaired(topics: Settings) -> None:
    """Somebody let a ledger's records be deleted by age."""
    name = CATALOG.full_name(topics.namespace)
    admin = AdminClient({"bootstrap.servers": topics.kafka.bootstrap})
    drift = [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        for key, value in {"cleanup.policy": "delete", "retention.ms": "1000000"}.items()
    ]
    order = ConfigResource(ResourceType.TOPIC, name, incremental_configs=drift)
    for future in admin.incremental_alter_configs([order]).values():
        future.result(10)
    wait_until(lambda: config_of(topics, name)["cleanup.policy"] == "delete", 10, "the broker knows of the drift")
    changes = KafkaTopics(topics.kafka).provision()
    assert changes == [Change(f"topic {name}", "configuration set to cleanup.policy=compact, retention.ms=-1")]
    assert config_of(topics, name)["cleanup.policy"] == "compact"


def test_work_topics_grow(make: MakeSettings, topics: Settings) -> None:
    """More workers may be wanted later."""
    wider = make(SPOTCLIP_WORK_PARTITIONS="5")
    changes = KafkaTopics(wider.kafka).provision()
    assert all("widened from 3 to 5" in change.done for change in changes)
    assert partitions(topics)[CHUNKS.name] == 5
    assert partitions(topics)[CATALOG.name] == 2


@pytest.mark.parametrize("name", ["SPOTCLIP_RECORD_PARTITIONS", "SPOTCLIP_WORK_PARTITIONS"])
def test_partitions_that_cannot_be_changed_are_refused(make: MakeSettings, topics: Settings, name: str) -> None:
    """A key must never move, and no topic shrinks; the sentence names the setting, and nothing is touched."""
    before = partitions(topics)
    other = make(**{name: "1"})
    with pytest.raises(ProvisionError, match=name):
        KafkaTopics(other.kafka).provision()
    assert partitions(topics) == before


def test_more_record_partitions_are_refused(make: MakeSettings, topics: Settings) -> None:
    """Growing would move keys as well."""
    with pytest.raises(ProvisionError, match="SPOTCLIP_RECORD_PARTITIONS back to 2"):
        KafkaTopics(make(SPOTCLIP_RECORD_PARTITIONS="4").kafka).provision()
    assert partitions(topics)[CATALOG.name] == 2


def test_offsets_must_outlive_messages() -> None:
    """Kafka's default of 7 days is as long as messages are kept, and so too short."""
    with pytest.raises(ProvisionError, match=r"offsets\.retention\.minutes above 10080"):
        check_offsets_retention("1", RETENTION_MS // 60_000)
    check_offsets_retention("1", RETENTION_MS // 60_000 + 1)


def test_migrations_are_applied_in_order_and_once(make: MakeSettings, tmp_path: Path) -> None:
    """A later one is applied to what is there; several statements may stand in one."""
    settings = make().clickhouse
    (tmp_path / "0002_second.sql").write_text("ALTER TABLE things ADD COLUMN b UInt8;\n-- a comment\n")
    (tmp_path / "0001_first.sql").write_text(
        "CREATE TABLE things (a UInt8) ENGINE = MergeTree ORDER BY a;\nCREATE TABLE others (a UInt8) ENGINE = Memory;\n"
    )
    applied = [change.done for change in migrate(settings, tmp_path)]
    assert applied == ["created", "0001_first.sql applied", "0002_second.sql applied"]
    (tmp_path / "0003_third.sql").write_text("ALTER TABLE things ADD COLUMN c UInt8")
    assert [change.done for change in migrate(settings, tmp_path)] == ["0003_third.sql applied"]
    assert migrate(settings, tmp_path) == []


class TestBuckets:
    """Both private; what is left behind is forgotten; pages of ours alone may read by script."""

    @pytest.fixture
    def s3(self, make: MakeSettings) -> S3Settings:
        settings = make()
        S3Buckets(settings.s3, settings.public_base).provision()
        return settings.s3

    def test_nobody_reads_past_the_api(self, s3: S3Settings) -> None:
        """Without a key, neither bucket shows anything."""
        for bucket in (s3.private_bucket, s3.public_bucket):
            assert httpx.get(f"http://{s3.endpoint}/{bucket}", trust_env=False).status_code == 403

    def test_only_our_pages_are_let_in(self, s3: S3Settings) -> None:
        """A signed address shown to another site's script is of no use there."""
        url = sdk(s3).get_presigned_url("GET", s3.public_bucket, "vids/none.mp4")
        ours = httpx.get(url, headers={"origin": ORIGIN}, trust_env=False)
        others = httpx.get(url, headers={"origin": "https://other.example.com"}, trust_env=False)
        assert ours.headers["access-control-allow-origin"] == ORIGIN
        assert "access-control-allow-origin" not in others.headers

    def test_another_public_base_changes_the_rule(self, s3: S3Settings) -> None:
        """The deployment has moved."""
        changes = S3Buckets(s3, "https://elsewhere.example.org/sub").provision()
        assert [change.done for change in changes] == [
            "lets pages of https://elsewhere.example.org read signed addresses"
        ] * 2

    def test_rules_of_an_operator_stay(self, s3: S3Settings) -> None:
        """Ours is added to them."""
        theirs = Rule(ENABLED, rule_filter=Filter(prefix="selfies/"), rule_id="theirs", expiration=Expiration(days=30))
        sdk(s3).set_bucket_lifecycle(s3.private_bucket, LifecycleConfig([theirs]))
        changes = S3Buckets(s3, ORIGIN).provision()
        assert len(changes) == 1
        found = sdk(s3).get_bucket_lifecycle(s3.private_bucket)
        assert found is not None
        assert {rule.rule_id for rule in found.rules} == {"theirs", "spotclip-unfinished-uploads"}

    def test_bucket_with_a_policy_is_refused(self, s3: S3Settings) -> None:
        """It would let people read what was erased."""
        policy = (
            '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject"],'
            f'"Resource":["arn:aws:s3:::{s3.public_bucket}/*"]}}]}}'
        )
        sdk(s3).set_bucket_policy(s3.public_bucket, policy)
        with pytest.raises(ProvisionError, match=s3.public_bucket):
            S3Buckets(s3, ORIGIN).provision()


class TestOutage:
    """An engine that is not there is one sentence that names its setting."""

    def test_clickhouse(self, make: MakeSettings, closed_port: int) -> None:
        settings = dataclasses.replace(make().clickhouse, host="127.0.0.1", port=closed_port)
        with pytest.raises(ProvisionError, match="ClickHouse"):
            migrate(settings)

    def test_s3(self, make: MakeSettings, closed_port: int) -> None:
        settings = dataclasses.replace(make().s3, endpoint=f"127.0.0.1:{closed_port}")
        with pytest.raises(ProvisionError, match="SPOTCLIP_S3_ENDPOINT"):
            S3Buckets(settings, ORIGIN).provision()

    def test_wrong_s3_secret(self, make: MakeSettings) -> None:
        settings = dataclasses.replace(make().s3, secret_key="no such secret")
        with pytest.raises(ProvisionError, match="refused"):
            S3Buckets(settings, ORIGIN).provision()

    def test_kafka(self, make: MakeSettings, closed_port: int) -> None:
        settings = dataclasses.replace(make().kafka, bootstrap=f"127.0.0.1:{closed_port}")
        with pytest.raises(ProvisionError, match="Kafka"):
            KafkaTopics(settings, answer_within_s=1.0).provision()
