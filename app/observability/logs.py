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
from io import FileIO
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any

from app.observability import metrics
from app.settings import open_audit_file

OWN = "gateway"
AUDIT = f"{OWN}.audit"
# gunicorn's warnings and errors whose arguments are addresses, process ids, signals and statuses.
_OF_THE_PROCESS = (
    "Can't connect to ",
    "Connection in use: ",
    "Invalid address: ",
    "Reason: ",
    "Shutting down: ",
    "WORKER TIMEOUT ",
    "Worker (pid:",
    "Worker graceful timeout ",
)


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


def _of_the_process(record: logging.LogRecord) -> bool:
    """Whether the line is gunicorn's, about its processes and not about a request."""
    if record.name != "gunicorn.error":
        return False
    return record.levelno == logging.INFO or str(record.msg).startswith(_OF_THE_PROCESS)


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
        elif _of_the_process(record):
            line["event"] = record.getMessage()
        else:
            # A text without arguments may be composed of values: log only its place.
            line["event"] = record.msg if record.args and isinstance(record.msg, str) else None
            line["at"] = f"{record.pathname}:{record.lineno}"
        if record.exc_info and record.exc_info[1]:
            line["exceptions"] = list(_exceptions(record.exc_info[1]))
        return json.dumps(line, default=str, separators=(",", ":"))


class AuditFile(logging.Handler):
    """The file of the audit trail, opened for each line and written without a buffer.

    So the trail continues after a rotation by a rename or by copytruncate, and as soon as a full
    disk has room again. A line that cannot be written to the file is counted and logged. Standard
    error has the line in any case.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._torn = False  # whether the last line was written in part

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line. A file that cannot be written must not fail the request."""
        line = f"{self.format(record)}\n".encode()
        try:
            with open_audit_file(self._path) as file:
                self._write(file, b"\n" + line if self._torn else line)
        except OSError:
            self.handleError(record)

    def _write(self, file: FileIO, content: bytes) -> None:
        written = 0
        while written < len(content):
            count = file.write(content[written:])
            if count is None:  # a full pipe
                raise BlockingIOError
            written += count
            self._torn = written < len(content)

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
            "path": audit_file,
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
