"""What goes to the log and how: one line per event, for people on a terminal, JSON elsewhere."""

import logging
from typing import TextIO

import structlog
from structlog.typing import Processor


def configure_logs(stream: TextIO, level: int = logging.INFO) -> None:
    """Send structlog's and the standard library's lines to `stream`. Called once, by whoever starts a process."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Plain tracebacks: the ones that show what variables hold would show pictures and secrets.
        structlog.processors.format_exc_info,
    ]
    render: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if stream.isatty()
        else structlog.processors.JSONRenderer(sort_keys=True)
    )
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        # A cached logger would keep to the stream it first met. Lines are few.
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # of vendors; ours speak through structlog
