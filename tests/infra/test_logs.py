"""One line per event: JSON on a pipe, readable on a terminal, vendors' lines like ours."""

import io
import json
import logging
from typing import Any

import pytest
import structlog

from infra.logs import configure_logs


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def pipe() -> io.StringIO:
    stream = io.StringIO()
    configure_logs(stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail() -> None:
    secret = "sesame " * 3
    raise ValueError(f"the reason, {len(secret)} long")


def test_an_event_is_one_json_line_with_its_fields(pipe: io.StringIO) -> None:
    structlog.get_logger().info("clip stored", clip_id="c1", size_bytes=5)
    [line] = lines(pipe)
    assert (line["event"], line["clip_id"], line["size_bytes"], line["level"]) == ("clip stored", "c1", 5, "info")
    assert line["timestamp"].endswith("Z")


def test_what_was_bound_to_the_request_stands_in_its_lines(pipe: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger().info("search accepted")
        logging.getLogger("vendor").warning("slow answer")
    structlog.get_logger().info("idle")
    assert [line.get("request_id") for line in lines(pipe)] == ["r1", "r1", None]


def test_a_vendors_line_looks_like_ours(pipe: io.StringIO) -> None:
    logging.getLogger("vendor").warning("lost %s of %d", "one", 3)
    [line] = lines(pipe)
    assert (line["event"], line["level"]) == ("lost one of 3", "warning")
    assert line["timestamp"].endswith("Z")


def test_vendors_chatter_is_left_out(pipe: io.StringIO) -> None:
    """Below a warning; some of them name what they send."""
    logging.getLogger("vendor").info("GET /vids/secret-address")
    structlog.get_logger().debug("detail")
    assert pipe.getvalue() == ""


@pytest.mark.parametrize("vendor", [False, True], ids=["ours", "a vendor's"])
def test_an_exception_is_told_with_its_traceback_in_its_line(pipe: io.StringIO, vendor: bool) -> None:
    """A line of many lines would be many events."""
    try:
        fail()
    except ValueError:
        if vendor:
            logging.getLogger("vendor").exception("it broke")
        else:
            structlog.get_logger().exception("it broke")
    [line] = lines(pipe)
    assert (line["event"], line["level"]) == ("it broke", "error")
    assert "ValueError: the reason, 21 long" in line["exception"]
    assert "in fail" in line["exception"]
    assert "sesame sesame" not in pipe.getvalue()


def test_a_message_of_several_lines_stays_one_event(pipe: io.StringIO) -> None:
    structlog.get_logger().info("odd", name="a\nb\x1b[31m")
    [line] = lines(pipe)
    assert line["name"] == "a\nb\x1b[31m"


@pytest.mark.parametrize("vendor", [False, True], ids=["ours", "a vendor's"])
def test_a_terminal_gets_words_and_no_variables(vendor: bool) -> None:
    """A traceback that shows what variables hold would show pictures and secrets."""
    stream = Terminal()
    configure_logs(stream)
    try:
        fail()
    except ValueError:
        if vendor:
            logging.getLogger("vendor").exception("it broke")
        else:
            structlog.get_logger().exception("it broke", clip_id="c1")
    shown = stream.getvalue()
    assert "it broke" in shown
    assert "ValueError" in shown
    assert "the reason" in shown
    assert not shown.startswith("{")
    assert "sesame sesame" not in shown


def test_configuring_again_does_not_double_lines(pipe: io.StringIO) -> None:
    configure_logs(pipe)
    logging.getLogger("vendor").warning("once")
    assert len(lines(pipe)) == 1
