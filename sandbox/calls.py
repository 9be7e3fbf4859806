"""A request as it was received, and the answer to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import simplejson  # type: ignore[import-untyped]

CHUNK = 64 * 1024


class Readable(Protocol):
    """A request body in WSGI's form."""

    def read(self, size: int = -1, /) -> bytes:
        """Read at most this many bytes."""


class TruncatedBody(Exception):
    """The body is shorter than its Content-Length, or the connection failed."""


class OversizedBody(Exception):
    """The body is longer than the service accepts."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, with its target and headers as they were sent."""

    request_id: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The raw path, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The raw query string, still percent-encoded."""
        return self.target.partition("?")[2]


@dataclass(slots=True)
class Answer:
    """An answer: status, body and headers, and the error code for the list of requests.

    `took_effect` is None if the status and the code tell whether the request took effect.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    code: str | None = None
    stream: Iterable[bytes] | None = None
    took_effect: bool | None = None

    @property
    def processed(self) -> bool:
        """Whether the request took effect."""
        if self.took_effect is not None:
            return self.took_effect
        return self.status < 300 and self.code in (None, "CBC.0000")


class Refused(Exception):
    """Ends the processing of a call with an answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status, answer.code)
        self.answer = answer


def json_answer(status: int, document: Any, code: str | None = None, **headers: str) -> Answer:
    """Return an answer with a JSON document."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = simplejson.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    return Answer(status, body, {"Content-Type": "application/json", **named}, code)


def lower_headers(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers with lower-case names, and values without surrounding white space."""
    return {name.lower(): value.strip() for name, value in items}


def read_body(source: Readable, length: int | None, limit: int | None) -> bytes:
    """Read a body. With a length of None, read until the end of the stream.

    Raises:
        TruncatedBody: the stream ended before the declared length.
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
