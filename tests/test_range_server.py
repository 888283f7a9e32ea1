from pathlib import Path

import httpx

from tests.range_server import range_server
from tests.waiting import wait_until

SOON_S = 5  # a piece is counted after it was sent
BODY = bytes(range(256)) * 400


def test_ranges_are_answered_and_counted(tmp_path: Path) -> None:
    """A range gets 206 and its own bytes, and the count holds those alone."""
    (tmp_path / "a.bin").write_bytes(BODY)
    with range_server(tmp_path) as server, httpx.Client() as client:
        middle = client.get(server.url("a.bin"), headers={"Range": "bytes=100-299"})
        tail = client.get(server.url("a.bin"), headers={"Range": "bytes=-50"})
        assert (middle.status_code, middle.content) == (206, BODY[100:300])
        assert middle.headers["Content-Range"] == f"bytes 100-299/{len(BODY)}"
        assert tail.content == BODY[-50:]
        wait_until(lambda: server.bytes_sent == 250, SOON_S, "the bytes of both ranges counted, and no others")
        server.forget()
        assert client.get(server.url("a.bin")).content == BODY
        wait_until(lambda: server.bytes_sent == len(BODY), SOON_S, "all bytes counted")


def test_impossible_requests_are_refused(tmp_path: Path) -> None:
    """A range past the end is 416 with the size; a name outside the folder is 404."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "a.bin").write_bytes(BODY)
    (tmp_path / "outside.bin").write_bytes(BODY)
    with range_server(tmp_path / "inside") as server, httpx.Client() as client:
        past = client.get(server.url("a.bin"), headers={"Range": f"bytes={len(BODY)}-"})
        assert (past.status_code, past.headers["Content-Range"]) == (416, f"bytes */{len(BODY)}")
        assert client.get(server.url("%2e%2e/outside.bin")).status_code == 404
