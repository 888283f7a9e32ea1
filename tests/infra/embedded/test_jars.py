"""Jars come whole, verified and once. The mirror is a local server; jgo's own client talks to it."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import stamina

from infra.embedded.errors import EmbeddedError
from infra.embedded.jars import MavenDownload, fetch, read_lock

JARS = {f"org.example:part{n}:1.{n}": bytes([n]) * (1000 + n) for n in range(8)}
TOTAL = sum(len(content) for content in JARS.values())


def url_path(coordinate: str) -> str:
    group, artifact, version = coordinate.split(":")
    return f"/{group.replace('.', '/')}/{artifact}/{version}/{artifact}-{version}.jar"


class Mirror(ThreadingHTTPServer):
    """A Maven repository over a dictionary, which remembers what was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), MirrorHandler)
        self.files = {url_path(coordinate): content for coordinate, content in JARS.items()}
        self.break_off: set[str] = set()
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class MirrorHandler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.path in self.server.break_off:
            self.server.break_off.remove(self.path)
            content = content[:10]
        self.wfile.write(content)

    def log_message(self, *_message: object) -> None:
        return


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with Mirror() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return write_lock(tmp_path / "lock", JARS)


def write_lock(path: Path, jars: dict[str, bytes]) -> Path:
    lines = [f"{name} {hashlib.sha256(content).hexdigest()} {len(content)}\n" for name, content in jars.items()]
    path.write_text("".join(lines))
    return path


class Told:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int, str]] = []

    def __call__(self, done_bytes: int, total_bytes: int, name: str) -> None:
        self.calls.append((done_bytes, total_bytes, name))


def get(lock: Path, cache: Path, mirror: Mirror, told: Told | None = None) -> list[Path]:
    return fetch(lock, cache, told or Told(), download=MavenDownload(mirror.url + "/"))


def test_all_jars_come_in_the_locks_order(lock: Path, tmp_path: Path, mirror: Mirror) -> None:
    paths = get(lock, tmp_path / "cache", mirror)
    assert [path.read_bytes() for path in paths] == list(JARS.values())
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == sorted(path.name for path in paths)


def test_progress_ends_at_the_total(lock: Path, tmp_path: Path, mirror: Mirror) -> None:
    told = Told()
    get(lock, tmp_path / "cache", mirror, told)
    done = [call[0] for call in told.calls]
    assert done == sorted(done)
    assert done[-1] == TOTAL
    assert {call[1] for call in told.calls} == {TOTAL}


def test_whole_jars_are_not_asked_for_again(lock: Path, tmp_path: Path, mirror: Mirror) -> None:
    get(lock, tmp_path / "cache", mirror)
    mirror.asked.clear()
    told = Told()
    get(lock, tmp_path / "cache", mirror, told)
    assert mirror.asked == []
    assert told.calls == []


@pytest.mark.parametrize("damage", ["a byte more", "a byte less", "another byte", "no file"])
def test_a_damaged_jar_is_fetched_again_and_no_other(lock: Path, tmp_path: Path, mirror: Mirror, damage: str) -> None:
    paths = get(lock, tmp_path / "cache", mirror)
    mirror.asked.clear()
    content = paths[3].read_bytes()
    if damage == "no file":
        paths[3].unlink()
    else:
        changed = {"a byte more": content + b"x", "a byte less": content[:-1], "another byte": b"x" + content[1:]}
        paths[3].write_bytes(changed[damage])
    get(lock, tmp_path / "cache", mirror)
    assert mirror.asked == [url_path("org.example:part3:1.3")]
    assert paths[3].read_bytes() == content


def test_other_bytes_than_the_lock_says_stop_with_both_hashes(lock: Path, tmp_path: Path, mirror: Mirror) -> None:
    name = "org.example:part5:1.5"
    forged = bytes(len(JARS[name]))
    mirror.files[url_path(name)] = forged
    got, wanted = (hashlib.sha256(content).hexdigest() for content in (forged, JARS[name]))
    with pytest.raises(EmbeddedError, match=f"^{name} has sha256 {got}, but the lock says {wanted}; .*$"):
        get(lock, tmp_path / "cache", mirror)
    assert not (tmp_path / "cache" / "part5-1.5.jar").exists()
    assert mirror.asked.count(url_path(name)) == 1


def test_a_jar_that_is_not_there_stops_with_its_name(lock: Path, tmp_path: Path, mirror: Mirror) -> None:
    del mirror.files[url_path("org.example:part2:1.2")]
    with pytest.raises(EmbeddedError, match=r"^org.example:part2:1.2 could not be downloaded .*start again\.$"):
        get(lock, tmp_path / "cache", mirror)


def test_a_connection_that_breaks_off_is_tried_again(lock: Path, tmp_path: Path, mirror: Mirror) -> None:
    path = url_path("org.example:part1:1.1")
    mirror.break_off.add(path)
    told = Told()
    paths = get(lock, tmp_path / "cache", mirror, told)
    assert paths[1].read_bytes() == JARS["org.example:part1:1.1"]
    assert mirror.asked.count(path) == 2
    assert told.calls[-1][0] == TOTAL


def test_a_download_that_stopped_goes_on_where_it_was(lock: Path, tmp_path: Path, mirror: Mirror) -> None:
    last = url_path("org.example:part7:1.7")
    content = mirror.files.pop(last)
    with pytest.raises(EmbeddedError):
        get(lock, tmp_path / "cache", mirror)
    there = {path.name for path in (tmp_path / "cache").glob("*.jar")}
    mirror.files[last] = content
    mirror.asked.clear()
    get(lock, tmp_path / "cache", mirror)
    assert there
    assert {Path(path).name for path in mirror.asked} == {Path(url_path(name)).name for name in JARS} - there


def test_a_mirror_out_of_reach_stops_with_a_sentence(lock: Path, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="check the network or the mirror"):
        fetch(lock, tmp_path / "cache", Told(), download=MavenDownload("http://127.0.0.1:1"))


def test_the_lock_reads_as_written(lock: Path) -> None:
    assert {jar.coordinate: jar.size_bytes for jar in read_lock(lock)} == {
        name: len(content) for name, content in JARS.items()
    }
