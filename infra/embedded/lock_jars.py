"""Maintainer's tool: resolve Kafka's jars and write the lock (``python -m infra.embedded.lock_jars``).

Each root is resolved alone. jgo takes every root for a list of managed versions, so two roots in one call mix their
versions without a word: Kafka 4.3.1 together with its log4j binding gives the clients of Kafka 3.9.1.
"""

import argparse
import tempfile
from collections.abc import Iterable
from pathlib import Path

from infra.embedded.errors import EmbeddedError
from infra.embedded.jars import TIMEOUT_S, Jar, file_sha256
from infra.embedded.kafka import LOCK

ROOTS = (
    "org.apache.kafka:kafka_2.13:4.3.1",
    # Kafka 4.3.1 asks for slf4j 1.7 and log4j 2.25.4, so this is the binding (not `log4j-slf4j2-impl`).
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
)


def resolve(root: str, repository: Path) -> list[Jar]:
    """Resolve one root with everything it needs at run time, downloading into ``repository``."""
    from jgo.maven import MavenContext  # noqa: PLC0415 - a maintainer's tool; nothing else imports it

    context = MavenContext(repo_cache=repository, timeout=TIMEOUT_S)
    dependency = context.create_dependency(root)
    _, needed = context.resolver.resolve([dependency])
    jars = []
    for item in [dependency, *needed]:
        path = Path(item.artifact.resolve())
        jars.append(
            Jar(
                group=item.groupId,
                artifact=item.artifactId,
                version=item.version,
                sha256=file_sha256(path),
                size_bytes=path.stat().st_size,
            )
        )
    return jars


def merge(resolved: Iterable[tuple[str, list[Jar]]]) -> list[Jar]:
    """Join what the roots need, sorted by coordinate.

    Raises:
        EmbeddedError: two roots need two versions of one jar.
    """
    chosen: dict[tuple[str, str], Jar] = {}
    for root, jars in resolved:
        for jar in jars:
            known = chosen.setdefault((jar.group, jar.artifact), jar)
            if known.version != jar.version:
                raise EmbeddedError(
                    f"{root} needs {jar.group}:{jar.artifact} {jar.version}, another root needs {known.version}; "
                    "choose roots that agree."
                )
    return sorted(chosen.values(), key=lambda jar: jar.coordinate)


def render(jars: Iterable[Jar]) -> str:
    """The lock's text."""
    return "".join(f"{jar.coordinate} {jar.sha256} {jar.size_bytes}\n" for jar in jars)


def main() -> None:
    """Write the lock."""
    parser = argparse.ArgumentParser(description="Resolve Kafka's jars and write the lock.")
    parser.add_argument("--lock", type=Path, default=LOCK)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="spotclip-jars-") as repository:
        jars = merge((root, resolve(root, Path(repository))) for root in ROOTS)
    arguments.lock.write_text(render(jars), encoding="ascii")


if __name__ == "__main__":
    main()
