"""A slow client is cut off after its timeout and does not delay others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from demo.local import KEY
from tests.security.conftest import BODY_SECONDS, HEAD_SECONDS, IDLE_SECONDS
from tests.support.gateway import INDIVIDUAL_PATH
from tests.support.gunicorn_process import ServedGateway
from tests.support.raw_client import Wire, exchange, statuses
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until

CUT_OFF = "A client was cut off: it did not read its answer in time"
STEP = 0.05  # seconds between two bytes
SLACK = 4.0  # seconds; the machine is busy
UPLOAD_PATH = "/v1/customers/cust-0001/attachments/a.jpg"
CHUNKED = "Transfer-Encoding: chunked"
LONG = "Content-Length: 60000"


def head(method: str, path: str, *headers: str) -> bytes:
    lines = (
        f"{method} {path} HTTP/1.1",
        "Host: gateway",
        f"Authorization: Bearer {KEY}",
        "Content-Type: application/json",
        *headers,
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def drip(url: str, at_once: bytes, slowly: Iterator[bytes]) -> tuple[float, bytes]:
    """Send byte by byte. Returns the seconds until the gateway closes, and its answer."""
    begun = time.monotonic()
    with Wire(url) as wire:
        wire.send(at_once)
        for piece in slowly:
            time.sleep(STEP)  # the test is a slow client
            if not wire.send(piece) or time.monotonic() - begun > BODY_SECONDS + SLACK:
                break
        return time.monotonic() - begun, wire.read()


def forever(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


def test_a_request_head_that_drips_is_cut_off(impatient: ServedGateway) -> None:
    begun = time.monotonic()
    with Wire(impatient.url) as wire:
        wire.send(b"GET /livez HTTP/1.1\r\nHost: gateway\r\nX: ")
        while not wire.closed_within(STEP):
            wire.send(b"a")
            assert time.monotonic() - begun < HEAD_SECONDS + SLACK
    assert time.monotonic() - begun > HEAD_SECONDS / 2


def test_an_idle_connection_is_closed_after_a_time_of_its_own(impatient: ServedGateway) -> None:
    with Wire(impatient.url) as wire:
        assert not wire.closed_within(HEAD_SECONDS + 0.5)
        assert wire.closed_within(IDLE_SECONDS + SLACK)


SLOW_BODIES = {
    "of known length": (head("POST", INDIVIDUAL_PATH, LONG), b" "),
    "in chunks": (head("POST", INDIVIDUAL_PATH, CHUNKED), b"1\r\n \r\n"),
    "in a chunk without end": (head("POST", INDIVIDUAL_PATH, CHUNKED) + b"ffff\r\n", b" "),
    "a size of a chunk": (head("POST", INDIVIDUAL_PATH, CHUNKED), b"0"),
    "behind the last chunk": (head("POST", INDIVIDUAL_PATH, CHUNKED) + b"0\r\nX: ", b"a"),
    "an attachment": (head("PUT", UPLOAD_PATH, LONG) + b"\xff\xd8\xff\xe0" + bytes(600), b"\0"),
    "the first bytes of an attachment": (head("PUT", UPLOAD_PATH, LONG), b"\xff"),
}


@pytest.mark.parametrize(("at_once", "piece"), SLOW_BODIES.values(), ids=SLOW_BODIES)
def test_a_request_body_that_drips_is_refused(
    impatient: ServedGateway, sandbox_behind: SandboxDriver, at_once: bytes, piece: bytes
) -> None:
    sandbox_behind.reset()
    took, answered = drip(impatient.url, at_once, forever(piece))
    assert took < BODY_SECONDS + SLACK
    assert statuses(answered) in ([400], [])  # a reset connection can lose the answer
    assert sandbox_behind.requests("verified-info") == []
    assert sandbox_behind.state().get("attachments", {}) == {}


def test_a_connection_with_an_unread_body_is_closed(impatient: ServedGateway) -> None:
    unknown = head("POST", INDIVIDUAL_PATH, LONG).replace(KEY.encode(), b"nobody")
    took, answered = drip(impatient.url, unknown, forever(b" "))
    assert took < IDLE_SECONDS + BODY_SECONDS + SLACK
    assert statuses(answered) in ([401], [])


def test_an_answer_that_the_client_does_not_read_is_abandoned(impatient: ServedGateway) -> None:
    many, before = 20, impatient.text.count(CUT_OFF)  # more than the kernel buffers
    with Wire(impatient.url, receive_buffer=4096) as wire:
        wire.send(head("GET", "/docs/assets/swagger-ui-bundle.js") * many)
        wait_until(lambda: impatient.text.count(CUT_OFF) > before)
        answered = statuses(wire.read())
    assert set(answered) == {200}
    assert len(answered) < many


def test_an_answer_that_the_client_reads_slowly_is_cut_off(impatient: ServedGateway) -> None:
    before = impatient.text.count(CUT_OFF)
    begun = time.monotonic()
    with Wire(impatient.url, receive_buffer=4096) as wire:
        wire.send(head("GET", "/docs/assets/swagger-ui-bundle.js") * 20)
        while impatient.text.count(CUT_OFF) == before:
            assert wire.read_some(16384)
            time.sleep(STEP)  # the test is a slow client
            assert time.monotonic() - begun < BODY_SECONDS + SLACK


def test_slow_clients_do_not_delay_others(impatient: ServedGateway) -> None:
    at_once, piece = SLOW_BODIES["in chunks"]
    with ThreadPoolExecutor(50) as threads:
        slow = [threads.submit(drip, impatient.url, at_once, forever(piece)) for _ in range(50)]
        begun = time.monotonic()
        probe = exchange(impatient.url, head("GET", "/readyz", "Connection: close"))
        took = time.monotonic() - begun
        assert all(one.result()[0] < BODY_SECONDS + SLACK for one in slow)
    assert statuses(probe) == [200]
    assert took < BODY_SECONDS
