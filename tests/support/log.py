"""A log that a test can read, and the check that it holds nothing personal or secret."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

from app.observability.logs import JsonFormatter
from tests.support.gateway import SECRET_KEY

AUDIT = "gateway.audit"
PERSONAL = ("ZHANG SAN", "E1234567", "shop-981")
SECRETS = (SECRET_KEY, "writer-key", "Signature=")


class Log:
    """The log of the whole process at DEBUG, in the format of the real log."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(JsonFormatter())

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def requests(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == "request"]

    def clear(self) -> None:
        self._stream.truncate(0)
        self._stream.seek(0)


def check_silence(log: Log) -> None:
    """Assert that the log holds nothing personal and no secret."""
    for value in (*PERSONAL, *SECRETS):
        assert value not in log.text


def trail(log: Log) -> list[dict[str, Any]]:
    """The audit trail's lines at the end of requests."""
    return [line for line in log.lines if line["logger"] == AUDIT and line["event"] == "write"]


def sendings(log: Log) -> list[dict[str, Any]]:
    """The audit trail's lines before writes are sent."""
    return [line for line in log.lines if line["logger"] == AUDIT and line["event"] == "sending"]
