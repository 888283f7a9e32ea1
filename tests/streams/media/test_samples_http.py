"""How much of a source is read over HTTP for one window of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import pytest

from infra.demo_media import Race
from streams.media.errors import SourceUnreachable
from streams.media.samples import samples
from streams.render.cut import cut
from tests.range_server import RangeServer, range_server
from tests.waiting import wait_until

START_MS, END_MS = 40_000, 46_000
# The header, the first pictures, and what is on the way when the reader hangs up twice.
ALLOWANCE_BYTES = 2_500_000


def bytes_of_window(race: Race) -> int:
    """Size of the packets from the keyframe before the window to its end."""
    with av.open(str(race.path)) as container:
        stream = container.streams.video[0]
        packets = [(p.pts * p.time_base * 1000, p) for p in container.demux(stream) if p.pts is not None]
        keyframe_ms = max(time for time, packet in packets if packet.is_keyframe and time <= START_MS)
        return sum(packet.size for time, packet in packets if keyframe_ms <= time < END_MS)


def read_window(server: RangeServer, race: Race) -> list[int]:
    return [sample.time_ms for sample in samples(server.url(race.path.name), START_MS, END_MS, 5)]


@pytest.mark.parametrize("header", ["race", "race_moov_behind"])
def test_a_window_costs_little_more_than_its_own_bytes(header: str, request: pytest.FixtureRequest) -> None:
    race: Race = request.getfixturevalue(header)
    with range_server(race.path.parent) as server:
        assert read_window(server, race) == [sample.time_ms for sample in samples(race.path, START_MS, END_MS, 5)]
        needed = bytes_of_window(race)
        wait_until(lambda: server.bytes_sent >= needed, 5, "every byte counted; each piece is, after it was sent")
        assert server.bytes_sent < needed + ALLOWANCE_BYTES
        assert server.bytes_sent < race.path.stat().st_size / 2
        assert len(server.served) <= 5


@pytest.mark.parametrize("header", ["race", "race_moov_behind"])
def test_a_server_that_closes_connections_quietly_costs_no_picture(
    header: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    race: Race = request.getfixturevalue(header)
    near = cut(str(race.path), tmp_path / "near.mp4", 60_000, 64_000, 23)
    with range_server(race.path.parent, closes_quietly=True) as server:
        far = cut(server.url(race.path.name), tmp_path / "far.mp4", 60_000, 64_000, 23)
    assert far == near


class HangsUpHandler(BaseHTTPRequestHandler):
    """Promises the whole file and hangs up half-way."""

    path_served: Path

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Says nothing."""

    def do_GET(self) -> None:
        data = self.path_served.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])


@contextmanager
def hanging_up(path: Path) -> Iterator[str]:
    handler = type("Handler", (HangsUpHandler,), {"path_served": path})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/{path.name}"
        finally:
            server.shutdown()
            thread.join()


def test_a_broken_connection_is_an_outage(race: Race) -> None:
    with hanging_up(race.path) as url, pytest.raises(SourceUnreachable):
        for _ in samples(url, 0, race.duration_ms, 1, timeout_s=2):
            pass
