"""`Prefer: wait=N` on getVerification, and identical concurrent reads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from time import monotonic

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.huawei.pacing.deadline import Errand
from app.huawei.pacing.polling import LAST_READ
from app.verification.model import Status
from tests.support.gateway import CUSTOMER, altered, code
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.verifications import configured, read, submit
from tests.verification.conftest import Build

pytestmark = pytest.mark.slow

APPLIED = "Preference-Applied"

# headers -> the granted seconds; None: the header is ignored
PREFERENCES: list[tuple[tuple[str, ...], str | None]] = [
    (("wait=1",), "1"),
    (("wait=25",), "25"),
    (("wait=26",), "25"),
    (("wait=999999",), "25"),
    (("wait=12345678901234567890",), "25"),
    (("WAIT=7",), "7"),
    (("wait = 7",), "7"),
    (('wait="7"',), "7"),
    (("respond-async, wait=7",), "7"),
    (("wait=7, respond-async",), "7"),
    (("respond-async", "wait=7"), "7"),
    (("wait=7", "wait=9"), "7"),  # RFC 7240, section 2: the first one counts
    (("wait=7; because=tests",), "7"),
    ((), None),
    (("",), None),
    (("wait=0",), None),
    (("wait",), None),
    (("wait=",), None),
    (("wait=-7",), None),
    (("wait=7s",), None),
    (("wait=7.5",), None),
    (("wait=7 8",), None),
    (("wait=0x7",), None),
    (("await=7",), None),
    (("wait=²",), None),
    (("return=minimal",), None),
]


@pytest.mark.parametrize(("headers", "granted"), PREFERENCES)
def test_prefer_wait_is_granted_up_to_its_limit_and_ignored_if_malformed(
    review: FlaskClient, sandbox: SandboxDriver, headers: tuple[str, ...], granted: str | None
) -> None:
    sandbox.review(CUSTOMER, "passed")  # final: no wait
    response = read(review, CUSTOMER, *headers)
    assert (response.status_code, response.get_json()["status"]) == (200, "VERIFIED")
    assert response.headers.get(APPLIED) == (granted and f"wait={granted}")
    assert len(sandbox.requests()) == 1


@pytest.mark.parametrize("result", ["nothing", "rejected", "passed"])
def test_a_long_poll_of_a_status_that_no_review_will_change_returns_at_once(
    review: FlaskClient, sandbox: SandboxDriver, result: str
) -> None:
    if result != "nothing":
        sandbox.review(CUSTOMER, result)
    final = read(review, CUSTOMER, "wait=25").get_json()["final"]
    assert final is (result != "nothing")
    assert len(sandbox.requests()) == 1


def test_a_refusal_ends_a_long_poll(review: FlaskClient, sandbox: SandboxDriver) -> None:
    response = read(review, "code-CBC-5002", "wait=25")
    assert (response.status_code, code(response)) == (404, "CUSTOMER_NOT_FOUND")
    assert APPLIED not in response.headers
    assert len(sandbox.requests()) == 1


def test_a_long_poll_ends_when_the_review_does(review: FlaskClient, sandbox: SandboxDriver) -> None:
    submit(review, customer="review-hold-1")
    sandbox.forget_requests()

    def end() -> None:
        wait_until(lambda: sandbox.received("result"))
        sandbox.review("review-hold-1", "rejected", "Too dark.")

    begun = monotonic()
    with ThreadPoolExecutor(1) as threads:
        ending = threads.submit(end)
        answer = read(review, "review-hold-1", "wait=25").get_json()
        ending.result()
    assert (answer["status"], answer["rejection"]) == ("REJECTED", {"reason": "Too dark."})
    assert monotonic() - begun < 20
    assert len(sandbox.requests("result")) == 2


def test_a_long_poll_that_ends_before_the_review_returns_in_review(
    review: FlaskClient, sandbox: SandboxDriver
) -> None:
    submit(review, customer="review-hold-1")
    sandbox.forget_requests()
    begun = monotonic()
    response = read(review, "review-hold-1", "wait=3")
    assert monotonic() - begun <= 4
    assert (response.status_code, response.get_json()["status"]) == (200, "IN_REVIEW")
    assert response.headers[APPLIED] == "wait=3"
    assert 1 <= len(sandbox.requests("result")) <= 3


@pytest.mark.long
def test_sixty_long_polls_that_share_a_busy_quota_end_on_time(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    settings = configured(tmp_path, sandbox.url, backend="review")
    app = create_app(altered(settings, quota={"requests_per_second": 10}))
    customers = [f"review-hold-{number}" for number in range(60)]
    for customer in customers:
        sandbox.review(customer, "in_review")

    def poll(customer: str) -> tuple[float, int, str]:
        begun = monotonic()
        response = read(app.test_client(), customer, "wait=15")
        return monotonic() - begun, response.status_code, response.get_json().get("status")

    with ThreadPoolExecutor(len(customers)) as threads:
        answers = list(threads.map(poll, customers))
    assert {answer[1:] for answer in answers} == {(200, "IN_REVIEW")}
    assert max(seconds for seconds, *_ in answers) < 16


def test_a_long_poll_returns_the_last_known_status_where_its_last_read_times_out(
    review: FlaskClient, sandbox: SandboxDriver
) -> None:
    submit(review, customer="review-hold-1")
    sandbox.forget_requests()
    verifications = (
        review.application.extensions["partner_gateway"].accounts["default"].verifications
    )
    wait = LAST_READ + 1
    begun = monotonic()
    with ThreadPoolExecutor(1) as threads:
        errand = Errand.within(wait, "poller")  # as long as the wait, like the longest wait
        polling = threads.submit(verifications.reads.read, "review-hold-1", errand, wait)
        wait_until(lambda: sandbox.received("result"))
        sandbox.fault("result", "hang")
        assert polling.result().status == Status.IN_REVIEW
    assert monotonic() - begun < wait + 1
    assert len(sandbox.requests("result")) == 2


def test_a_long_poll_returns_the_last_known_status_when_the_gateway_shuts_down(
    review: FlaskClient, sandbox: SandboxDriver
) -> None:
    submit(review, customer="review-hold-1")
    sandbox.forget_requests()
    begun = monotonic()
    with ThreadPoolExecutor(1) as threads:
        polling = threads.submit(read, review, "review-hold-1", "wait=25")
        wait_until(lambda: sandbox.received("result"))
        draining = review.application.extensions["partner_gateway"].draining
        draining.set()
        try:
            response = polling.result()
        finally:
            draining.clear()
    assert monotonic() - begun < 5
    assert (response.status_code, response.get_json()["status"]) == (200, "IN_REVIEW")


def together(app: Flask, customers: list[str]) -> list[str]:
    """The answers to concurrent identical reads."""
    start = Barrier(len(customers))

    def ask(customer: str) -> str:
        client = app.test_client()
        start.wait(30)
        answer = read(client, customer).get_json()
        return str(answer.get("status")) if "final" in answer else str(answer["code"])

    with ThreadPoolExecutor(len(customers)) as threads:
        return list(threads.map(ask, customers))


def test_identical_concurrent_reads_are_one_call_upstream(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    client = gateway(backend="review")
    submit(client)
    sandbox.forget_requests()
    sandbox.fault("result", "latency", seconds=1.5, count=1)
    assert together(client.application, [CUSTOMER] * 20) == ["IN_REVIEW"] * 20
    assert len(sandbox.requests("result")) == 1
    sandbox.review(CUSTOMER, "passed")
    assert read(client).get_json()["status"] == "VERIFIED"
    assert len(sandbox.requests("result")) == 2


def test_a_refused_shared_read_is_refused_for_every_caller(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    client = gateway(backend="review")
    sandbox.fault("result", "latency", seconds=1.5, count=1)
    customer = "code-CBC-5002"
    assert together(client.application, [customer] * 20) == ["CUSTOMER_NOT_FOUND"] * 20
    assert len(sandbox.requests("result")) == 1
    assert code(read(client, customer)) == "CUSTOMER_NOT_FOUND"
    assert len(sandbox.requests("result")) == 2


def test_reads_of_different_customers_are_not_shared(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    client = gateway(backend="review")
    customers = [f"cust-{number}" for number in range(8)]
    for customer in customers[::2]:
        sandbox.review(customer, "passed")
    sandbox.fault("result", "latency", seconds=0.2)
    assert together(client.application, customers) == ["VERIFIED", "NOT_SUBMITTED"] * 4
    asked = {entry["target"].partition("=")[2] for entry in sandbox.requests("result")}
    assert (len(sandbox.requests("result")), asked) == (8, set(customers))


def test_reads_of_different_accounts_are_not_shared(gateway: Build, sandbox: SandboxDriver) -> None:
    app = gateway(backend="review").application
    sandbox.fault("result", "latency", seconds=0.5)

    def ask(key: str) -> int:
        return read(app.test_client(), CUSTOMER, key=key).status_code

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(ask, ["reader-key", "second-key"])) == [200, 200]
    keys = {e["headers"]["Authorization"].split(",")[0] for e in sandbox.requests("result")}
    assert len(keys) == 2
