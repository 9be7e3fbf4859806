"""Log lines as JSON, without personal values and secrets.

Our own loggers (`gateway` and below) write events: a constant text and named fields. From the
records of libraries only the origin and the constant text are logged. Their arguments and the
texts of exceptions are left out, because they can hold any value that the library received.
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
    """The logger of one part of the gateway."""
    return logging.getLogger(f"{OWN}.{name}")


def event(log: logging.Logger, level: int, text: str, **fields: Any) -> None:
    """Log a constant text with fields.

    Args:
        log: One of our own loggers.
        level: The level of the line.
        text: The event, a constant text.
        fields: The fields; those that are None are left out.
    """
    log.log(level, text, extra={"gateway_fields": fields}, stacklevel=2)


def _frames(traceback: TracebackType | None) -> list[str]:
    return [
        f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(traceback)
    ]


def _exceptions(error: BaseException | None) -> Iterator[dict[str, Any]]:
    """The type and the stack frames of each exception of a chain, without its text."""
    while error is not None:
        kind = type(error)
        yield {
            "type": f"{kind.__module__}.{kind.__qualname__}",
            "at": _frames(error.__traceback__)[-12:],
        }
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
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
            # A text without arguments may be composed of values: log only its place.
            line["event"] = record.msg if record.args and isinstance(record.msg, str) else None
            line["at"] = f"{record.pathname}:{record.lineno}"
        if record.exc_info and record.exc_info[1]:
            line["exceptions"] = list(_exceptions(record.exc_info[1]))
        return json.dumps(line, default=str, separators=(",", ":"))


class AuditFile(WatchedFileHandler):
    """The file of the audit trail, reopened after a rotation.

    A line that cannot be written to the file is counted and logged. Standard error has the line
    in any case.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line. A file that cannot be opened must not fail the request."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Count and log the failure. The base class would print a stack trace."""
        metrics.AUDIT_FAILURES.inc()
        event(logger("logs"), logging.ERROR, "An audit line could not be written to its file")


def unexpected(error: BaseException | None, where: str) -> None:
    """Log an uncaught exception by its type and stack frames.

    Args:
        error: The exception; None and SystemExit are not logged.
        where: The kind of code that raised it.
    """
    if error is None or isinstance(error, SystemExit):
        return
    text = "An exception was not caught"
    fields = {"gateway_fields": {"where": where}}
    logger("unexpected").error(text, exc_info=error, extra=fields)


def catch_the_rest() -> None:
    """Log warnings and uncaught exceptions, which Python would print with their texts."""
    logging.captureWarnings(True)
    threading.excepthook = lambda caught: unexpected(caught.exc_value, "thread")
    sys.unraisablehook = lambda caught: unexpected(caught.exc_value, "finalizer")


def configuration(level: str, audit_file: Path | None = None) -> dict[str, Any]:
    """The configuration of logging: JSON on standard error, libraries at WARNING and above.

    Args:
        level: The level of the gateway's own lines.
        audit_file: A file for the audit trail, in addition to standard error. The level does not
            affect the audit trail.
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
            "gunicorn.access": {"level": "WARNING"},  # the gateway logs each request itself
        },
    }
