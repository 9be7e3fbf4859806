"""Ambiguous framing of requests is refused, and no part of a request becomes another request."""

from __future__ import annotations

import json

import pytest

from demo.local import KEY
from tests.support.gateway import INDIVIDUAL_PATH, PERSON
from tests.support.gunicorn_process import ServedGateway
from tests.support.raw_client import Wire, exchange, statuses
from tests.support.sandbox_driver import SandboxDriver

MARKER = b"marker-that-is-only-for-its-sender"
BODY = json.dumps(PERSON).encode()
NEXT = b"GET /livez HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n"


def submission(*headers: bytes, body: bytes = BODY, version: bytes = b"1.1") -> bytes:
    """A submission with these header lines, followed by another request."""
    lines = (
        b"POST " + INDIVIDUAL_PATH.encode() + b" HTTP/" + version,
        b"Host: gateway",
        b"Authorization: Bearer " + KEY.encode(),
        b"Content-Type: application/json",
        *headers,
    )
    return b"\r\n".join(lines) + b"\r\n\r\n" + body + NEXT


def get(*headers: bytes, line: bytes = b"GET /livez HTTP/1.1") -> bytes:
    return b"\r\n".join((line, b"Host: gateway", *headers)) + b"\r\n\r\n"


LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)

TWO_READINGS = {
    "length and chunks": submission(LENGTH, CHUNKED, body=CHUNKS),
    "chunks and length": submission(CHUNKED, LENGTH, body=CHUNKS),
    "two lengths": submission(LENGTH, b"Content-Length: 0"),
    "the same length twice": submission(LENGTH, LENGTH),
    "a list of lengths": submission(LENGTH + b", %d" % len(BODY)),
    "a length with a sign": submission(LENGTH.replace(b": ", b": +")),
    "a negative length": submission(LENGTH.replace(b": ", b": -")),
    "a length in hex": submission(b"Content-Length: 0x%x" % len(BODY)),
    "a length in another script": submission("Content-Length: ²".encode("latin-1")),
    "chunked twice": submission(CHUNKED, CHUNKED, body=CHUNKS),
    "chunked within another coding": submission(CHUNKED + b", gzip", body=CHUNKS),
    "another coding": submission(b"Transfer-Encoding: xchunked", body=CHUNKS),
    "identity": submission(b"Transfer-Encoding: identity", LENGTH),
    "a control character before the coding": submission(b"Transfer-Encoding: \x0bchunked"),
    "a space after the name": submission(b"Transfer-Encoding : chunked", LENGTH),
    "a folded line": submission(b"Transfer-Encoding:\r\n chunked", LENGTH),
    "chunks in HTTP/1.0": submission(CHUNKED, body=CHUNKS, version=b"1.0"),
    "bare line feeds": NEXT.replace(b"\r\n", b"\n"),
    "one bare line feed": get(b"X: a\nContent-Length: 3"),
    "a bare carriage return": get(b"X: a\rContent-Length: 3"),
    "a NUL": get(b"X: a\0b"),
    "two hosts": get(b"Host: elsewhere"),
    "no header name": get(b"Authorization Bearer " + MARKER),
}
UNREADABLE = {
    "HTTP/0.9": b"GET /livez\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/3.0": get(line=b"GET /livez HTTP/3.0"),
    "a method in small letters": get(line=b"get /livez HTTP/1.1"),
    "a path that is not ASCII": get(line="GET /livé HTTP/1.1".encode()),
    "an expectation": submission(b"Expect: 200-ok", LENGTH),
}


REFUSED = TWO_READINGS | UNREADABLE


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_an_ambiguous_request_is_refused(
    impatient: ServedGateway, sandbox_behind: SandboxDriver, content: bytes
) -> None:
    sandbox_behind.reset()
    (status,) = statuses(exchange(impatient.url, content))
    assert status == 400
    assert sandbox_behind.requests() == []


BROKEN_CHUNKS = {
    "a negative size": b"-1\r\n\r\n",
    "a size that is not a number": b"zz\r\n{}\r\n0\r\n\r\n",
    "a size without end": b"0" * 10_000,
    "an end that is missing": b"2\r\n{}xx0\r\n\r\n",
    "bare line feeds": CHUNKS.replace(b"\r\n", b"\n"),
    "a length behind them": CHUNKS.removesuffix(b"\r\n") + b"Content-Length: 3\r\n\r\n",
    "a malformed name behind them": CHUNKS.removesuffix(b"\r\n") + b"A B: 3\r\n\r\n",
}


@pytest.mark.parametrize("chunks", BROKEN_CHUNKS.values(), ids=BROKEN_CHUNKS)
def test_malformed_chunks_are_a_bad_request(
    impatient: ServedGateway, sandbox_behind: SandboxDriver, chunks: bytes
) -> None:
    sandbox_behind.reset()
    answered = exchange(impatient.url, submission(CHUNKED, body=chunks))
    assert statuses(answered) == [400]
    assert b'"code": "BAD_REQUEST"' in answered
    assert sandbox_behind.requests() == []


@pytest.mark.parametrize("hidden", ["unread", "read", "none"])
def test_a_request_smuggled_in_a_body_is_not_answered(
    impatient: ServedGateway, hidden: str
) -> None:
    inner = b"GET /v1/errors HTTP/1.1\r\nHost: gateway\r\n\r\n"
    length = b"Content-Length: %d" % len(inner)
    content = {
        "unread": get(length) + inner + NEXT,
        "read": submission(length, body=inner),
        "none": submission(b"Content-Length: 0", body=b""),
    }[hidden]
    first = 200 if hidden == "unread" else 400
    assert statuses(exchange(impatient.url, content)) == [first, 200]


@pytest.mark.parametrize(
    ("header", "path"),
    [
        (b"SCRIPT_NAME: /elsewhere", b"/elsewhere/livez"),
        (b"Script-Name: /elsewhere", b"/elsewhere/livez"),
        (b"PATH_INFO: /livez", b"/elsewhere"),
        (b"X-Original-URL: /livez", b"/elsewhere"),
        (b"X-Forwarded-Prefix: /elsewhere", b"/elsewhere/livez"),
        (b"X-HTTP-Method-Override: PUT", b"/elsewhere"),
    ],
)
def test_no_header_overrides_the_path(impatient: ServedGateway, header: bytes, path: bytes) -> None:
    content = get(header, b"Connection: close", line=b"GET " + path + b" HTTP/1.1")
    assert statuses(exchange(impatient.url, content)) == [404]


def test_proxy_headers_are_not_trusted(
    impatient: ServedGateway, sandbox_behind: SandboxDriver
) -> None:
    sandbox_behind.reset()
    lies = [
        b"Forwarded",
        b"X-Forwarded-Host",
        b"X-Forwarded-For",
        b"X-Forwarded-Proto",
        b"X-Real-IP",
    ]
    headers = [name + b": https://elsewhere.example" for name in lies]
    content = submission(LENGTH, b"Prefer: wait=1", *headers)
    answered = exchange(
        impatient.url, content.replace(b"Host: gateway", b"Host: elsewhere.example")
    )
    assert statuses(answered) == [201, 200]
    assert b"elsewhere" not in answered
    assert all("elsewhere" not in json.dumps(sent) for sent in sandbox_behind.requests())


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "DEBUG", "PROPFIND"])
def test_trace_and_other_methods_are_refused_and_echo_nothing(
    impatient: ServedGateway, method: str
) -> None:
    line = f"{method} /livez HTTP/1.1".encode()
    answered = exchange(impatient.url, get(b"X: " + MARKER, b"Connection: close", line=line))
    assert statuses(answered) == [405]
    assert b"application/problem+json" in answered
    assert MARKER not in answered


def test_a_protocol_upgrade_is_not_accepted(impatient: ServedGateway) -> None:
    upgrade = get(b"Upgrade: h2c, websocket", b"Connection: Upgrade, close, HTTP2-Settings")
    answered = exchange(impatient.url, upgrade.replace(b"Upgrade, close", b"close, Upgrade"))
    assert statuses(answered) == [200]


def test_the_server_header_has_no_version(impatient: ServedGateway) -> None:
    answered = exchange(impatient.url, NEXT)
    (server,) = (line for line in answered.split(b"\r\n") if line.lower().startswith(b"server:"))
    assert not any(character in server for character in b"0123456789/")


def test_malformed_requests_neither_crash_the_gateway_nor_reach_the_log(
    impatient: ServedGateway,
) -> None:
    broken = [submission(CHUNKED, body=chunks) for chunks in BROKEN_CHUNKS.values()]
    for content in (*REFUSED.values(), *broken):
        exchange(impatient.url, content)
    with Wire(impatient.url) as wire:  # an incomplete request
        wire.send(NEXT[:30])
    assert statuses(exchange(impatient.url, NEXT)) == [200]
    assert not [line for line in impatient.lines if "exceptions" in line]
    assert not [line for line in impatient.lines if line["level"] == "ERROR"]
    for word in (MARKER.decode(), KEY, *PERSON["document"].values()):
        assert word not in impatient.text
