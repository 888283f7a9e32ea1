"""Settings: checked at once, handed out in groups, silent about secrets."""

from pathlib import Path

import pytest

from infra.setting_values import Values
from infra.settings import Settings, SettingsError
from streams.vision.models.choice import DetectorKind, ModelChoice

FULL = {
    "SPOTCLIP_NAMESPACE": "race-day",
    "SPOTCLIP_SECRET": "deployment-secret-" * 4,
    "SPOTCLIP_ADMIN_TOKEN": "admin-token-" * 4,
    "SPOTCLIP_PUBLIC_BASE": "https://clips.example.org/",
    "SPOTCLIP_DATA": "/var/lib/spotclip",
    "SPOTCLIP_CACHE": "/var/cache/spotclip",
    "SPOTCLIP_KAFKA": "a.example.org:9092,b.example.org:9092",
    "SPOTCLIP_CLICKHOUSE": "https://click.example.org:8443",
    "SPOTCLIP_CLICKHOUSE_USER": "faces",
    "SPOTCLIP_CLICKHOUSE_PASSWORD": "clickhouse-password",
    "SPOTCLIP_S3_ENDPOINT": "http://127.0.0.1:9000",
    "SPOTCLIP_S3_ACCESS_KEY": "s3-access-key",
    "SPOTCLIP_S3_SECRET_KEY": "s3-secret-key",
}
GROUPS = ("deployment", "kafka", "clickhouse", "s3", "api", "jobs")


def test_groups_hold_what_was_set() -> None:
    """Names of topics, buckets and database come from the namespace."""
    settings = Settings.from_environment(FULL)
    assert settings.kafka.bootstrap == "a.example.org:9092,b.example.org:9092"
    assert settings.kafka.namespace == settings.deployment.namespace == "race-day"
    assert settings.deployment.secret == FULL["SPOTCLIP_SECRET"].encode()
    clickhouse = settings.clickhouse
    assert (clickhouse.host, clickhouse.port, clickhouse.secure) == ("click.example.org", 8443, True)
    assert (clickhouse.user, clickhouse.password) == ("faces", "clickhouse-password")
    assert clickhouse.database == "race_day"
    s3 = settings.s3
    assert (s3.endpoint, s3.secure, s3.region) == ("127.0.0.1:9000", False, "us-east-1")
    assert (s3.private_bucket, s3.public_bucket) == ("race-day-private", "race-day-public")
    assert settings.api.public_base == settings.public_base == "https://clips.example.org"
    assert settings.api.admin.token == FULL["SPOTCLIP_ADMIN_TOKEN"]
    assert settings.api.replica.path.parent == settings.data_dir == Path("/var/lib/spotclip")
    assert settings.cache_dir == Path("/var/cache/spotclip")


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("SPOTCLIP_SELFIE_MAX_BYTES", "2048", lambda s: s.api.selfie.max_bytes),
        ("SPOTCLIP_VIDEO_MAX_BYTES", "2000000", lambda s: s.api.video.max_bytes),
        ("SPOTCLIP_RECORD_PARTITIONS", "3", lambda s: s.kafka.record_partitions),
        ("SPOTCLIP_WORK_PARTITIONS", "64", lambda s: s.kafka.work_partitions),
        ("SPOTCLIP_KAFKA_REPLICATION", "3", lambda s: s.kafka.replication),
        ("SPOTCLIP_INDEX_WORKERS", "7", lambda s: s.jobs.index.workers),
        ("SPOTCLIP_WATCHDOG_INTERVAL_S", "2", lambda s: s.watchdog_interval_s),
    ],
)
def test_numbers_are_read_from_text(name: str, value: str, found: object) -> None:
    """An environment holds text alone."""
    assert callable(found)
    assert found(Settings.from_environment(FULL | {name: value})) == int(value)


def test_models_are_chosen_by_name_or_by_file() -> None:
    """A path is absolute: each process has a working directory of its own."""
    assert Settings.from_environment(FULL).models == ModelChoice()
    assert Settings.from_environment(FULL | {"SPOTCLIP_DETECTOR": "hog"}).models.detector is DetectorKind.HOG
    own = {"SPOTCLIP_DETECTOR": "/models/faces.onnx", "SPOTCLIP_EMBEDDER": "/models/vectors.onnx"}
    chosen = ModelChoice(detector=Path("/models/faces.onnx"), embedder=Path("/models/vectors.onnx"))
    assert Settings.from_environment(FULL | own).models == chosen


def test_deadlines_are_given_in_seconds_and_handed_out_in_ms() -> None:
    """People write seconds, messages carry milliseconds."""
    api = Settings.from_environment(FULL | {"SPOTCLIP_SEARCH_DEADLINE_S": "1.5"}).api
    assert api.search.deadline_ms == 1500


def test_a_worker_has_a_place_of_its_own_only_where_one_is_given() -> None:
    """Two that shared one would throw each other out of their group."""
    assert Settings.from_environment(FULL).member_slot is None
    assert Settings.from_environment(FULL | {"SPOTCLIP_MEMBER_SLOT": "host-3"}).member_slot == "host-3"


def test_defaults_are_those_of_the_api_group() -> None:
    """Two places name the API's defaults; they agree."""
    api = Settings.from_environment(FULL).api
    assert api.selfie == type(api.selfie)()
    assert api.search == type(api.search)()
    assert api.video == type(api.video)()
    assert api.admin.verdict_wait_s == type(api.admin)().verdict_wait_s


def test_group_that_is_not_asked_for_may_be_missing() -> None:
    """An API process has no address of ClickHouse."""
    without = {name: value for name, value in FULL.items() if "CLICKHOUSE" not in name}
    settings = Settings.from_environment(without)
    assert settings.api.public_base
    assert settings.s3.endpoint
    with pytest.raises(SettingsError, match="Set SPOTCLIP_CLICKHOUSE;"):
        _ = settings.clickhouse


@pytest.mark.parametrize(
    "name", ["SPOTCLIP_KAFKA", "SPOTCLIP_SECRET", "SPOTCLIP_S3_SECRET_KEY", "SPOTCLIP_PUBLIC_BASE"]
)
def test_missing_value_is_named(name: str) -> None:
    """Also when it is set to nothing."""
    settings = Settings.from_environment(FULL | {name: ""})
    with pytest.raises(SettingsError, match=f"Set {name}; "):
        [getattr(settings, group) for group in GROUPS]


def test_no_admin_token_leaves_the_admin_api_closed() -> None:
    """Nobody gets in by a default."""
    assert Settings.from_environment(FULL | {"SPOTCLIP_ADMIN_TOKEN": ""}).api.admin.token is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SPOTCLIP_NAMESPACE", "Race Day"),
        ("SPOTCLIP_NAMESPACE", "race_day"),
        ("SPOTCLIP_NAMESPACE", "r" * 41),
        ("SPOTCLIP_SECRET", "too-short-a-value"),
        ("SPOTCLIP_ADMIN_TOKEN", "short-value"),
        ("SPOTCLIP_KAFKA", "kafka-without-port"),
        ("SPOTCLIP_CLICKHOUSE", "ftp://somewhere"),
        ("SPOTCLIP_S3_ENDPOINT", "not-an-address"),
        ("SPOTCLIP_RECORD_PARTITIONS", "0"),
        ("SPOTCLIP_WORK_PARTITIONS", "many-of-them"),
        ("SPOTCLIP_SELFIE_MAX_BYTES", "-1"),
        ("SPOTCLIP_RENDER_MEMORY_BYTES", "1000"),
        ("SPOTCLIP_MEMBER_SLOT", "host three"),
        ("SPOTCLIP_DETECTOR", "retina-net"),
        ("SPOTCLIP_DETECTOR", "own"),
        ("SPOTCLIP_EMBEDDER", "models/vectors.onnx"),
    ],
)
def test_wrong_value_is_named_but_not_told(name: str, value: str) -> None:
    """One sentence; a value may be a secret that was put into the wrong variable."""
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment(FULL | {name: value})
    sentence = str(raised.value)
    assert sentence.startswith(f"Correct {name}: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    if not value.lstrip("-").isdigit():
        assert value not in sentence
        assert value not in str(raised.value.__cause__)


@pytest.mark.parametrize("url", ["http://user:word@host:8123", "http://host:8123/path", "http://host:8123/?a=b"])
def test_address_with_more_than_a_place_is_refused(url: str) -> None:
    """User and password have variables of their own."""
    with pytest.raises(SettingsError, match="SPOTCLIP_CLICKHOUSE as http://host:port"):
        _ = Settings.from_environment(FULL | {"SPOTCLIP_CLICKHOUSE": url}).clickhouse


def test_file_gives_what_the_environment_does_not(tmp_path: Path) -> None:
    """The environment wins, so that one process may differ."""
    file = tmp_path / "spotclip.toml"
    file.write_text('kafka = "from-file:1"\nnamespace = "from-file"\nindex_workers = 5\n', encoding="utf-8")
    settings = Settings.from_environment({"SPOTCLIP_NAMESPACE": "from-env"}, file)
    assert (settings.kafka.bootstrap, settings.namespace, settings.jobs.index.workers) == ("from-file:1", "from-env", 5)


@pytest.mark.parametrize(
    ("text", "said"),
    [("kafkaa = 'x:1'", "unknown name, kafkaa"), ("= nonsense", "no TOML"), ("index_workers = 'x'", "INDEX_WORKERS")],
)
def test_wrong_file_is_told(tmp_path: Path, text: str, said: str) -> None:
    """A misspelt name would otherwise be a default that nobody notices."""
    file = tmp_path / "spotclip.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        Settings.from_environment({}, file)


def test_missing_file_is_told(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(SettingsError, match=r"none\.toml"):
        Settings.from_environment({}, tmp_path / "none.toml")


def test_foreign_variables_are_left_alone() -> None:
    """Other programs of the project have variables of the same prefix."""
    assert Settings.from_environment(FULL | {"SPOTCLIP_URL": "http://x", "PATH": "/bin"}).namespace == "race-day"


def test_no_secret_is_in_any_repr() -> None:
    """A group may land in a traceback or a log."""
    settings = Settings.from_environment(FULL)
    told = repr(settings) + "".join(repr(getattr(settings, group)) for group in GROUPS)
    hidden = [value for name, value in FULL.items() if name.endswith(("SECRET", "TOKEN", "PASSWORD", "_KEY"))]
    assert len(hidden) == 5
    assert not [value for value in hidden if value in told]


def test_every_value_says_why() -> None:
    """A limit without a reason is a riddle."""
    assert not [name for name, field in Values.model_fields.items() if not field.description]
