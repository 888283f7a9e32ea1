"""Kafka's jars: read the lock, download what is missing, verify every byte."""

import hashlib
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import stamina

from infra.embedded.errors import EmbeddedError

THREADS = 6
ATTEMPTS = 3
TIMEOUT_S = 60
STALE_PART_S = 24 * 3600


class Progress(Protocol):
    """Told how far a download is; called from several threads, one call at a time."""

    def __call__(self, done_bytes: int, total_bytes: int, name: str) -> None:
        """``done_bytes`` of ``total_bytes`` are there; ``name`` is the file that moved."""


class Download(Protocol):
    """Fetches one jar into a folder."""

    def __call__(self, jar: "Jar", folder: Path, received: Callable[[int], None]) -> Path:
        """Return the file's path inside ``folder``; call ``received`` with each number of bytes that came.

        Raises:
            DownloadError: the jar did not come.
        """


class DownloadError(Exception):
    """One try to download a jar failed."""


@dataclass(frozen=True, kw_only=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str
    size_bytes: int

    @property
    def coordinate(self) -> str:
        """The Maven coordinate, ``group:artifact:version``."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        """The jar's file name in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def read_lock(lock: Path) -> list[Jar]:
    """Read ``group:artifact:version sha256 size`` lines, in the file's order (it is the class path's order)."""
    jars = []
    for line in lock.read_text(encoding="ascii").splitlines():
        coordinate, sha256, size = line.split()
        group, artifact, version = coordinate.split(":")
        jars.append(Jar(group=group, artifact=artifact, version=version, sha256=sha256, size_bytes=int(size)))
    return jars


def is_whole(jar: Jar, path: Path) -> bool:
    """Whether ``path`` holds exactly the bytes that the lock names."""
    if not path.is_file() or path.stat().st_size != jar.size_bytes:
        return False
    return file_sha256(path) == jar.sha256


def file_sha256(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class MavenDownload:
    """Downloads with jgo's resolver, from Maven's central repository or from a mirror.

    Args:
        mirror: address of a repository to use in place of the central one, such as a company's; None for the central.
    """

    def __init__(self, mirror: str | None = None) -> None:
        self._remote = None if mirror is None else {"mirror": mirror.rstrip("/")}

    def __call__(self, jar: Jar, folder: Path, received: Callable[[int], None]) -> Path:
        """See ``Download``."""
        # Imported here: a start with all jars in the cache needs neither jgo nor the network.
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415

        @contextmanager
        def count(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
            yield received

        context = MavenContext(
            resolver=PythonResolver(progress_callback=count),
            repo_cache=folder,
            local_repos=[],
            remote_repos=self._remote,
            timeout=TIMEOUT_S,
        )
        try:
            return Path(context.create_dependency(jar.coordinate).artifact.resolve())
        except (OSError, RuntimeError) as error:  # requests' exceptions are OSErrors; "not found" is a RuntimeError
            raise DownloadError(str(error)) from error


class _Counter:
    """Adds up received bytes over all threads."""

    def __init__(self, total_bytes: int, progress: Progress) -> None:
        self._done = 0
        self._total = total_bytes
        self._progress = progress
        self._lock = threading.Lock()

    def add(self, count: int, name: str) -> None:
        with self._lock:
            self._done += count
            self._progress(self._done, self._total, name)


def fetch(
    lock: Path,
    cache: Path,
    progress: Progress,
    *,
    download: Download | None = None,
) -> list[Path]:
    """Return the paths of all jars of ``lock`` in its order, downloading into ``cache`` what is not there.

    Every jar is compared with its hash on each call (46 jars of 45 MB: 0.1 s). A jar gets its name only when it is
    whole, so a killed download goes on where it stopped, and several processes may share a cache.

    Args:
        lock: the lock file.
        cache: folder for the jars, made if needed.
        progress: told about received bytes; not called when nothing is missing.
        download: how one jar is fetched; None for Maven's central repository.

    Raises:
        EmbeddedError: a jar did not come, or has other bytes than the lock says.
    """
    jars = read_lock(lock)
    cache.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="jars") as pool:
        whole = list(pool.map(lambda jar: is_whole(jar, cache / jar.file_name), jars))
        missing = [jar for jar, there in zip(jars, whole, strict=True) if not there]
        if missing:
            _remove_stale_parts(cache)
            counter = _Counter(sum(jar.size_bytes for jar in missing), progress)
            fetcher = download or MavenDownload()
            futures = [pool.submit(_fetch_one, jar, cache, counter, fetcher) for jar in missing]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                # The first bad jar ends it: what has not begun is not begun any more.
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    return [cache / jar.file_name for jar in jars]


def _fetch_one(jar: Jar, cache: Path, counter: _Counter, download: Download) -> None:
    with tempfile.TemporaryDirectory(dir=cache, prefix=".part-", ignore_cleanup_errors=True) as folder:
        try:
            path = _download_with_retries(jar, Path(folder), counter, download)
        except DownloadError as error:
            raise EmbeddedError(
                f"{jar.coordinate} could not be downloaded ({error}); check the network or the mirror and start again."
            ) from error
        got = file_sha256(path)
        if got != jar.sha256:
            raise EmbeddedError(
                f"{jar.coordinate} has sha256 {got}, but the lock says {jar.sha256}; "
                "do not use this download, and check the mirror."
            )
        path.replace(cache / jar.file_name)


def _download_with_retries(jar: Jar, folder: Path, counter: _Counter, download: Download) -> Path:
    for attempt in stamina.retry_context(on=DownloadError, attempts=ATTEMPTS, wait_initial=0.2, wait_max=2.0):
        with attempt:
            received = 0

            def count(size: int) -> None:
                nonlocal received
                received += size
                counter.add(size, jar.file_name)

            # A try of its own gets a folder of its own: jgo takes what lies there for a good download.
            place = folder / str(attempt.num)
            try:
                path = download(jar, place, count)
                _refuse_part(path, jar)
            except DownloadError:
                counter.add(-received, jar.file_name)
                shutil.rmtree(place, ignore_errors=True)
                raise
            return path
    raise AssertionError("retry_context ends by returning or raising")


def _refuse_part(path: Path, jar: Jar) -> None:
    """A connection that broke off is worth another try; a whole file with other bytes is not."""
    size_bytes = path.stat().st_size
    if size_bytes < jar.size_bytes:
        raise DownloadError(f"only {size_bytes} of {jar.size_bytes} bytes came")


def _remove_stale_parts(cache: Path) -> None:
    """Remove what killed downloads left; a younger folder may belong to another process."""
    oldest = time.time() - STALE_PART_S
    for part in cache.glob(".part-*"):
        if part.stat().st_mtime < oldest:
            shutil.rmtree(part, ignore_errors=True)
