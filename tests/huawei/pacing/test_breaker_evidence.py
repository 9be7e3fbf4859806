"""Which answers are evidence of a failing Huawei, and their effect on a half-open circuit."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.test import TestResponse

from app.huawei.pacing.breaker import CUSTOMERS
from demo.local import free_port
from tests.support.circuits import (
    FAILURES,
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
from tests.support.patience import read, said, submit
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import LIMIT, wait_until

pytestmark = pytest.mark.slow

LOCKED = answer(
    401,
    '{"error_code":"APIGW.0301","error_msg":"AK access failed to reach the limit"}',
    "Connection: close",
)
REFUSED_PAGE = answer(400, "<html>no</html>", "Connection: close")


@pytest.mark.parametrize("failure", ["CBC-0999", "APIGW-0601", "APIGW-0106", "APIGW-0201-500"])
def test_internal_errors_for_one_customer_leave_the_circuit_closed(
    build: Build, failure: str
) -> None:
    app = build(reliability=LONG)
    answers = {said(submit(app, f"code-{failure}"))[1] for _ in range(10)}
    assert answers == {"UPSTREAM_ERROR"}
    assert said(submit(app)) == (201, "VERIFIED", False)
    assert is_open() == 0


@pytest.mark.parametrize("code", ["CBC.0999", "APIGW.0601"])
def test_internal_errors_for_different_customers_open_the_circuit(
    build: Build, sandbox: SandboxDriver, code: str
) -> None:
    app = build(reliability=LONG)
    sandbox.fault("result", "code", code=code)
    # The third customer makes the first failure.
    expected = ["UPSTREAM_ERROR"] * (2 + FAILURES) + ["CIRCUIT_OPEN"]
    assert [said(read(app, f"c-{one}"))[1] for one in range(len(expected))] == expected


def test_internal_errors_for_two_customers_leave_the_circuit_closed(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(reliability=LONG)
    sandbox.fault("result", "code", code="CBC.0999")
    assert {said(read(app, f"c-{one % 2}"))[1] for one in range(10)} == {"UPSTREAM_ERROR"}


def test_a_valid_answer_resets_the_count_of_internal_errors(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(reliability={**LONG, "breaker_failures": 1})
    for one in range(6):
        sandbox.fault("result", "code", code="CBC.0999", count=1)
        assert said(read(app, f"c-{one}"))[1] == "UPSTREAM_ERROR"
        if one % 2:
            assert read(app).status_code == 200
    assert is_open() == 0


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, "<html>down</html>"),
        (200, "<html>be back soon</html>"),
        (200, '{"error_code":'),
        (200, "[]"),
        (503, '{"message":"no healthy upstream"}'),
        (500, '{"code":"ServiceUnavailable"}'),
        (500, ""),
    ],
)
def test_unreadable_answers_to_one_customer_open_the_circuit(
    build: Build, status: int, body: str
) -> None:
    with RawUpstream(answer(status, body, "Connection: close")) as upstream:
        app = build(upstream=upstream.url, reliability=LONG, timeouts={"read": LIMIT})
        for _ in range(FAILURES):
            assert submit(app).get_json()["code"] in ("OUTCOME_UNKNOWN", "UPSTREAM_UNMAPPED")
        assert said(submit(app)) == OPEN
        assert len(upstream.requests) == FAILURES


@pytest.mark.parametrize(
    ("code", "status"),
    [("CBC.99007188", 400), ("CBC.99007262", 500), ("CBC.12345678", 500), ("CBC.0250", 429)],
)
def test_a_refusal_code_for_all_customers_leaves_the_circuit_closed(
    build: Build, sandbox: SandboxDriver, code: str, status: int
) -> None:
    app = build(reliability={**LONG, "breaker_failures": 2})
    for one in range(2 * CUSTOMERS):
        sandbox.fault("verified-info", "reset", count=1)
        assert said(submit(app, f"c-{one}"))[1] == "OUTCOME_UNKNOWN"
        sandbox.fault("verified-info", "code", code=code, status=status, count=1)
        assert submit(app, f"d-{one}").get_json()["upstream"]["code"] == code
    assert is_open() == 0


def test_an_html_refusal_for_one_customer_leaves_the_circuit_closed(build: Build) -> None:
    with RawUpstream(REFUSED_PAGE) as upstream:
        app = build(upstream=upstream.url, reliability=LONG)
        assert {said(submit(app, "one"))[1] for _ in range(10)} == {"UPSTREAM_MALFORMED"}
        answers = [said(submit(app, f"c-{one}"))[1] for one in range(CUSTOMERS + FAILURES)]
        assert answers[-1] == "CIRCUIT_OPEN"  # a refusal of all customers is evidence


def test_the_circuit_opens_under_load_though_most_requests_end_overloaded(
    build: Build,
) -> None:
    app = build(
        upstream=f"http://127.0.0.1:{free_port()}",
        quota={"requests_per_second": 4},
        reliability={**LONG, "breaker_failures": 8},
    )
    ends: Counter[str] = Counter()

    def loaded() -> bool:
        with ThreadPoolExecutor(12) as threads:
            waits = [threads.submit(submit, app, f"c-{one}", wait=1) for one in range(12)]
        ends.update(said(one.result())[1] for one in waits)
        return ends["CIRCUIT_OPEN"] > 0

    wait_until(loaded)
    late = ends["OVERLOADED"] + ends["DEADLINE_EXCEEDED"]  # for a slot, for the key's proof
    assert late > ends["UPSTREAM_UNREACHABLE"] == 8
    assert is_open() == 1


def test_an_answer_cut_off_by_our_own_deadline_is_no_evidence(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(reliability={**LONG, "breaker_failures": 1})
    sandbox.fault("verified-info", "hang")
    assert said(submit(app, wait=1))[1] == "OUTCOME_UNKNOWN"
    assert is_open() == 0


def test_a_probe_ended_by_a_deadline_leaves_the_circuit_half_open(
    build: Build, sandbox: SandboxDriver
) -> None:
    app = build(reliability=SHORT)
    fail(app, sandbox)
    assert said(once_paused(lambda: submit(app, wait=0)))[1] == "DEADLINE_EXCEEDED"
    assert (is_open(), sandbox.requests()) == (1, [])
    assert read(app).status_code == 200  # no second pause
    assert is_open() == 0


def test_a_probe_refused_by_our_own_queue_leaves_the_circuit_half_open(
    build: Build, sandbox: SandboxDriver
) -> None:
    slow = {"requests_per_second": 0.1}
    app = build(reliability={**SHORT, "breaker_failures": 1}, quota=slow)
    fail(app, sandbox, times=1)  # this call uses up the quota of ten seconds
    assert said(once_paused(lambda: submit(app, wait=1)))[1] == "OVERLOADED"
    assert (is_open(), sandbox.requests()) == (1, [])


def test_a_probe_refused_for_a_locked_key_leaves_the_circuit_half_open(build: Build) -> None:
    with RawUpstream(succeed) as upstream:
        app = build(upstream=upstream.url, reliability=SHORT, timeouts={"read": 2 * LIMIT})
        late = said_of_writes_under_way(app, upstream, LOCKED)
        assert {code for _, code, _ in late} == {"ACCESS_KEY_LOCKED"}
        upstream.requests.clear()
        for ask in (lambda: submit(app), lambda: read(app), lambda: submit(app)):
            assert said(once_paused(ask))[1] == "ACCESS_KEY_LOCKED"
            assert is_open() == 1
        assert upstream.requests == []


def test_a_half_open_circuit_sends_one_probe_and_refuses_the_other_calls_at_once(
    build: Build,
) -> None:
    came, let_go = threading.Semaphore(0), threading.Event()

    def hold(connection: socket.socket) -> None:
        came.release()
        assert let_go.wait(LIMIT)
        connection.sendall(SUCCESS)

    with RawUpstream(b"") as upstream, ThreadPoolExecutor(1) as thread:
        app = build(upstream=upstream.url, reliability=SHORT, timeouts={"read": 2 * LIMIT})
        upstream.reply = lambda _: None
        assert [read(app).status_code for _ in range(FAILURES)] == [502] * FAILURES
        upstream.reply = hold
        trial = thread.submit(once_paused, lambda: read(app))
        assert came.acquire(timeout=LIMIT)
        upstream.requests.clear()
        refused: list[TestResponse] = [read(app, "other"), submit(app), submit(app, "other")]
        assert [said(one) for one in refused] == [OPEN] * 3
        assert {one.headers["Retry-After"] for one in refused} == {"1"}
        assert upstream.requests == []
        let_go.set()
        assert trial.result().status_code == 200
        assert is_open() == 0


def test_queued_calls_are_not_sent_once_the_circuit_is_open(build: Build) -> None:
    many = 5
    with RawUpstream(lambda _: None) as upstream, ThreadPoolExecutor(many) as threads:
        app = build(
            upstream=upstream.url,
            quota={"requests_per_second": 2},
            reliability={**LONG, "breaker_failures": 1},
        )
        ends = Counter(
            said(one)[1] for one in threads.map(lambda one: read(app, f"c-{one}"), range(many))
        )
        assert ends == {"UPSTREAM_ERROR": 1, "CIRCUIT_OPEN": many - 1}
        assert len(upstream.requests) == 1
