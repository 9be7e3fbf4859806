"""Requests larger than those of any valid client are refused."""

from __future__ import annotations

import pytest

from demo.local import KEY
from tests.support.gunicorn_process import ServedGateway
from tests.support.raw_client import exchange, statuses
from tests.support.sandbox_driver import SandboxDriver

LINE, FIELDS, FIELD = 2048, 50, 8190  # the limits in gunicorn.conf.py
HEAD = 32 * 1024
MIB = 1024 * 1024
OWN = 2  # header lines of every request here


def get(target: str = "/livez", *headers: str) -> bytes:
    lines = (f"GET {target} HTTP/1.1", "Host: gateway", "Connection: close", *headers)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def target(length: int) -> str:
    """A request target that gives the request line that length."""
    return "/livez?".ljust(length - len("GET  HTTP/1.1"), "a")


def field(length: int) -> str:
    """A header line of that length, with its line end."""
    return "X: ".ljust(length - 2, "a")


def whole(length: int) -> bytes:
    """A request whose head has that length."""
    fields = [field(8000)] * 4
    return get("/livez", *fields, field(length - len(get("/livez", *fields))))


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (get(target(LINE)), 200),
        (get(target(LINE + 1)), 400),
        (get("/livez", field(FIELD)), 200),
        (get("/livez", field(FIELD + 1)), 400),
        (get("/livez", *["X: a"] * (FIELDS - OWN)), 200),
        (get("/livez", *["X: a"] * (FIELDS - OWN + 1)), 400),
        (whole(HEAD), 200),
        (whole(HEAD + 1), 400),
        (get("/livez", *[field(1000)] * 10_000), 400),
    ],
)
def test_the_size_of_a_request_head_is_limited(
    impatient: ServedGateway, content: bytes, status: int
) -> None:
    assert statuses(exchange(impatient.url, content)) in ([status], [] if status == 400 else None)


CALLS = {
    "PUT /v1/customers/c/attachments/a.jpg": 10 * MIB,
    "POST /v1/customers/c/verifications/individual": 64 * 1024,
    "POST /v1/customers/c/verifications/enterprise": 64 * 1024,
    "POST /v1/customers/c/verifications/enterprise-change": 64 * 1024,
}
HEADERS = (
    f"Host: gateway\r\nAuthorization: Bearer {KEY}\r\n"
    "Content-Type: application/json\r\nConnection: close\r\n"
)


@pytest.mark.parametrize(("call", "limit"), CALLS.items(), ids=CALLS)
def test_a_body_with_an_excessive_content_length_is_refused_unread(
    impatient: ServedGateway, sandbox_behind: SandboxDriver, call: str, limit: int
) -> None:
    sandbox_behind.reset()
    head = f"{call} HTTP/1.1\r\n{HEADERS}Content-Length: {limit + 1}\r\n\r\n"
    answered = exchange(impatient.url, head.encode())
    assert statuses(answered) == [413]
    assert b'"code": "PAYLOAD_TOO_LARGE"' in answered
    assert sandbox_behind.requests() == []


@pytest.mark.parametrize("call", CALLS)
def test_an_endless_chunked_body_is_refused(
    impatient: ServedGateway, sandbox_behind: SandboxDriver, call: str
) -> None:
    sandbox_behind.reset()
    head = f"{call} HTTP/1.1\r\n{HEADERS}Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    answered = exchange(impatient.url, head.encode() + chunk * 400)
    # The gateway closes while the test still sends: the answer can be lost.
    assert statuses(answered) in ([413], [400], [])
    assert sandbox_behind.requests() == []


@pytest.mark.parametrize(
    "call", ["GET /v1/capabilities", "GET /v1/customers/c/verification", "GET /livez"]
)
def test_a_read_ignores_a_body(impatient: ServedGateway, call: str) -> None:
    head = f"{call} HTTP/1.1\r\n{HEADERS}Content-Length: {100 * MIB}\r\n\r\n"
    assert statuses(exchange(impatient.url, head.encode() + bytes(1000))) == [200]
