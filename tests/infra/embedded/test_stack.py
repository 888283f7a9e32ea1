"""The whole stack with its real engines: what is up, what is kept, what is left behind.

One long file: all of it goes over one kept directory, which takes seconds to make.
"""

import contextlib
import http.client
import io
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from minio import Minio
from minio.error import S3Error

from infra.embedded import kafka, kafka_aot
from infra.embedded.addresses import Addresses, read_addresses
from infra.embedded.errors import EmbeddedError
from infra.embedded.jars import fetch
from infra.embedded.ports import Ports, load, taken_by
from infra.embedded.stack import EmbeddedStack, Training
from tests.infra.embedded.processes import listeners, runs
from tests.waiting import wait_until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[3]
SECOND_START_S = 5.0
START_AFTER_KILL_S = 8.0


def allowed_s(quiet_s: float) -> float:
    """What a start may take that may take so long on a quiet machine: more where others wait for the same cores."""
    return quiet_s * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


RECORDS = 300
OBJECTS = 60
TOPIC = "kept.v1"


def objects(addresses: Addresses) -> Minio:
    return Minio(
        urlsplit(addresses.s3_endpoint).netloc,
        addresses.s3_access_key,
        addresses.s3_secret_key,
        region=addresses.s3_region,
        secure=False,
    )


def send(addresses: Addresses, values: Sequence[bytes]) -> set[bytes]:
    """Send and return what the broker acknowledged."""
    acknowledged: set[bytes] = set()
    producer = Producer({"bootstrap.servers": addresses.kafka_bootstrap, "enable.idempotence": True})
    for value in values:
        producer.produce(
            TOPIC, value, on_delivery=lambda error, message: error or acknowledged.add(message.value() or b"")
        )
    assert producer.flush(30) == 0
    return acknowledged


def make_topic(addresses: Addresses) -> None:
    admin = AdminClient({"bootstrap.servers": addresses.kafka_bootstrap})
    admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(30)


def read_all(addresses: Addresses) -> list[bytes]:
    consumer = Consumer(
        {"bootstrap.servers": addresses.kafka_bootstrap, "group.id": str(uuid.uuid4()), "enable.auto.commit": False}
    )
    try:
        _, end = consumer.get_watermark_offsets(TopicPartition(TOPIC, 0), timeout=30)
        consumer.assign([TopicPartition(TOPIC, 0, 0)])
        values: list[bytes] = []

        def more() -> bool:
            values.extend(message.value() or b"" for message in consumer.consume(500, 0.2) if not message.error())
            return len(values) >= end

        wait_until(more, 30, f"{end} records")
        return values
    finally:
        consumer.close()


def put(client: Minio, bucket: str, names: Sequence[str]) -> None:
    for name in names:
        content = name.encode() * 50
        client.put_object(bucket, name, io.BytesIO(content), len(content))


def stored(client: Minio, bucket: str) -> dict[str, bytes]:
    found = {}
    for item in client.list_objects(bucket, recursive=True):
        response = client.get_object(bucket, str(item.object_name))
        found[str(item.object_name)] = response.read()
        response.close()
        response.release_conn()
    return found


def rows(addresses: Addresses) -> "clickhouse_connect.driver.client.Client":
    url = urlsplit(addresses.clickhouse_url)
    return clickhouse_connect.get_client(
        host=url.hostname,
        port=url.port,
        username=addresses.clickhouse_user,
        password=addresses.clickhouse_password,
    )


def all_pids(stack: EmbeddedStack) -> list[int]:
    return [*stack.pids().values(), *stack.guardian_pids().values()]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, stack_cache: Path) -> Iterator[Path]:
    """A data directory that was started once and holds a topic, a bucket and a table."""
    folder = tmp_path_factory.mktemp("kept")
    with EmbeddedStack(folder, stack_cache, training=Training.NEVER) as stack:
        make_topic(stack.addresses)
        objects(stack.addresses).make_bucket("kept")
        with contextlib.closing(rows(stack.addresses)) as client:
            client.command("CREATE TABLE kept (n UInt32) ENGINE = MergeTree ORDER BY n")
            client.command("INSERT INTO kept SELECT number FROM numbers(1000)")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_the_second_start_takes_less_than_five_seconds_and_downloads_nothing(kept: Path, stack_cache: Path) -> None:
    told: list[str] = []
    stack = EmbeddedStack(kept, stack_cache, training=Training.NEVER)
    begun = time.monotonic()
    stack.start(lambda _done, _total, name: told.append(name))
    took_s = time.monotonic() - begun
    try:
        assert told == []
        assert took_s < allowed_s(SECOND_START_S)
        with contextlib.closing(rows(stack.addresses)) as client:
            assert client.command("SELECT sum(n) FROM kept") == 499500
    finally:
        stack.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_every_listener_is_on_loopback_and_every_port_is_known(kept: Path, stack_cache: Path) -> None:
    with EmbeddedStack(kept, stack_cache, training=Training.NEVER) as stack:
        open_now = {address for pid in all_pids(stack) for address in listeners(pid)}
    expected = {port for name, base in asdict(load(kept / "ports.json")).items() for port in taken_by(name, base)}
    assert open_now == {("127.0.0.1", port) for port in expected}


def test_stop_leaves_no_process_no_port_and_no_pid_file(kept: Path, stack_cache: Path) -> None:
    stack = EmbeddedStack(kept, stack_cache, training=Training.NEVER)
    stack.start()
    pids = all_pids(stack)
    assert len(pids) == 6
    assert all(runs(pid) for pid in pids)
    stack.stop()
    assert not [pid for pid in pids if runs(pid)]
    assert not list((kept / "run").glob("*.pid"))
    stack.stop()


def test_who_has_no_secret_gets_nothing(kept: Path, stack_cache: Path) -> None:
    with EmbeddedStack(kept, stack_cache, training=Training.NEVER) as stack:
        addresses = stack.addresses
        put(objects(addresses), "kept", ["private"])
        anonymous = Minio(urlsplit(addresses.s3_endpoint).netloc, region=addresses.s3_region, secure=False)
        with pytest.raises(S3Error, match="AccessDenied"):
            anonymous.get_object("kept", "private")
        url = urlsplit(addresses.clickhouse_url)
        with pytest.raises(DatabaseError, match="516"):
            clickhouse_connect.get_client(host=url.hostname, port=url.port, username="spotclip", password="wrong")
        # The store behind the S3 server, which knows no S3 users, asks for a token of its own.
        for method, path in (("GET", "/buckets/kept/private"), ("PUT", "/buckets/kept/forged"), ("GET", "/")):
            connection = http.client.HTTPConnection("127.0.0.1", load(kept / "ports.json").s3_filer, timeout=10)
            connection.request(method, path)
            assert connection.getresponse().status == 401
            connection.close()


def test_secrets_and_ports_stay_over_starts(kept: Path, stack_cache: Path) -> None:
    with EmbeddedStack(kept, stack_cache, training=Training.NEVER) as stack:
        first = stack.addresses
        with pytest.raises(EmbeddedError, match=f"is in use by process {os.getpid()}"):
            EmbeddedStack(kept, stack_cache).start()
    with pytest.raises(EmbeddedError, match="start it first"):
        _ = stack.addresses
    with EmbeddedStack(kept, stack_cache, training=Training.NEVER) as stack:
        assert stack.addresses == first


def test_two_stacks_run_side_by_side_and_data_survives_other_ports(
    kept: Path, stack_cache: Path, tmp_path: Path
) -> None:
    old = load(kept / "ports.json")
    with EmbeddedStack(kept, stack_cache, training=Training.NEVER) as first:
        put(objects(first.addresses), "kept", ["moves"])
        sent = send(first.addresses, [b"moves"])
        with EmbeddedStack(tmp_path / "second", stack_cache, training=Training.NEVER) as second:
            assert not set(asdict(first.addresses).values()) & {
                value
                for name, value in asdict(second.addresses).items()
                if name not in ("s3_region", "clickhouse_user")
            }
            new = load(tmp_path / "second" / "ports.json")
    assert sent == {b"moves"}
    # The second one is gone: its ports are free for the first one's data.
    with EmbeddedStack(kept, stack_cache, new, training=Training.NEVER) as moved:
        assert moved.addresses.kafka_bootstrap.endswith(f":{new.kafka}")
        assert stored(objects(moved.addresses), "kept")["moves"] == b"moves" * 50
        assert b"moves" in read_all(moved.addresses)
    assert new != old


def test_all_that_was_acknowledged_is_there_after_kill_9_of_everything(kept: Path, stack_cache: Path) -> None:
    stack = EmbeddedStack(kept, stack_cache, training=Training.NEVER)
    stack.start()
    run = uuid.uuid4().hex
    acknowledged = send(stack.addresses, [f"{run}-{n}".encode() for n in range(RECORDS)])
    names = [f"{run}/{n}" for n in range(OBJECTS)]
    put(objects(stack.addresses), "kept", names)
    with contextlib.closing(rows(stack.addresses)) as client:
        client.command("INSERT INTO kept SELECT 5000 + number FROM numbers({n:UInt32})", parameters={"n": RECORDS})
    # Guardians first, so that nobody restarts or stops anything in good order; the lock goes with them.
    pids = [*stack.guardian_pids().values(), *stack.pids().values()]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # its guardian took it along
            os.kill(pid, signal.SIGKILL)
    stack.stop()
    wait_until(lambda: not [pid for pid in pids if runs(pid)], 20, "the end of everything that was killed")
    again = EmbeddedStack(kept, stack_cache, training=Training.NEVER)
    begun = time.monotonic()
    again.start()
    took_s = time.monotonic() - begun
    try:
        values = [value for value in read_all(again.addresses) if value.startswith(run.encode())]
        assert len(acknowledged) == RECORDS
        assert sorted(values) == sorted(acknowledged)
        found = stored(objects(again.addresses), "kept")
        assert {name: found.get(name) for name in names} == {name: name.encode() * 50 for name in names}
        with contextlib.closing(rows(again.addresses)) as client:
            assert client.command("SELECT count() FROM kept WHERE n >= 5000") == RECORDS
        assert took_s < allowed_s(START_AFTER_KILL_S)
    finally:
        again.stop()


def test_an_engine_that_is_killed_comes_back(kept: Path, stack_cache: Path) -> None:
    with EmbeddedStack(kept, stack_cache, training=Training.NEVER) as stack:
        first = stack.pids()
        os.kill(first["kafka"], signal.SIGKILL)
        wait_until(lambda: not runs(first["kafka"]), 5, "the end of the killed broker")
        port = int(stack.addresses.kafka_bootstrap.rsplit(":", 1)[1])
        wait_until(lambda: kafka.answers(port), 30, "a broker again")
        after = stack.pids()
        assert after["kafka"] != first["kafka"]
        assert (after["s3"], after["clickhouse"]) == (first["s3"], first["clickhouse"])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_java_of_the_users_own_runs_the_broker_without_our_cache(kept: Path, stack_cache: Path) -> None:
    settings = kafka.KafkaSettings(java=kafka.wheel_java())
    with EmbeddedStack(kept, stack_cache, settings=settings) as stack:
        shown = Path(f"/proc/{stack.pids()['kafka']}/cmdline").read_bytes()
        assert stack.training_ended()
    assert b"kafka.Kafka" in shown
    assert b"AOTCache" not in shown


def command(data: Path, cache: Path, ready: Path, *more: str) -> list[str]:
    places = ["--data-dir", str(data), "--cache-dir", str(cache), "--ready-file", str(ready)]
    return [sys.executable, "-m", "infra.embedded", *places, "--training", "never", *more]


def run_program(argv: Sequence[str], data: Path, ready: Path) -> "tuple[subprocess.Popen[bytes], list[int]]":
    """Start the program, wait until it is ready, return it and the pids of its engines."""
    process = subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE)
    wait_until(lambda: ready.exists() or process.poll() is not None, 60, "a ready file")
    return process, [int(path.read_text()) for path in (data / "run").glob("*.pid")]


def test_the_program_writes_a_ready_file_and_sigterm_leaves_nothing(
    kept: Path, stack_cache: Path, tmp_path: Path
) -> None:
    ready = tmp_path / "ready.json"
    process, pids = run_program(command(kept, stack_cache, ready), kept, ready)
    with process:
        assert len(pids) == 3
        assert ready.stat().st_mode & 0o777 == 0o600
        assert "kept" in [bucket.name for bucket in objects(read_addresses(ready)).list_buckets()]
        second = subprocess.run(
            command(kept, stack_cache, tmp_path / "other.json"), cwd=ROOT, capture_output=True, timeout=60, check=False
        )
        assert second.returncode == 1
        assert f"is in use by process {process.pid}" in second.stderr.decode()
        process.terminate()
        assert process.wait(30) == 0
    assert not ready.exists()
    assert not [pid for pid in pids if runs(pid)]


def test_kill_9_of_the_program_leaves_nothing_and_the_next_start_waits_for_it(
    kept: Path, stack_cache: Path, tmp_path: Path
) -> None:
    ready = tmp_path / "ready.json"
    process, pids = run_program(command(kept, stack_cache, ready), kept, ready)
    with process:
        assert len(pids) == 3
        process.kill()
    # At once, while the engines of the killed program are still stopping.
    with EmbeddedStack(kept, stack_cache, training=Training.NEVER) as stack:
        assert not [pid for pid in pids if runs(pid)]
        assert len(stack.pids()) == 3


def test_the_program_ends_with_the_process_that_it_follows(kept: Path, stack_cache: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with subprocess.Popen(["/bin/sleep", "60"]) as leader:
        process, pids = run_program(command(kept, stack_cache, ready, "--follow", str(leader.pid)), kept, ready)
        leader.kill()
    with process:
        assert process.wait(30) == 0
    assert not [pid for pid in pids if runs(pid)]


def test_sigterm_during_the_start_leaves_nothing(stack_cache: Path, tmp_path: Path) -> None:
    data, ready = tmp_path / "data", tmp_path / "ready.json"
    with subprocess.Popen(command(data, stack_cache, ready), cwd=ROOT) as process:
        wait_until((data / "run" / "s3.pid").exists, 30, "the first engine")
        pid = int((data / "run" / "s3.pid").read_text())
        process.terminate()
        assert process.wait(15) == 0
    assert not ready.exists()
    assert not runs(pid)
    assert not list((data / "run").glob("*.pid"))


def test_a_taken_port_is_a_sentence_and_leaves_nothing(kept: Path, stack_cache: Path, tmp_path: Path) -> None:
    with EmbeddedStack(kept, stack_cache, training=Training.NEVER) as stack:
        taken = int(urlsplit(stack.addresses.clickhouse_url).port or 0)
        other = EmbeddedStack(tmp_path, stack_cache, Ports(clickhouse=taken), training=Training.NEVER)
        with pytest.raises(EmbeddedError, match=f"^clickhouse needs port {taken}, which is taken; stop"):
            other.start()
    assert not list((tmp_path / "run").glob("*.pid"))


def test_training_makes_a_cache_that_the_broker_takes(stack_cache: Path, tmp_path: Path) -> None:
    jars = fetch(kafka.LOCK, kafka_aot.jar_folder(stack_cache), lambda _done, _total, _name: None)
    java = kafka.wheel_java()
    made = kafka_aot.train(tmp_path, java, jars, tmp_path / "log")
    assert made == kafka_aot.cache_path(tmp_path, java, jars)
    assert [path.name for path in made.parent.glob("*.aot")] == [made.name]
    assert not list(made.parent.glob(".train-*"))
    # With AOTMode=on a JVM refuses to run with a cache that does not fit.
    class_path = os.pathsep.join(str(jar) for jar in jars)
    flags = [*kafka.JVM, "-XX:AOTMode=on", f"-XX:AOTCache={made}"]
    done = subprocess.run(
        [str(java), *flags, "-cp", class_path, "kafka.tools.StorageTool", "random-uuid"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
