"""The circuit of an account: when it opens, what goes through, who is not concerned."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client import REGISTRY
from werkzeug.test import TestResponse

from demo.local import free_port
from tests.gunicorn_process import ServedGateway
from tests.raw_upstream import RawUpstream, answer
from tests.reliability.conftest import Build
from tests.reliability.gateways import headers, path_of, patient, read, said, submit
from tests.sandbox_driver import SandboxDriver
from tests.state.timing import LIMIT, wait_until
from tests.verification.gateways import INDIVIDUAL

FAILURES = 3
SHORT = {"tries": 1, "breaker_failures": FAILURES, "breaker_pause": 0.3}
LONG = {**SHORT, "breaker_pause": 60.0}
OPEN = (503, "CIRCUIT_OPEN", False)
HELD = 4  # writes under way
SUCCESS = answer(200, '{"error_code":"CBC.0000"}', "Connection: close")
REFUSAL = answer(400, '{"error_code":"CBC.5002"}', "Connection: close")


def is_open(account: str = "default") -> float | None:
    return REGISTRY.get_sample_value("gateway_breaker_open", {"account": account})


def fail(app: Flask, sandbox: SandboxDriver, times: int = FAILURES, kind: str = "reset") -> None:
    """Let so many reads in a row fail; nothing fails afterwards."""
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


@pytest.mark.parametrize("kind", ["reset", "html", "hang"])
def test_it_opens_after_so_many_failures_in_a_row_and_nothing_is_sent(
    build: Build, sandbox: SandboxDriver, kind: str
) -> None:
    app = build(reliability=LONG)
    fail(app, sandbox, FAILURES - 1, kind)
    assert read(app).status_code == 200  # in a row: this one ends it
    fail(app, sandbox, FAILURES, kind)
    assert is_open() == 1
    for response in (read(app), submit(app)):
        assert said(response) == OPEN
        assert response.get_json()["retry"] == "AFTER_DELAY"
        assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert sandbox.requests() == []
    assert app.test_client().get("/readyz").status_code == 200


def test_an_upstream_that_is_not_there_opens_it(build: Build) -> None:
    app = build(upstream=f"http://127.0.0.1:{free_port()}", reliability=LONG)
    answers = [said(submit(app))[1] for _ in range(FAILURES + 1)]
    assert answers == ["UPSTREAM_UNREACHABLE"] * FAILURES + ["CIRCUIT_OPEN"]


def test_lost_writes_open_it(build: Build, sandbox: SandboxDriver) -> None:
    app = build(reliability=LONG)
    sandbox.fault("verified-info", "reset")
    answers = [said(submit(app))[1] for _ in range(FAILURES + 1)]
    assert answers == ["OUTCOME_UNKNOWN"] * FAILURES + ["CIRCUIT_OPEN"]


@pytest.mark.parametrize(
    "customer", ["code-CBC-5002", "code-CBC-5002-500", "code-CBC-99007188", "code-CBC-0250"]
)
def test_refusals_do_not_open_it(build: Build, customer: str) -> None:
    app = build(reliability={**LONG, "breaker_failures": 1})
    for _ in range(3):
        assert said(submit(app, customer))[1] != "CIRCUIT_OPEN"
    assert said(submit(app)) == (201, "VERIFIED", False)
    assert is_open() == 0


def test_other_accounts_are_not_concerned(build: Build, sandbox: SandboxDriver) -> None:
    app = build(reliability=LONG)
    fail(app, sandbox)
    assert said(submit(app)) == OPEN
    assert submit(app, account="second").status_code == 201
    assert (is_open(), is_open("second")) == (1, 0)


def test_a_read_closes_it_after_the_pause(build: Build, sandbox: SandboxDriver) -> None:
    app = build(reliability=SHORT)
    fail(app, sandbox)
    assert once_paused(lambda: read(app)).status_code == 200
    assert is_open() == 0
    assert submit(app).status_code == 201
    assert len(sandbox.requests()) == 2


def test_after_the_pause_a_harmless_read_goes_before_a_write(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(reliability=SHORT)
    fail(app, sandbox)
    assert once_paused(lambda: submit(app)).status_code == 201
    assert [one["operation"] for one in sandbox.requests()] == ["result", "verified-info"]
    assert is_open() == 0


def test_a_write_is_not_sent_where_the_harmless_read_fails(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(reliability=SHORT)
    fail(app, sandbox)
    sandbox.fault("result", "reset", count=1)
    response = once_paused(lambda: submit(app))
    assert response.status_code in (502, 503)
    assert response.get_json()["retry"] == "AFTER_DELAY"  # nothing was written
    assert sandbox.requests("verified-info") == []
    assert is_open() == 1
    assert once_paused(lambda: submit(app)).status_code == 201


def test_the_harmless_read_keeps_to_the_deadline_of_the_write(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(reliability=SHORT, timeouts={"read": 15.0})
    fail(app, sandbox)
    sandbox.fault("result", "hang")
    times: list[float] = []

    def ask() -> TestResponse:
        begun = time.monotonic()
        response = submit(app, wait=2)
        times.append(time.monotonic() - begun)
        return response

    once_paused(ask)
    assert times[-1] < 3
    assert sandbox.requests("verified-info") == []


def succeed(connection: socket.socket) -> None:
    connection.sendall(SUCCESS)


def said_of_writes_under_way(
    app: Flask, upstream: RawUpstream, late: bytes
) -> list[tuple[int, str, bool]]:
    """What writes end in that upstream answers only once the circuit is open."""
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


@pytest.mark.parametrize(
    ("late", "ends"),
    [
        (SUCCESS, (201, "VERIFIED", False)),
        (REFUSAL, (404, "CUSTOMER_NOT_FOUND", False)),
        (b"", (504, "OUTCOME_UNKNOWN", False)),
    ],
    ids=["success", "refusal", "lost"],
)
def test_a_write_that_was_sent_before_it_opened_ends_in_its_own_answer(
    build: Build, late: bytes, ends: tuple[int, str, bool]
) -> None:
    with RawUpstream(succeed) as upstream:
        app = build(upstream=upstream.url, reliability=LONG, timeouts={"read": 2 * LIMIT})
        assert said_of_writes_under_way(app, upstream, late) == [ends] * HELD
        upstream.requests.clear()
        assert [said(submit(app)), said(read(app))] == [OPEN] * 2
        assert upstream.requests == []


def test_a_late_answer_does_not_close_it_and_a_read_finds_out_first(build: Build) -> None:
    with RawUpstream(succeed) as upstream:
        app = build(upstream=upstream.url, reliability=SHORT, timeouts={"read": 2 * LIMIT})
        said_of_writes_under_way(app, upstream, SUCCESS)
        assert is_open() == 1
        upstream.requests.clear()
        assert once_paused(lambda: submit(app)).status_code == 201
        assert [one.line.split()[0] for one in upstream.requests] == ["GET", "PUT"]


def test_a_hanging_upstream_takes_nothing_from_the_others(
    sandbox: SandboxDriver, tmp_path: Path
) -> None:
    document = patient(tmp_path, sandbox.url, timeouts={"read": 30.0})
    many = 200
    with ServedGateway(tmp_path, document) as gateway, ThreadPoolExecutor(many) as threads:

        def ask(customer: str, **how: Any) -> tuple[int, float]:
            begun = time.monotonic()
            response = gateway.request(
                "POST", path_of(customer), json=INDIVIDUAL, headers=headers(**how)
            )
            return response.status_code, time.monotonic() - begun

        assert ask("proves-the-key")[0] == ask("proves", account="second")[0] == 201
        sandbox.fault("verified-info", "hang", count=many, processed=False)
        waiting = [threads.submit(ask, f"c-{place}") for place in range(many)]
        wait_until(lambda: len(sandbox.requests("verified-info")) == many + 2)
        for path in ("/livez", "/readyz", "/docs"):
            begun = time.monotonic()
            assert gateway.request("GET", path).status_code == 200
            assert time.monotonic() - begun < 1
        status, seconds = ask("quick", account="second")
        assert (status, seconds < 1) == (201, True)
        sandbox.clear_faults()
        assert {one.result()[0] for one in waiting} == {504}
