"""Every value that may be set from outside: its name, its bounds and the reason for its default.

In the environment `SPOTCLIP_` and the name in capitals; in a TOML file the name as it stands here. The environment
wins.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

from infra.errors import UserError
from infra.user_folders import CACHE_DIR, DATA_DIR

PREFIX = "SPOTCLIP_"
_MIB = 1024 * 1024

# Part of topics, groups, buckets (at most 63 characters with their ending) and the database: what all of them allow.
Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,38}[a-z0-9]$")]
# Part of a member's name in its consumer group; such as a host's ordinal.
Slot = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
# As much as an HMAC-SHA256 key is worth: 32 random bytes as hexadecimal digits are 64 characters.
Secret = Annotated[SecretStr, Field(min_length=32)]
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]


class SettingsError(UserError):
    """A setting is missing or wrong; the text is one sentence that names it. Never holds a value."""


class Values(BaseModel):
    """All values. What a process does not need may be missing: it is asked for by the group that needs it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    namespace: Namespace = Field("spotclip", description="Several deployments may share engines under different names.")
    secret: Secret | None = Field(None, description="Keys the clips' addresses, so that nobody can guess one.")
    admin_token: SecretStr | None = Field(
        None, min_length=16, description="Opens the admin API. Without it there is none: closed by default."
    )
    public_base: AnyHttpUrl | None = Field(None, description="Scheme and host under which people reach the API.")
    data: Path = Field(default_factory=lambda: DATA_DIR, description="What has to stay: the API's replica.")
    cache: Path = Field(default_factory=lambda: CACHE_DIR, description="What can be made again: models.")

    kafka: str | None = Field(None, pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$", description="`host:port`, with commas.")
    kafka_replication: Count | None = Field(
        None, description="Copies of a partition; the cluster's default unless set."
    )
    record_partitions: Annotated[int, Field(ge=1, le=1000)] = Field(
        8, description="Never changed later: a key would move. 8: a ledger does about 1,200 events a second."
    )
    work_partitions: Annotated[int, Field(ge=1, le=10_000)] = Field(
        32, description="The most workers of a role that can be busy. 32: wider than one machine; may be raised."
    )

    member_slot: Slot | None = Field(
        None,
        description="A name that this worker keeps over restarts and shares with no other of its role: after a kill it "
        "goes on at once. Without one its work waits until the broker gives the old process up, 10 to 30 s.",
    )

    clickhouse: AnyHttpUrl | None = Field(None, description="`http://host:port` of ClickHouse's HTTP interface.")
    clickhouse_user: str = Field("default", min_length=1, description="`default` is the user of a new ClickHouse.")
    clickhouse_password: SecretStr = Field(SecretStr(""), description="Empty, as of a new ClickHouse.")

    s3_endpoint: AnyHttpUrl | None = Field(None, description="`http://host:port` as the processes reach it.")
    s3_access_key: SecretStr | None = Field(None, min_length=1, description="One that may read and write both buckets.")
    s3_secret_key: SecretStr | None = Field(None, min_length=1, description="Its secret.")
    s3_region: str = Field("us-east-1", min_length=1, description="`us-east-1` is what stores without regions take.")

    selfie_max_bytes: Annotated[int, Field(ge=1024, le=100 * _MIB)] = Field(
        10 * _MIB, description="10 MiB: above the JPEG of any phone."
    )
    selfie_max_pixels: Annotated[int, Field(ge=10_000, le=50_000_000)] = Field(
        50_000_000,
        description="Above a phone's 48 million; as RGB 150 MB. A child decodes no more, so it is also the most.",
    )
    video_max_bytes: Annotated[int, Field(ge=_MIB)] = Field(
        50 * 1024 * _MIB, description="50 GiB: five hours at 20 Mb/s; keeps a runaway upload from filling the store."
    )
    search_deadline_s: Seconds = Field(600.0, description="A heavy event may take minutes; then the search has failed.")
    video_deadline_s: Seconds = Field(1800.0, description="Silence while indexing; a chunk takes about a minute.")
    watchdog_interval_s: Seconds = Field(
        15.0, description="How late a ledger may notice a deadline; each round reads every record of the process."
    )
    verdict_wait_s: Annotated[float, Field(ge=0, le=30)] = Field(
        0.25, description="Two hops of the log take some 5 ms, a match 100 ms; longer would be felt by everyone."
    )
    admin_verdict_wait_s: Annotated[float, Field(ge=0, le=60)] = Field(
        5.0, description="A ledger that has just lost a worker is back in about that time."
    )

    detector: str = Field(
        "auto",
        pattern=r"^(auto|yunet|blazeface|hog|/.+\.onnx)$",
        description="`auto` takes the first of `yunet`, `blazeface` and `hog` that is installed; or the absolute path "
        "of an ONNX file. Another one is another model: footage is then indexed anew (docs/models.md).",
    )
    embedder: str = Field(
        "auto",
        pattern=r"^(auto|/.+\.onnx)$",
        description="`auto` is dlib's network; or the absolute path of an ONNX file. Another one is another model.",
    )

    selfie_workers: Count = Field(2, description="Children of a match worker. 2: one per core of a small machine.")
    selfie_timeout_s: Seconds = Field(30.0, description="A selfie takes 0.1 s; a first one loads the models.")
    selfie_memory_bytes: Annotated[int, Field(ge=256 * _MIB)] = Field(
        1536 * _MIB, description="The models and a few copies of the largest picture."
    )
    index_workers: Count = Field(2, description="Children of an index worker. 2: one per core of a small machine.")
    index_timeout_s: Seconds = Field(300.0, description="A chunk is about a minute of footage and takes about as long.")
    index_memory_bytes: Annotated[int, Field(ge=256 * _MIB)] = Field(
        3072 * _MIB, description="The models and a decoder's reference pictures at 4K, 12 MB each."
    )
    render_workers: Count = Field(2, description="Children of a render worker. 2: one per core of a small machine.")
    render_timeout_s: Seconds = Field(300.0, description="An encode of the longest clip (120 s) on one slow core.")
    render_memory_bytes: Annotated[int, Field(ge=256 * _MIB)] = Field(
        3072 * _MIB, description="A 4K decoder and x264's look-ahead of 40 pictures, 12 MB each."
    )


def read_values(environ: Mapping[str, str], config: Path | None = None) -> Values:
    """Read a TOML file, then the environment over it. Empty variables count as not set, foreign ones are left alone.

    Raises:
        SettingsError: The file cannot be read, or a value is wrong or, in the file, unknown.
    """
    given: dict[str, object] = {} if config is None else _read_file(config)
    for name in Values.model_fields:
        value = environ.get(f"{PREFIX}{name.upper()}")
        if value:
            given[name] = value
    try:
        return Values.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        name = str(first["loc"][0])
        if first["type"] == "extra_forbidden":
            raise SettingsError(f"The settings file has an unknown name, {name}; correct or remove it.") from error
        raise SettingsError(f"Correct {PREFIX}{name.upper()}: {_lower_first(first['msg'])}.") from error


def _read_file(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read; check its name and its permissions.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} is no TOML; correct it.") from error


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
