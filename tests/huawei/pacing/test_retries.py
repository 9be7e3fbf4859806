"""Retries: which failed calls are repeated, how often, when, and until when."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from flask import Flask

from demo.local import free_port
from sandbox.server import SandboxServer
from tests.support.fixtures import Build
from tests.support.patience import read, said, submit
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until

pytestmark = pytest.mark.slow

JSON = "Content-Type: application/json"


def take_time(seconds: float) -> None:
    """Sleep like a slow upstream."""
    threading.Event().wait(seconds)


@pytest.mark.parametrize("tries", [1, 2, 4])
def test_a_failing_read_is_sent_as_often_as_configured(
    build: Build, sandbox: SandboxDriver, tries: int
) -> None:
    sandbox.fault("result", "html")
    response = read(build(reliability={"tries": tries}))
    assert said(response)[:2] == (502, "UPSTREAM_MALFORMED")
    assert len(sandbox.requests("result")) == tries


@pytest.mark.parametrize("customer", ["code-CBC-5002", "code-CBC-0100", "code-CBC-12345678"])
def test_a_refused_read_is_not_sent_again(
    build: Build, sandbox: SandboxDriver, customer: str
) -> None:
    read(build(), customer)
    assert len(sandbox.requests("result")) == 1


def test_a_write_that_failed_after_it_was_sent_is_not_sent_again(
    build: Build, sandbox: SandboxDriver
) -> None:
    sandbox.fault("verified-info", "status", status=503, body={"error_msg": "busy"})
    assert said(submit(build()))[1] == "OUTCOME_UNKNOWN"
    assert len(sandbox.requests("verified-info")) == 1


@pytest.mark.parametrize("write", [False, True])
def test_a_call_is_repeated_while_the_upstream_refuses_connections(
    build: Build, write: bool
) -> None:
    port = free_port()
    app = build(upstream=f"http://127.0.0.1:{port}", reliability={"tries": 10})
    ask = submit if write else read
    with ThreadPoolExecutor(1) as threads:
        response = threads.submit(ask, app)
        take_time(0.5)  # some connections are refused meanwhile
        with SandboxServer(port=port) as upstream:
            assert response.result().status_code in (200, 201)
            assert len(SandboxDriver(upstream.url).requests()) == 1


def test_a_write_to_an_upstream_that_stays_unreachable_may_be_repeated(build: Build) -> None:
    response = submit(build(upstream=f"http://127.0.0.1:{free_port()}"), wait=2)
    assert said(response) == (503, "UPSTREAM_UNREACHABLE", False)
    assert response.get_json()["retry"] == "AFTER_DELAY"


def test_retries_stop_when_the_budget_is_used_up(build: Build, sandbox: SandboxDriver) -> None:
    app = build(reliability={"tries": 2})
    sandbox.fault("result", "html")
    for number in range(60):
        read(app, f"c-{number}")
    retries = len(sandbox.requests("result")) - 60
    assert 10 + 4 <= retries <= 10 + 6  # the reserve, and a tenth of the requests


def test_each_account_has_its_own_retry_budget(build: Build, sandbox: SandboxDriver) -> None:
    app = build(reliability={"tries": 2})
    sandbox.fault("result", "html")
    for number in range(12):
        read(app, f"c-{number}", account="second")  # the second account does not retry
    sandbox.forget_requests()
    read(app)
    assert len(sandbox.requests("result")) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_waits_for_retry_after(build: Build, status: int) -> None:
    times: list[float] = []
    refusal = answer(status, '{"error_msg": "later"}', JSON, "Retry-After: 1")
    fine = answer(200, '{"review_result": 2}', JSON)

    def reply(connection: socket.socket) -> None:
        times.append(time.monotonic())
        connection.sendall(refusal if len(times) == 1 else fine)

    with RawUpstream(reply) as upstream:
        assert said(read(build(upstream=upstream.url)))[:2] == (200, "VERIFIED")
    assert len(times) == 2
    assert times[1] - times[0] >= 1


@pytest.mark.parametrize("backend", ["legacy", "review"])
def test_nothing_is_sent_after_the_deadline(
    build: Build, sandbox: SandboxDriver, backend: str
) -> None:
    response = submit(build(verification={"backend": backend}), wait=0)
    assert said(response) == (504, "DEADLINE_EXCEEDED", False)
    assert response.get_json()["retry"] == "AFTER_DELAY"
    assert sandbox.requests() == []


def asked(app: Flask, wait: int, limit: float, **how: Any) -> tuple[int, str, bool]:
    """The answer to a caller. Asserts that it arrives within `limit` seconds."""
    begun = time.monotonic()
    response = submit(app, wait=wait, **how)
    assert time.monotonic() - begun < limit
    return said(response)


def test_a_deadline_is_kept_when_nothing_answers(build: Build, sandbox: SandboxDriver) -> None:
    app = build()
    sandbox.fault("verified-info", "hang")
    assert asked(app, 2, 3)[1] == "OUTCOME_UNKNOWN"


def test_a_deadline_is_kept_when_an_answer_stops_in_the_middle(build: Build) -> None:
    def reply(connection: socket.socket) -> None:
        take_time(1.5)
        connection.sendall(f"HTTP/1.1 200 OK\r\n{JSON}\r\nContent-Length: 99\r\n\r\n{{".encode())
        take_time(4)

    with RawUpstream(reply) as upstream:
        app = build(upstream=upstream.url)
        assert asked(app, 2, 3)[1] == "OUTCOME_UNKNOWN"


def test_a_deadline_is_kept_when_headers_drip(build: Build) -> None:
    def reply(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(12):
            connection.sendall(f"X-Header-{number}: 1\r\n".encode())
            take_time(0.5)

    with RawUpstream(reply) as upstream:
        app = build(upstream=upstream.url)
        assert asked(app, 2, 3)[1] == "OUTCOME_UNKNOWN"


def test_a_deadline_is_kept_while_another_request_proves_the_key(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build()
    sandbox.fault("verified-info", "hang")
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(submit, app, "first", wait=5)
        wait_until(lambda: sandbox.received("verified-info"))
        assert asked(app, 2, 3, customer="second")[0] in (503, 504)
        sandbox.clear_faults()
        first.result()
    assert len(sandbox.requests("verified-info")) == 1


def test_a_deadline_is_kept_when_the_connection_is_slow_and_the_answer_too(build: Build) -> None:
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"  # the handshake never ends
        app = build(upstream=url, timeouts={"connect": 10.0})
        assert asked(app, 2, 3)[1] in ("UPSTREAM_UNREACHABLE", "DEADLINE_EXCEEDED")
