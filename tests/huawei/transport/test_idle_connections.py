"""Which idle connections are reused, and when the others are closed."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.huawei.transport import Endpoint, Reply
from app.settings import Settings
from tests.support.raw_upstream import SUCCESS, RawUpstream
from tests.support.timing import wait_until

LIMIT = 10  # seconds; only a failing test waits this long


def write(endpoint: Endpoint) -> Reply:
    return endpoint.send("POST", "/", {}, b"{}", writes=True)


def read(endpoint: Endpoint) -> Reply:
    return endpoint.send("GET", "/", {}, None, writes=False)


def test_idle_connections_of_a_burst_are_closed_by_age_without_a_further_request(
    settings: Settings,
) -> None:
    together = threading.Barrier(20)

    with RawUpstream() as upstream:
        endpoint = Endpoint(upstream.url, settings.accounts["default"], idle=0.3)

        def at_once(_: int) -> int:
            together.wait(LIMIT)
            return write(endpoint).status

        with ThreadPoolExecutor(20) as many:
            assert set(many.map(at_once, range(20))) == {200}
        for _ in range(upstream.connections):
            assert upstream.closed.acquire(timeout=LIMIT)


def test_idle_connections_beyond_the_most_are_closed_after_their_answer(settings: Settings) -> None:
    arrived = threading.Barrier(5)

    def answering(connection: socket.socket) -> None:
        arrived.wait(LIMIT)
        connection.sendall(SUCCESS)
        while connection.recv(64 * 1024):
            arrived.wait(LIMIT)
            connection.sendall(SUCCESS)

    with RawUpstream(answering) as upstream:
        endpoint = Endpoint(upstream.url, settings.accounts["default"], most_idle=2)

        def at_once(number: int) -> set[int]:
            with ThreadPoolExecutor(number) as many:
                return set(many.map(lambda _: read(endpoint).status, range(number)))

        assert at_once(5) == {200}
        for _ in range(3):
            assert upstream.closed.acquire(timeout=LIMIT)
        arrived = threading.Barrier(2)
        assert at_once(2) == {200}
        assert upstream.connections == 5


def test_an_old_idle_connection_is_not_reused(settings: Settings) -> None:
    with RawUpstream() as upstream:
        endpoint = Endpoint(upstream.url, settings.accounts["default"], idle=0.2)
        for expected in (1, 2):
            assert write(endpoint).status == 200
            assert upstream.connections == expected
            assert upstream.closed.acquire(timeout=LIMIT)


def test_a_connection_in_use_is_not_closed_for_its_age(settings: Settings) -> None:
    slow = threading.Event()

    def answering(connection: socket.socket) -> None:
        slow.wait(LIMIT)
        connection.sendall(SUCCESS)

    with RawUpstream() as upstream:
        endpoint = Endpoint(upstream.url, settings.accounts["default"], idle=0.3)
        assert write(endpoint).status == 200
        upstream.reply = answering
        with ThreadPoolExecutor(1) as other:
            second = other.submit(write, endpoint)
            assert not upstream.closed.acquire(timeout=0.6)
            slow.set()
            assert second.result(LIMIT).status == 200
        assert upstream.connections == 1


def test_an_idle_connection_that_upstream_closed_is_not_reused(settings: Settings) -> None:
    with RawUpstream(lambda connection: connection.sendall(SUCCESS)) as upstream:
        endpoint = Endpoint(upstream.url, settings.accounts["default"])
        for _ in range(3):
            assert write(endpoint).status == 200
            assert upstream.closed.acquire(timeout=LIMIT)
    assert (upstream.connections, len(upstream.requests)) == (3, 3)


def test_connections_have_tcp_keep_alive(settings: Settings) -> None:
    with RawUpstream() as upstream:
        endpoint = Endpoint(upstream.url, settings.accounts["default"])
        assert write(endpoint).status == 200

        def timers() -> set[str]:
            rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
            port = f":{upstream.port:04X}"
            return {row[5] for row in rows if row[2].endswith(port) and row[3] == "01"}

        wait_until(lambda: {timer[:2] for timer in timers()} == {"02"})  # keep-alive, by proc(5)
        assert all(int(timer[3:], 16) <= 1000 for timer in timers())  # hundredths of a second
