"""The circuit of an account: when it opens, which calls pass, which accounts are unaffected."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from demo.local import free_port
from tests.support.circuits import (
    FAILURES,
    HELD,
    LONG,
    OPEN,
    SHORT,
    SUCCESS,
    fail,
    is_open,
    once_paused,
    said_of_writes_under_way,
    succeed,
)
from tests.support.fixtures import Build
from tests.support.gunicorn_process import ServedGateway
from tests.support.patience import (
    headers,
    path_of,
    patience,
    patient,
    read,
    said,
    submit,
)
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import LIMIT, wait_until
from tests.support.verifications import INDIVIDUAL

REFUSAL = answer(400, '{"error_code":"CBC.5002"}', "Connection: close")


@pytest.mark.parametrize("kind", ["reset", "html", "hang"])
def test_the_circuit_opens_after_consecutive_failures_and_nothing_is_sent(
    build: Build, sandbox: SandboxDriver, kind: str
) -> None:
    app = build(reliability=LONG, **patience(kind))
    fail(app, sandbox, FAILURES - 1, kind)
    assert read(app).status_code == 200  # a success resets the count of consecutive failures
    fail(app, sandbox, FAILURES, kind)
    assert is_open() == 1
    for response in (read(app), submit(app)):
        assert said(response) == OPEN
        assert response.get_json()["retry"] == "AFTER_DELAY"
        assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert sandbox.requests() == []
    assert app.test_client().get("/readyz").status_code == 200


def test_an_unreachable_upstream_opens_the_circuit(build: Build) -> None:
    app = build(upstream=f"http://127.0.0.1:{free_port()}", reliability=LONG)
    answers = [said(submit(app))[1] for _ in range(FAILURES + 1)]
    assert answers == ["UPSTREAM_UNREACHABLE"] * FAILURES + ["CIRCUIT_OPEN"]


def test_lost_writes_open_the_circuit(build: Build, sandbox: SandboxDriver) -> None:
    app = build(reliability=LONG)
    sandbox.fault("verified-info", "reset")
    answers = [said(submit(app))[1] for _ in range(FAILURES + 1)]
    assert answers == ["OUTCOME_UNKNOWN"] * FAILURES + ["CIRCUIT_OPEN"]


@pytest.mark.parametrize(
    "customer", ["code-CBC-5002", "code-CBC-5002-500", "code-CBC-99007188", "code-CBC-0250"]
)
def test_refusals_do_not_open_the_circuit(build: Build, customer: str) -> None:
    app = build(reliability={**LONG, "breaker_failures": 1})
    for _ in range(3):
        assert said(submit(app, customer))[1] != "CIRCUIT_OPEN"
    assert said(submit(app)) == (201, "VERIFIED", False)
    assert is_open() == 0


def test_an_open_circuit_of_one_account_leaves_other_accounts_closed(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(reliability=LONG)
    fail(app, sandbox)
    assert said(submit(app)) == OPEN
    assert submit(app, account="second").status_code == 201
    assert (is_open(), is_open("second")) == (1, 0)


def test_a_successful_read_after_the_pause_closes_the_circuit(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(reliability=SHORT)
    fail(app, sandbox)
    assert once_paused(lambda: read(app)).status_code == 200
    assert is_open() == 0
    assert submit(app).status_code == 201
    assert len(sandbox.requests()) == 2


def test_a_probe_is_sent_before_the_first_write_after_the_pause(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(reliability=SHORT)
    fail(app, sandbox)
    assert once_paused(lambda: submit(app)).status_code == 201
    assert [one["operation"] for one in sandbox.requests()] == ["result", "verified-info"]
    assert is_open() == 0


def test_a_write_is_not_sent_where_its_probe_fails(build: Build, sandbox: SandboxDriver) -> None:
    app = build(reliability=SHORT)
    fail(app, sandbox)
    sandbox.fault("result", "reset", count=1)
    response = once_paused(lambda: submit(app))
    assert response.status_code in (502, 503)
    assert response.get_json()["retry"] == "AFTER_DELAY"  # nothing was written
    assert sandbox.requests("verified-info") == []
    assert is_open() == 1
    assert once_paused(lambda: submit(app)).status_code == 201


def test_the_probe_ends_at_the_deadline_of_the_write(build: Build, sandbox: SandboxDriver) -> None:
    app = build(reliability=SHORT)
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


@pytest.mark.parametrize(
    ("late", "ends"),
    [
        (SUCCESS, (201, "VERIFIED", False)),
        (REFUSAL, (404, "CUSTOMER_NOT_FOUND", False)),
        (b"", (504, "OUTCOME_UNKNOWN", False)),
    ],
    ids=["success", "refusal", "lost"],
)
def test_a_write_sent_before_the_circuit_opened_still_gets_its_answer(
    build: Build, late: bytes, ends: tuple[int, str, bool]
) -> None:
    with RawUpstream(succeed) as upstream:
        app = build(upstream=upstream.url, reliability=LONG, timeouts={"read": 2 * LIMIT})
        assert said_of_writes_under_way(app, upstream, late) == [ends] * HELD
        upstream.requests.clear()
        assert [said(submit(app)), said(read(app))] == [OPEN] * 2
        assert upstream.requests == []


def test_a_late_answer_does_not_close_the_circuit_and_a_probe_is_still_sent(build: Build) -> None:
    with RawUpstream(succeed) as upstream:
        app = build(upstream=upstream.url, reliability=SHORT, timeouts={"read": 2 * LIMIT})
        said_of_writes_under_way(app, upstream, SUCCESS)
        assert is_open() == 1
        upstream.requests.clear()
        assert once_paused(lambda: submit(app)).status_code == 201
        assert [one.line.split()[0] for one in upstream.requests] == ["GET", "PUT"]


def test_a_hanging_account_does_not_slow_other_accounts(
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
            assert time.monotonic() - begun < 3
        status, seconds = ask("quick", account="second")
        assert (status, seconds < 3) == (201, True)
        sandbox.clear_faults()
        assert {one.result()[0] for one in waiting} == {504}
