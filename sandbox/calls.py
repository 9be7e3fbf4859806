"""One request as it came over the wire, and one answer to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

CHUNK = 64 * 1024


class Readable(Protocol):
    """A request body as WSGI hands it over."""

    def read(self, size: int = -1, /) -> bytes:
        """Read at most this many bytes."""


class TruncatedBody(Exception):
    """The caller promised more bytes than it sent."""


class OversizedBody(Exception):
    """The body is longer than the service takes."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, with its target and headers exactly as they were sent."""

    request_id: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The raw path, percent-encoding untouched."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The raw query string, percent-encoding untouched."""
        return self.target.partition("?")[2]


@dataclass(slots=True)
class Answer:
    """What goes back: status, body, headers, and the error code for the request log."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    code: str | None = None
    stream: Iterable[bytes] | None = None

    @property
    def success(self) -> bool:
        """Whether the operation did what it was asked to do."""
        return self.status < 300 and self.code in (None, "CBC.0000")


class Refused(Exception):
    """Ends the work on a call with an answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status, answer.code)
        self.answer = answer


def json_answer(status: int, document: Any, code: str | None = None, **headers: str) -> Answer:
    """Answer a JSON document."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    return Answer(status, body, {"Content-Type": "application/json", **named}, code)


def lower_headers(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers by lower-case name, without the white space around the values."""
    return {name.lower(): value.strip() for name, value in items}


def read_body(source: Readable, length: int | None, limit: int | None) -> bytes:
    """Read a body piece by piece; a length of None means that the stream ends by itself.

    Raises:
        TruncatedBody: the stream ended before the announced length.
        OversizedBody: the body is longer than the limit.
    """
    if limit is not None and length is not None and length > limit:
        raise OversizedBody
    body = bytearray()
    while length is None or len(body) < length:
        try:
            piece = source.read(CHUNK if length is None else min(CHUNK, length - len(body)))
        except OSError as error:
            raise TruncatedBody from error
        if not piece:
            break
        body += piece
        if limit is not None and len(body) > limit:
            raise OversizedBody
    if length is not None and len(body) < length:
        raise TruncatedBody
    return bytes(body)
