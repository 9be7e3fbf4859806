"""Log lines as JSON, made so that personal values and secrets cannot reach them.

Our own loggers (`gateway` and below) write events: a constant text and named fields. Of any
other library's record only its origin and its constant text are kept: never its arguments, and
never an exception's own text, which can hold whatever the library was given.
"""

import json
import logging
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any

from app.observability import metrics

OWN = "gateway"
AUDIT = f"{OWN}.audit"


def logger(name: str) -> logging.Logger:
    """The logger of a part of the gateway."""
    return logging.getLogger(f"{OWN}.{name}")


def event(log: logging.Logger, level: int, text: str, **fields: Any) -> None:
    """Log a constant text with fields; a field that is None is left out."""
    log.log(level, text, extra={"gateway_fields": fields}, stacklevel=2)


def _frames(traceback: TracebackType | None) -> list[str]:
    return [
        f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(traceback)
    ]


def _exceptions(error: BaseException | None) -> Iterator[dict[str, Any]]:
    """The chain of exceptions by type and place, without their texts."""
    while error is not None:
        kind = type(error)
        yield {
            "type": f"{kind.__module__}.{kind.__qualname__}",
            "at": _frames(error.__traceback__)[-12:],
        }
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


class JsonFormatter(logging.Formatter):
    """One JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        if record.name == OWN or record.name.startswith(f"{OWN}."):
            line["event"] = record.msg
            fields: Mapping[str, Any] = getattr(record, "gateway_fields", {})
            line |= {name: value for name, value in fields.items() if value is not None}
        elif record.name == "gunicorn.error" and record.levelno == logging.INFO:
            line["event"] = record.getMessage()  # start and stop: addresses, process ids, signals
        else:
            # Text without arguments may have been put together from values; its place tells it.
            line["event"] = record.msg if record.args and isinstance(record.msg, str) else None
            line["at"] = f"{record.pathname}:{record.lineno}"
        if record.exc_info and record.exc_info[1]:
            line["exceptions"] = list(_exceptions(record.exc_info[1]))
        return json.dumps(line, default=str, separators=(",", ":"))


class AuditFile(WatchedFileHandler):
    """The file of the audit trail, opened anew when it is rotated.

    A line that cannot be written to it is counted and said; it stands on standard error all the
    same.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line; that the file cannot be opened any more must not end the request."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Count the line; logging's own way would print a stack trace."""
        metrics.AUDIT_FAILURES.inc()
        event(logger("logs"), logging.ERROR, "An audit line could not be written to its file")


def unexpected(error: BaseException | None, where: str) -> None:
    """Log an exception that nobody caught, by its type and place."""
    if error is None or isinstance(error, SystemExit):
        return
    text = "An exception was caught by nobody"
    fields = {"gateway_fields": {"where": where}}
    logger("unexpected").error(text, exc_info=error, extra=fields)


def catch_the_rest() -> None:
    """Log what Python would print with its text: warnings, and exceptions caught by nobody."""
    logging.captureWarnings(True)
    threading.excepthook = lambda caught: unexpected(caught.exc_value, "thread")
    sys.unraisablehook = lambda caught: unexpected(caught.exc_value, "finalizer")


def configuration(level: str, audit_file: Path | None = None) -> dict[str, Any]:
    """Logging's configuration: all as JSON on standard error, libraries from WARNING on.

    Args:
        level: From which level on the gateway's own lines are written.
        audit_file: Where the audit trail goes beside standard error. It does not depend on the
            level.
    """
    files = {}
    if audit_file:
        files["audit"] = {
            "()": AuditFile,
            "filename": str(audit_file),
            "encoding": "utf-8",
            "formatter": "json",
        }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "json",
            },
            **files,
        },
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            OWN: {"level": level},
            AUDIT: {"level": "INFO", "handlers": list(files)},
            "gunicorn.error": {"level": "INFO", "propagate": True},
            "gunicorn.access": {"level": "WARNING"},  # the gateway writes a line a request itself
        },
    }
