"""The settings of a process, read once at its entry point and handed out in frozen groups, each to who needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

from pydantic import AnyHttpUrl, SecretStr

from api.settings import AdminSettings, ApiSettings, ReplicaSettings, SearchSettings, SelfieLimits, VideoSettings
from infra.adapters.settings import ClickHouseSettings, KafkaSettings, S3Settings
from infra.setting_values import PREFIX, SettingsError, Values, read_values
from streams.flow import Role
from streams.shell.children import ChildLimits
from streams.vision.models.choice import DetectorKind, ModelChoice

__all__ = ["DeploymentSettings", "JobSettings", "Settings", "SettingsError"]

T = TypeVar("T")

# Indexing fills every core there is; a search that a person waits for goes first.
_INDEX_NICE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentSettings:
    """What all processes of a deployment have in common.

    Attributes:
        secret: Key of the clips' addresses.
    """

    namespace: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """What a job in a child may take, by role."""

    match: ChildLimits
    index: ChildLimits
    render: ChildLimits

    def of(self, role: Role) -> ChildLimits:
        """Those of a role that has children."""
        return {Role.MATCH: self.match, Role.INDEX: self.index, Role.RENDER: self.render}[role]


class Settings:
    """All groups. One that this process does not need may be missing; asking for it then raises `SettingsError`."""

    def __init__(self, values: Values) -> None:
        self._values = values

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], config: Path | None = None) -> Self:
        """Read `SPOTCLIP_*` over a TOML file.

        Raises:
            SettingsError: A value is wrong; the sentence names it.
        """
        return cls(read_values(environ, config))

    @property
    def namespace(self) -> str:
        """Prefix of the deployment's topics, groups, buckets and database."""
        return self._values.namespace

    @property
    def public_base(self) -> str:
        """Scheme and host under which people reach the API, without a trailing slash."""
        return str(_needed(self._values.public_base, "public_base")).rstrip("/")

    @property
    def data_dir(self) -> Path:
        """What has to stay."""
        return self._values.data.expanduser().absolute()

    @property
    def cache_dir(self) -> Path:
        """What can be made again."""
        return self._values.cache.expanduser().absolute()

    @property
    def models_dir(self) -> Path:
        """Where the face models are built and kept."""
        return self.cache_dir / "models"

    @property
    def models(self) -> ModelChoice:
        """Which detector and embedder to work with."""
        detector, embedder = self._values.detector, self._values.embedder
        return ModelChoice(
            detector=None if detector == "auto" else Path(detector) if "/" in detector else DetectorKind(detector),
            embedder=None if embedder == "auto" else Path(embedder),
        )

    @property
    def deployment(self) -> DeploymentSettings:
        """Names and secret."""
        return DeploymentSettings(
            namespace=self._values.namespace, secret=_revealed(self._values.secret, "secret").encode()
        )

    @property
    def kafka(self) -> KafkaSettings:
        """The log."""
        return KafkaSettings(
            bootstrap=_needed(self._values.kafka, "kafka"),
            namespace=self._values.namespace,
            record_partitions=self._values.record_partitions,
            work_partitions=self._values.work_partitions,
            replication=self._values.kafka_replication,
        )

    @property
    def member_slot(self) -> str | None:
        """The worker's own name in its group, kept over restarts; None where it has none."""
        return self._values.member_slot

    @property
    def watchdog_interval_s(self) -> float:
        """How late a ledger may notice a deadline."""
        return self._values.watchdog_interval_s

    @property
    def clickhouse(self) -> ClickHouseSettings:
        """The store of faces."""
        host, port, secure = _place(self._values.clickhouse, "clickhouse")
        return ClickHouseSettings(
            host=host,
            port=port,
            secure=secure,
            user=self._values.clickhouse_user,
            password=self._values.clickhouse_password.get_secret_value(),
            database=self._values.namespace.replace("-", "_"),
        )

    @property
    def s3(self) -> S3Settings:
        """The object store."""
        host, port, secure = _place(self._values.s3_endpoint, "s3_endpoint")
        return S3Settings(
            endpoint=f"{host}:{port}",
            secure=secure,
            access_key=_revealed(self._values.s3_access_key, "s3_access_key"),
            secret_key=_revealed(self._values.s3_secret_key, "s3_secret_key"),
            region=self._values.s3_region,
            private_bucket=f"{self._values.namespace}-private",
            public_bucket=f"{self._values.namespace}-public",
        )

    @property
    def api(self) -> ApiSettings:
        """The API."""
        values = self._values
        token = None if values.admin_token is None else values.admin_token.get_secret_value()
        return ApiSettings(
            public_base=self.public_base,
            replica=ReplicaSettings(path=self.data_dir / "replica.sqlite3"),
            selfie=SelfieLimits(max_bytes=values.selfie_max_bytes, max_pixels=values.selfie_max_pixels),
            search=SearchSettings(
                verdict_wait_s=values.verdict_wait_s, deadline_ms=round(values.search_deadline_s * 1000)
            ),
            video=VideoSettings(max_bytes=values.video_max_bytes, deadline_ms=round(values.video_deadline_s * 1000)),
            admin=AdminSettings(token=token, verdict_wait_s=values.admin_verdict_wait_s),
        )

    @property
    def jobs(self) -> JobSettings:
        """Limits of the children."""
        values = self._values
        return JobSettings(
            match=ChildLimits(values.selfie_workers, values.selfie_timeout_s, values.selfie_memory_bytes),
            index=ChildLimits(values.index_workers, values.index_timeout_s, values.index_memory_bytes, _INDEX_NICE),
            render=ChildLimits(values.render_workers, values.render_timeout_s, values.render_memory_bytes),
        )


def _needed(value: T | None, name: str) -> T:
    if value is None:
        raise SettingsError(f"Set {PREFIX}{name.upper()}; this process needs it.")
    return value


def _revealed(value: SecretStr | None, name: str) -> str:
    return _needed(value, name).get_secret_value()


def _place(url: AnyHttpUrl | None, name: str) -> tuple[str, int, bool]:
    given = _needed(url, name)
    if given.username or given.password or given.query or given.path not in (None, "/"):
        raise SettingsError(f"Give {PREFIX}{name.upper()} as http://host:port or https://host:port and nothing more.")
    # Both are there: the type has checked it.
    return given.host or "", given.port or 0, given.scheme == "https"
