"""Every fault of the sandbox, for budgets, with the state in memory and in Redis."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import requests
from flask import Flask
from werkzeug.test import TestResponse

from sandbox.faults import KINDS
from tests.customers.conftest import CALLERS
from tests.customers.freezes.test_fault_matrix import CASES, STATES, WAIT, Case
from tests.support.fixtures import Build
from tests.support.gunicorn_process import ServedGateway
from tests.support.patience import HANGS, headers, new_customer, patient
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.valkey import Valkey
from tests.test_fault_matrix import about, at_once

pytestmark = [pytest.mark.slow, pytest.mark.long]

SET = "set_budget"


def put(app: Flask, customer: str, key: str | None = None, wait: int | None = WAIT) -> TestResponse:
    path = f"/v1/customers/{customer}/budget"
    sent = headers("writer-key", key, wait)
    return app.test_client().put(path, json={"amount": "500.00"}, headers=sent)


def said(response: TestResponse) -> Any:
    """The error code of an answer, or the amount of the budget."""
    told = response.get_json()
    return told.get("code", told.get("amount"))


def budget(sandbox: SandboxDriver, customer: str) -> float:
    """The customer's budget at Huawei."""
    return float(sandbox.state()["customers"][customer]["account"]["budget"]["amount"])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_faulty_budget_is_sent_once_and_claimed_only_where_huawei_shows_it(
    gateways: Build, sandbox: SandboxDriver, case: Case
) -> None:
    chosen = {"processed": case.processed} if KINDS[case.kind].choosable else {}
    sandbox.fault(SET, case.kind, **chosen, **dict(case.parameters))
    customers = {state: new_customer() for state in STATES}
    for state, customer in customers.items():
        sandbox.customer(customer)
        gateways(state, hasty=case.kind in HANGS)  # a build would count as a part of the request

    def write(state: str, wait: int | None = None) -> TestResponse:
        return put(gateways(state, hasty=case.kind in HANGS), customers[state], "k", wait)

    for state, (response, seconds) in at_once(partial(write, wait=WAIT), STATES).items():
        assert said(response) == ("500.00" if case.processed else case.failed), state
        assert seconds < WAIT + 1
        if not case.processed:
            assert response.get_json()["retry"] == "SAME_KEY"
        assert [one["processed"] for one in about(sandbox, SET, customers[state])] == [
            case.processed
        ]
    sandbox.clear_faults()
    for state, (response, _) in at_once(write, STATES).items():
        assert said(response) == "500.00"
        assert budget(sandbox, customers[state]) == 500
        # Huawei lists no change for what it did not process: the repeat is sent.
        assert len(about(sandbox, SET, customers[state])) == 1 + (not case.processed)


@pytest.mark.parametrize("state", STATES)
def test_a_throttled_budget_is_sent_again_after_the_pause(
    gateways: Build, sandbox: SandboxDriver, state: str
) -> None:
    customer, app = new_customer(), gateways(state, "throttled")
    sandbox.customer(customer)
    sandbox.fault(SET, "throttled", retry_after=1, count=1)
    begun = monotonic()
    assert said(put(app, customer)) == "500.00"
    assert 1 <= monotonic() - begun < WAIT + 1
    assert (len(sandbox.requests(SET)), sandbox.processed(SET)) == (2, 1)
    sandbox.fault(SET, "throttled", retry_after=30)
    refused = put(app, customer)
    assert (said(refused), refused.headers["Retry-After"]) == ("UPSTREAM_THROTTLED", "30")
    assert sandbox.processed(SET) == 1


@pytest.mark.parametrize("processed", [True, False])
def test_a_repeat_after_a_killed_process_looks_first(
    creator: Build, sandbox: SandboxDriver, valkey: Valkey, tmp_path: Path, processed: bool
) -> None:
    customer, state = new_customer(), {"url": valkey.url}
    sandbox.customer(customer)
    sandbox.fault(SET, "hang", processed=processed, count=1)
    document = patient(tmp_path, sandbox.url, state, CALLERS, timeouts={"read": 30.0})
    gateway = ServedGateway(tmp_path, document)
    with gateway, ThreadPoolExecutor(1) as threads:
        gateway.request(
            "GET", f"/v1/customers/{customer}/budget", headers=headers()
        )  # proves the key
        lost = threads.submit(
            gateway.request,
            "PUT",
            f"/v1/customers/{customer}/budget",
            json={"amount": "500.00"},
            headers=headers(idempotency="k", wait=2),
        )
        wait_until(lambda: sandbox.received(SET))
        gateway.kill()
        assert isinstance(lost.exception(), requests.ConnectionError)

    app = creator(state=state)
    assert said(put(app, customer, "k")) == "IDEMPOTENCY_KEY_IN_FLIGHT"
    wait_until(lambda: said(put(app, customer, "k", None)) == "500.00")
    assert sandbox.processed(SET) == 1
    assert len(sandbox.requests(SET)) == (1 if processed else 2)


def test_a_repeat_without_redis_sends_the_same_amount_again(
    creator: Build, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    """The amount is absolute: a second write changes nothing, and its answer is Huawei's."""
    mortal.mature()
    customer, state = new_customer(), {"url": mortal.url}
    sandbox.customer(customer)
    sandbox.fault(SET, "html", processed=True, count=1)
    sandbox.fault("list_budget_changes", "html", count=10)
    assert said(put(creator(state=state), customer, "k")) == "OUTCOME_UNKNOWN"
    sandbox.clear_faults()
    mortal.kill()
    assert said(put(creator(state=state), customer, "k")) == "500.00"
    assert budget(sandbox, customer) == 500
