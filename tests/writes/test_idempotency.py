"""Idempotency-Key: replay, reuse, in flight; and one write at a time for a customer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask

from tests.support.fixtures import Build
from tests.support.gateway import PERSON
from tests.support.patience import REPLAYED, new_customer, read, said, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import together, wait_until
from tests.support.valkey import Valkey
from tests.support.verifications import ENTERPRISE, INDIVIDUAL, parameters_at_fault

OTHER = {**INDIVIDUAL, "full_name": "LI SI"}
IN_FLIGHT = (409, "IDEMPOTENCY_KEY_IN_FLIGHT", False)
BUSY = (409, "CUSTOMER_WRITE_IN_PROGRESS", False)

states = pytest.mark.parametrize("state", ["memory", "redis"])


@states
@pytest.mark.parametrize(("backend", "status"), [("legacy", 201), ("review", 202)])
def test_a_repeat_with_the_same_key_gets_the_same_answer_and_nothing_is_sent(
    kept: Build, sandbox: SandboxDriver, backend: str, status: int, state: str
) -> None:
    app, customer = kept(state, backend), new_customer()
    first = submit(app, customer, "key-1")
    repeats = [submit(app, customer, "key-1") for _ in range(3)]
    assert first.status_code == status
    assert REPLAYED not in first.headers
    assert {one.status_code for one in repeats} == {status}
    assert {one.headers[REPLAYED] for one in repeats} == {"true"}
    for name in ("Location", "Retry-After", "Cache-Control"):
        assert {one.headers.get(name) for one in repeats} == {first.headers.get(name)}
    assert all(one.get_json() == first.get_json() for one in repeats)
    assert len(sandbox.submissions()) == 1


@states
def test_the_same_body_in_another_member_order_is_the_same_request(
    kept: Build, sandbox: SandboxDriver, state: str
) -> None:
    app, customer = kept(state, "review"), new_customer()
    submit(app, customer, "key-1")
    turned = dict(reversed(INDIVIDUAL.items()))
    assert submit(app, customer, "key-1", body=turned).headers[REPLAYED] == "true"
    assert len(sandbox.submissions()) == 1


@states
def test_an_idempotency_key_with_another_body_is_refused(
    kept: Build, sandbox: SandboxDriver, state: str
) -> None:
    app, customer = kept(state, "review"), new_customer()
    submit(app, customer, "key-1")
    response = submit(app, customer, "key-1", body=OTHER)
    assert said(response) == (422, "IDEMPOTENCY_KEY_REUSED", False)
    assert response.get_json()["retry"] == "NEVER"
    assert len(sandbox.submissions()) == 1


@states
@pytest.mark.parametrize(
    "other",
    [
        {"key": "old-rotating-key"},
        {"form": "enterprise", "body": ENTERPRISE},
        {"customer": "another"},
        {"account": "second"},
        {"idempotency": "key-2"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_an_idempotency_key_is_scoped_by_caller_kind_customer_and_account(
    kept: Build, sandbox: SandboxDriver, state: str, other: dict[str, Any]
) -> None:
    app = kept(state, "legacy")
    request: dict[str, Any] = {
        "customer": new_customer(),
        "idempotency": f"key-{state}-{other}"[:60],
    }
    submit(app, **request)
    response = submit(app, **{**request, "body": OTHER, **other})
    assert REPLAYED not in response.headers
    assert said(response)[1] != "IDEMPOTENCY_KEY_REUSED"
    assert len(sandbox.requests("verified-info")) == 2


@states
def test_without_an_idempotency_key_every_request_is_sent(
    kept: Build, sandbox: SandboxDriver, state: str
) -> None:
    app, customer = kept(state, "legacy"), new_customer()
    assert [submit(app, customer).status_code for _ in range(3)] == [201] * 3
    assert len(sandbox.submissions()) == 3


@pytest.mark.parametrize("key", ["", "k" * 256, "a\x7f", "a\tb", "schl\xfcssel"], ids=repr)
def test_a_malformed_idempotency_key_is_refused(
    kept: Build, sandbox: SandboxDriver, key: str
) -> None:
    response = submit(kept("memory", "review"), new_customer(), key)
    assert said(response) == (422, "VALIDATION_FAILED", False)
    assert parameters_at_fault(response) == [("Idempotency-Key", "KEY")]
    assert sandbox.requests() == []


@pytest.mark.parametrize("key", [" ", "k" * 255, "~!\"'{}"], ids=repr)
def test_any_printable_idempotency_key_is_accepted(
    kept: Build, sandbox: SandboxDriver, key: str
) -> None:
    app, customer = kept("memory", "review"), new_customer()
    assert submit(app, customer, key).status_code == 202
    assert submit(app, customer, key).headers[REPLAYED] == "true"
    assert len(sandbox.submissions()) == 1


@pytest.fixture(params=["memory", "redis"])
def slow(request: pytest.FixtureRequest, build: Build, valkey: Valkey) -> Flask:
    """A gateway with a long read timeout and a proven key pair."""
    state = {"url": valkey.url} if request.param == "redis" else None
    app = build(state=state, verification={"backend": "review"})
    assert read(app).status_code == 200
    return app


@pytest.mark.parametrize(
    ("other", "expected", "retry"),
    [
        pytest.param({}, IN_FLIGHT, "SAME_KEY", id="same key"),
        pytest.param({"idempotency": "key-2"}, BUSY, "AFTER_DELAY", id="another key"),
        pytest.param({"idempotency": None}, BUSY, "AFTER_DELAY", id="no key"),
        pytest.param({"key": "old-rotating-key"}, BUSY, "AFTER_DELAY", id="another caller"),
    ],
)
def test_a_second_write_for_a_customer_is_refused_while_the_first_is_in_progress(
    slow: Flask,
    sandbox: SandboxDriver,
    other: dict[str, Any],
    expected: tuple[int, str, bool],
    retry: str,
) -> None:
    sandbox.fault("individual", "latency", seconds=30, count=1)
    request: dict[str, Any] = {"customer": new_customer(), "idempotency": "key-1"}
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(submit, slow, **request)
        wait_until(lambda: sandbox.received("individual"))
        second = submit(slow, **{**request, **other})
        unconcerned = submit(slow, new_customer())
        sandbox.clear_faults()
        assert said(first.result()) == (202, "IN_REVIEW", False)
    assert said(second) == expected
    assert second.get_json()["retry"] == retry
    assert int(second.headers["Retry-After"]) >= 1
    assert unconcerned.status_code == 202
    assert submit(slow, **request).headers[REPLAYED] == "true"
    assert len(sandbox.requests("individual")) == 2


def test_one_of_twenty_requests_with_one_key_at_two_gateways_is_sent(
    build: Build, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    both = [build(state={"url": valkey.url}, verification={"backend": "review"}) for _ in range(2)]
    sandbox.fault("individual", "latency", seconds=0.2)
    answers = together(20, lambda place: submit(both[place % 2], "cust-20", "key-1"))
    assert {said(one) for one in answers} <= {(202, "IN_REVIEW", False), IN_FLIGHT}
    assert len([one for one in answers if one.status_code == 202]) >= 1
    assert len(sandbox.requests("individual")) == 1
    assert [submit(app, "cust-20", "key-1").headers[REPLAYED] for app in both] == ["true"] * 2


def test_twenty_callers_at_two_gateways_write_for_a_customer_one_at_a_time(
    build: Build, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    both = [build(state={"url": valkey.url}) for _ in range(2)]
    sandbox.fault("verified-info", "latency", seconds=0.3)
    answers = together(20, lambda place: submit(both[place % 2], "cust-20", f"key-{place}"))
    sent = sandbox.requests("verified-info")
    assert len(sent) == len([one for one in answers if one.status_code == 201])
    assert {said(one) for one in answers if one.status_code != 201} == {BUSY}
    assert all(later["at"] - earlier["at"] >= 0.3 for earlier, later in pairwise(sent))


@states
@pytest.mark.parametrize("customer", ["code-CBC-5002", "code-CBC-0250", "code-CBC-0151"])
def test_a_refused_request_releases_its_idempotency_key(
    kept: Build, sandbox: SandboxDriver, customer: str, state: str
) -> None:
    app, key = kept(state, "legacy"), f"key-{new_customer()}"
    first = submit(app, customer, key, wait=3)
    second = submit(app, customer, key, body=OTHER, wait=3)
    assert said(first) == said(second)
    assert said(second)[1] != "IDEMPOTENCY_KEY_REUSED"
    assert len(sandbox.requests("verified-info")) == 2


def test_a_request_that_was_not_sent_releases_its_idempotency_key(build: Build) -> None:
    app = build(upstream="http://127.0.0.1:1", reliability={"tries": 1})
    answers = [submit(app, body=body, idempotency="key-1") for body in (INDIVIDUAL, OTHER)]
    assert {said(one) for one in answers} == {(503, "UPSTREAM_UNREACHABLE", False)}
    early = [submit(app, body=body, idempotency="key-2", wait=0) for body in (INDIVIDUAL, OTHER)]
    assert {one.get_json()["retry"] for one in early} == {"AFTER_DELAY"}


def test_a_body_that_breaks_a_rule_reserves_no_idempotency_key(
    kept: Build, sandbox: SandboxDriver
) -> None:
    app, customer = kept("memory", "review"), new_customer()
    assert said(submit(app, customer, "key-1", body=PERSON))[1] == "EVIDENCE_REQUIRED"
    assert submit(app, customer, "key-1").status_code == 202
    assert len(sandbox.submissions()) == 1


def test_validate_only_reserves_no_idempotency_key(kept: Build, sandbox: SandboxDriver) -> None:
    app, customer = kept("memory", "review"), new_customer()
    checked = submit(app, customer, "key-1", form="individual?validate_only=true")
    assert checked.status_code == 200
    assert submit(app, customer, "key-1").status_code == 202
    assert len(sandbox.submissions()) == 1
