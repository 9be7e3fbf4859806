"""Gateways whose circuit opens early, and the failures that open it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from flask import Flask
from prometheus_client import REGISTRY
from werkzeug.test import TestResponse

from tests.support.patience import read, said, submit
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import LIMIT, wait_until

HELD = 4  # concurrent writes
SUCCESS = answer(200, '{"error_code":"CBC.0000"}', "Connection: close")
FAILURES = 3
SHORT = {"tries": 1, "breaker_failures": FAILURES, "breaker_pause": 0.3}
LONG = {**SHORT, "breaker_pause": 60.0}
OPEN = (503, "CIRCUIT_OPEN", False)


def is_open(account: str = "default") -> float | None:
    return REGISTRY.get_sample_value("gateway_breaker_open", {"account": account})


def fail(app: Flask, sandbox: SandboxDriver, times: int = FAILURES, kind: str = "reset") -> None:
    """Let `times` consecutive reads fail. Later calls succeed."""
    sandbox.fault("result", kind)
    for number in range(times):
        assert read(app, f"fails-{number}").status_code >= 500
    sandbox.clear_faults()
    sandbox.forget_requests()


def once_paused(ask: Callable[[], TestResponse]) -> TestResponse:
    """The first answer that is not CIRCUIT_OPEN."""
    answers = [ask()]

    def through() -> bool:
        if said(answers[-1]) != OPEN:
            return True
        answers.append(ask())
        return False

    wait_until(through)
    return answers[-1]


def succeed(connection: socket.socket) -> None:
    connection.sendall(SUCCESS)


def said_of_writes_under_way(
    app: Flask, upstream: RawUpstream, late: bytes
) -> list[tuple[int, str, bool]]:
    """The results of writes that upstream answers only after the circuit has opened."""
    came, let_go = threading.Semaphore(0), threading.Event()

    def hold(connection: socket.socket) -> None:
        came.release()
        assert let_go.wait(LIMIT)
        connection.sendall(late)

    def lose(_: socket.socket) -> None:
        pass

    assert submit(app, "proves-the-key").status_code == 201
    with ThreadPoolExecutor(HELD) as threads:
        upstream.reply = hold
        under_way = [threads.submit(submit, app, f"held-{place}") for place in range(HELD)]
        assert all(came.acquire(timeout=LIMIT) for _ in range(HELD))
        upstream.reply = lose
        assert [read(app).status_code for _ in range(FAILURES)] == [502] * FAILURES
        assert (is_open(), *(one.done() for one in under_way)) == (1, *[False] * HELD)
        upstream.reply = succeed
        let_go.set()
        return [said(one.result()) for one in under_way]
