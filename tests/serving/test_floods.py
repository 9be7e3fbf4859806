"""A client that sends or reads without a pause takes the process from nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Self

import pytest

from app.serving.body import REFUSED
from tests.serving.hogs import check_probes, connections, memory
from tests.support.gateway import INDIVIDUAL_PATH, configuration
from tests.support.gunicorn_process import ServedGateway
from tests.support.raw_client import Wire, exchange, statuses
from tests.support.raw_upstream import RawUpstream
from tests.support.timing import wait_until

PIECE = b"a" * 65536
GET = b"GET /livez HTTP/1.1\r\nHost: gateway\r\n\r\n"
ENDLESS = {
    "a body with a length": (b"Content-Length: 100000000000\r\n", PIECE),
    "a body in chunks": (b"Transfer-Encoding: chunked\r\n", b"10000\r\n" + PIECE + b"\r\n"),
    "a body in chunks of a byte": (b"Transfer-Encoding: chunked\r\n", b"1\r\na\r\n" * 10000),
}
IN_FLIGHT = 16 * 1024 * 1024  # bytes that the kernel's buffers may hold


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedGateway]:
    folder = tmp_path_factory.mktemp("floods")
    with RawUpstream() as upstream:
        document = configuration(folder, upstream.url)
        document["server"] = {"head_timeout": 2, "keepalive": 75}
        with ServedGateway(folder, document) as served:
            yield served


def post(header: bytes) -> bytes:
    """The head of a request without a credential."""
    return b"POST %s HTTP/1.1\r\nHost: gateway\r\n%s\r\n" % (INDIVIDUAL_PATH.encode(), header)


class Flood:
    """A client that sends the same bytes again and again; leaving the context ends it.

    Args:
        url: The URL of the gateway.
        first: What it sends once.
        again: What it sends from then on.
    """

    def __init__(self, url: str, first: bytes, again: bytes) -> None:
        self._wire = Wire(url)
        self._first, self._again = first, again
        self._ended = threading.Event()
        self._sending = threading.Thread(target=self._send)
        self.sent = 0  # bytes

    def __enter__(self) -> Self:
        self._wire.__enter__()
        self._sending.start()
        wait_until(lambda: self.sent > 0)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._wire.__exit__()
        self._sending.join()

    @property
    def cut_off(self) -> bool:
        """Whether the gateway has closed the connection."""
        return not self._sending.is_alive()

    def read(self) -> None:
        """Read the answers until the end."""
        with suppress(OSError):
            while self._wire.read_some(65536):
                pass

    def _send(self) -> None:
        with suppress(OSError):
            self._wire.send(self._first)
            while not self._ended.is_set() and self._wire.send(self._again):
                self.sent += len(self._again)


@pytest.mark.parametrize("kind", ENDLESS)
def test_the_endless_body_of_a_refused_request_holds_up_no_probe(
    gateway: ServedGateway, kind: str
) -> None:
    header, piece = ENDLESS[kind]
    with Flood(gateway.url, post(header), piece), Flood(gateway.url, post(header), piece):
        for _ in range(3):
            check_probes(gateway)


def test_the_endless_body_of_a_refused_request_is_cut_off(gateway: ServedGateway) -> None:
    header, piece = ENDLESS["a body with a length"]
    with Flood(gateway.url, post(header), piece) as flood:
        wait_until(lambda: flood.cut_off)
    assert flood.sent < REFUSED + IN_FLIGHT


def test_the_answer_to_a_refused_upload_arrives_though_the_client_sends_all_of_it(
    gateway: ServedGateway,
) -> None:
    large = b"a" * (10 * 1024 * 1024)
    head = post(b"Connection: close\r\nContent-Length: %d\r\n" % len(large))
    assert statuses(exchange(gateway.url, head + large)) == [401]


def test_pipelined_requests_hold_up_no_probe(gateway: ServedGateway) -> None:
    with Flood(gateway.url, b"", GET * 500) as flood:
        reading = threading.Thread(target=flood.read)
        reading.start()
        for _ in range(3):
            check_probes(gateway)
    reading.join()


def test_a_head_that_began_with_the_request_before_it_has_the_time_of_a_head(
    gateway: ServedGateway,
) -> None:
    for before in (GET, post(b"Content-Length: 3\r\n") + b"abc"):
        with Wire(gateway.url) as wire:
            wire.send(before + b"GET /livez HTTP/1.1\r\nHo")
            assert len(statuses(wire.read())) == 1  # `keepalive` is longer than the test's patience


def test_a_malformed_chunk_of_a_refused_request_is_no_error_of_the_gateway(
    gateway: ServedGateway,
) -> None:
    for body in (b"zz\r\n", b"1\r\naXXX"):
        answered = exchange(gateway.url, post(b"Transfer-Encoding: chunked\r\n") + body)
        assert statuses(answered) == [401]
    assert gateway.request("GET", "/livez").status_code == 200
    assert [line for line in gateway.lines if line["level"] in ("ERROR", "CRITICAL")] == []


def test_clients_that_read_no_answer_hold_no_copy_of_the_contract(gateway: ServedGateway) -> None:
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: gateway\r\n\r\n"
    size = len(gateway.request("GET", "/openapi.json").content) / 2**20  # MiB
    before = memory(gateway.worker)
    with connections(gateway.url, 600, lambda _: ask, receive_buffer=2048) as wires:
        for wire in wires:
            assert wire.read_some(1)
        assert memory(gateway.worker) - before < 600 * size / 2
