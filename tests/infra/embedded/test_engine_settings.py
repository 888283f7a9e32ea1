"""What the engines are told, and the files that hold secrets."""

import os
import random
from dataclasses import asdict
from pathlib import Path

import pytest

from infra.embedded import clickhouse, kafka, s3
from infra.embedded.addresses import Addresses, read_addresses, write_addresses
from infra.embedded.credentials import Credentials, keep_credentials
from infra.embedded.errors import EmbeddedError
from infra.embedded.kafka_aot import cache_path, remove_unused, usable
from infra.embedded.ports import Ports, settle
from infra.embedded.private_file import write_private

ADDRESSES = Addresses(
    kafka_bootstrap="127.0.0.1:1",
    clickhouse_url="http://127.0.0.1:2",
    clickhouse_user="user",
    clickhouse_password="secret-1",
    s3_endpoint="http://127.0.0.1:3",
    s3_access_key="secret-2",
    s3_secret_key="secret-3",
    s3_region="region",
)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def node(directory: Path, *, aot_cache: Path | None = None) -> kafka.KafkaNode:
    return kafka.KafkaNode(
        directory=directory,
        port=1001,
        controller_port=1002,
        java=Path("/java"),
        jars=(Path("/b.jar"), Path("/a.jar")),
        aot_cache=aot_cache,
        settings=kafka.KafkaSettings(offsets_retention_min=77),
    )


def read_properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_every_kafka_listener_is_on_loopback(tmp_path: Path) -> None:
    properties = read_properties(kafka.properties(node(tmp_path)))
    assert properties["listeners"] == "PLAINTEXT://127.0.0.1:1001,CONTROLLER://127.0.0.1:1002"
    assert properties["controller.quorum.voters"] == "1@127.0.0.1:1002"


def test_settings_reach_the_properties(tmp_path: Path) -> None:
    assert read_properties(kafka.properties(node(tmp_path)))["offsets.retention.minutes"] == "77"


def test_offsets_outlive_kafkas_own_seven_days_by_default() -> None:
    assert 5 * 365 * 24 * 60 < kafka.KafkaSettings().offsets_retention_min < 2**31


def test_the_class_path_keeps_the_jars_order(tmp_path: Path) -> None:
    argv = kafka.broker_argv(node(tmp_path))
    assert argv[0] == "/java"
    assert argv[argv.index("-cp") + 1] == "/b.jar:/a.jar"


def test_the_aot_cache_is_named_only_when_there_is_one(tmp_path: Path) -> None:
    assert not [part for part in kafka.service(node(tmp_path)).argv if "AOTCache" in part]
    assert "-XX:AOTCache=/x.aot" in kafka.service(node(tmp_path, aot_cache=Path("/x.aot"))).argv


def test_the_aot_caches_name_follows_java_and_jars(tmp_path: Path) -> None:
    java = tmp_path / "jre" / "bin" / "java"
    java.parent.mkdir(parents=True)
    release, jar = tmp_path / "jre" / "release", tmp_path / "a.jar"
    release.write_text("25.0.2")
    jar.write_text("a")
    names = [cache_path(tmp_path, java, [jar])]
    assert cache_path(tmp_path, java, [jar]) == names[0]
    release.write_text("25.0.3")
    names.append(cache_path(tmp_path, java, [jar]))
    jar.write_text("ab")
    names.append(cache_path(tmp_path, java, [jar]))
    names.append(cache_path(tmp_path, java, []))
    assert len(set(names)) == 4


def test_an_aot_cache_that_no_start_used_for_a_month_is_removed(tmp_path: Path) -> None:
    used, unused = tmp_path / "used.aot", tmp_path / "unused.aot"
    for path in (used, unused):
        path.touch()
        os.utime(path, (1_000, 1_000))
    assert usable(used)
    assert not usable(tmp_path / "missing.aot")
    remove_unused(tmp_path, used.stat().st_mtime)
    assert list(tmp_path.iterdir()) == [used]


def test_secrets_are_random_kept_private_and_never_shown(tmp_path: Path) -> None:
    first, other = keep_credentials(tmp_path / "one.json"), keep_credentials(tmp_path / "two.json")
    assert keep_credentials(tmp_path / "one.json") == first
    assert mode(tmp_path / "one.json") == 0o600
    hidden = {name: value for name, value in asdict(first).items() if name != "clickhouse_user"}
    assert not set(hidden.values()) & set(asdict(other).values())
    assert not [value for value in hidden.values() if value in repr(first)]


def test_a_broken_secrets_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{}")
    with pytest.raises(EmbeddedError, match="move it away"):
        keep_credentials(tmp_path / "secrets.json")


def credentials(tmp_path: Path) -> Credentials:
    return keep_credentials(tmp_path / "secrets.json")


def test_the_s3_servers_files_are_private(tmp_path: Path) -> None:
    ports = settle(Ports(), Ports(), random.Random(1))  # noqa: S311
    s3.prepare(s3.S3Node(directory=tmp_path / "s3", ports=ports, weed=Path("/weed")), credentials(tmp_path))
    assert mode(tmp_path / "s3") == 0o700
    assert mode(tmp_path / "s3" / "s3.json") == 0o600
    assert mode(tmp_path / "s3" / "security.toml") == 0o600


def test_the_s3_server_reports_nothing_to_its_makers(tmp_path: Path) -> None:
    argv = s3.argv(s3.S3Node(directory=tmp_path, ports=Ports(s3=1), weed=Path("/weed")))
    assert "-master.telemetry=false" in argv


def test_secrets_are_on_no_command_line(tmp_path: Path) -> None:
    own = credentials(tmp_path)
    services = [
        s3.service(s3.S3Node(directory=tmp_path, ports=Ports(), weed=Path("/weed")), own),
        clickhouse.service(tmp_path, 1, own),
    ]
    shown = " ".join(part for service in services for part in service.argv) + repr(services)
    assert not [value for value in (own.clickhouse_password, own.s3_secret_key, own.s3_signing_key) if value in shown]


def test_a_ready_file_is_private_and_reads_as_written(tmp_path: Path) -> None:
    write_addresses(tmp_path / "ready.json", ADDRESSES)
    assert mode(tmp_path / "ready.json") == 0o600
    assert read_addresses(tmp_path / "ready.json") == ADDRESSES
    assert "secret-" not in repr(ADDRESSES)


@pytest.mark.parametrize("content", [None, b"", b'{"kafka_bootstrap": "x"}'])
def test_a_file_that_is_no_ready_file_is_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "ready.json").write_bytes(content)
    with pytest.raises(EmbeddedError, match="is no ready file of a running stack"):
        read_addresses(tmp_path / "ready.json")


def test_a_private_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert mode(path) == 0o600
    with pytest.raises(TypeError):
        write_private(path, "no bytes")  # type: ignore[arg-type]
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_readiness_of_a_port_where_nobody_listens_is_no() -> None:
    assert not kafka.answers(1)
    assert not s3.answers(1)
    assert not clickhouse.answers(1)
