"""Log lines as JSON, made so that personal values and secrets cannot reach them.

Our own loggers (`gateway` and below) write events: a constant text and named fields. Of any
other library's record only its origin and its constant text are kept: never its arguments, and
never an exception's own text, which can hold whatever the library was given.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from traceback import walk_tb
from types import TracebackType
from typing import Any

OWN = "gateway"


def logger(name: str) -> logging.Logger:
    """The logger of a part of the gateway."""
    return logging.getLogger(f"{OWN}.{name}")


def event(log: logging.Logger, level: int, text: str, **fields: Any) -> None:
    """Log a constant text with fields; a field that is None is left out."""
    if log.isEnabledFor(level):
        log.log(level, text, extra={"gateway_fields": fields})


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
        return json.dumps(line, default=str)


def configuration(level: str) -> dict[str, Any]:
    """Logging's configuration: all as JSON on standard error, libraries from WARNING on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "json",
            }
        },
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            OWN: {"level": level},
            "gunicorn.error": {"level": "INFO", "propagate": True},
        },
    }
