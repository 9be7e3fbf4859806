"""The proof of a lost freeze by the customer's state: every cell of the table of decision 0014."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from tests.customers.conftest import CALLERS
from tests.customers.freezes.freezing import (
    ACCOUNT,
    HUAWEIS,
    READ,
    RESOURCES,
    UNKNOWN,
    at_huawei,
    body,
    change,
    listed,
    said,
)
from tests.support.fixtures import Build
from tests.support.gunicorn_process import ServedGateway
from tests.support.patience import headers, new_customer, patient
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.valkey import Valkey
from tests.test_fault_matrix import about, at_once
from tests.verification.test_lost_answers import DECISION

pytestmark = [pytest.mark.slow, pytest.mark.long]

VERBS = ("freeze", "unfreeze")
KINDS = (ACCOUNT, RESOURCES)
AFTER = ("frozen", "not frozen")
BEFORE = (*AFTER, "unknown")


class Cell(NamedTuple):
    """A write, and the customer's state before and after it."""

    verb: str
    kind: str
    before: str
    after: str


def table() -> dict[Cell, bool]:
    """Whether the state after a write proves it, by the decision."""
    found = {}
    for line in DECISION.read_text().splitlines():
        if not line.startswith(("| freeze", "| unfreeze")):
            continue
        *named, frozen, free = (cell.strip() for cell in line.strip("| ").split("|"))
        verbs, kinds, states = (part.split(", ") for part in named)
        for verb, kind, before in product(verbs, kinds, states):
            for after, proof in zip(AFTER, (frozen, free), strict=True):
                found[Cell(verb, kind, before, after)] = proof == "proven"
    return found


TABLE = table()


def test_the_table_of_freezes_has_every_cell() -> None:
    assert TABLE.keys() == {Cell(*cell) for cell in product(VERBS, KINDS, BEFORE, AFTER)}


@pytest.mark.parametrize("repeated", [False, True], ids=["at once", "by the repeat"])
def test_a_state_proves_a_lost_freeze_as_the_decision_says(
    gateways: Build, sandbox: SandboxDriver, repeated: bool
) -> None:
    app, customers = gateways("memory"), {cell: new_customer() for cell in TABLE}
    for cell, customer in customers.items():
        frozen = cell.after == "frozen"
        sandbox.customer(customer, frozen=frozen, freeze_type=HUAWEIS[cell.kind])
        sandbox.fault(cell.verb, "html", customer=customer, count=1)  # not processed
        # The tries of the first read; later reads show the state after, unless the repeat asks.
        listed(sandbox, customer, cell.before, count=3 if cell.before == "unknown" else 1)
        if repeated:
            hidden = "not frozen" if cell.verb == "freeze" else "frozen"
            listed(sandbox, customer, hidden)

    def write(cell: Cell) -> Any:
        return said(change(app, cell.verb, customers[cell], "k", cell.kind, 20))

    first = {cell: answer for cell, (answer, _) in at_once(write, list(TABLE)).items()}
    if not repeated:
        assert first == {
            cell: (cell.verb == "freeze") if proven else UNKNOWN for cell, proven in TABLE.items()
        }
        return
    assert set(first.values()) == {UNKNOWN}
    for customer in customers.values():
        sandbox.clear_faults(customer)
    sandbox.forget_requests()
    again = at_once(write, list(TABLE))
    for cell, proven in TABLE.items():
        assert again[cell][0] is (cell.verb == "freeze")
        assert bool(about(sandbox, cell.verb, customers[cell])) is not proven, cell


def test_a_state_after_another_write_proves_no_earlier_freeze(
    creator: Build, sandbox: SandboxDriver
) -> None:
    app, customer = creator(), new_customer()
    sandbox.customer(customer, name="shop_1")
    sandbox.fault("freeze", "html", count=1)
    assert said(change(app, "freeze", customer, "a", wait=2)) == UNKNOWN
    assert said(change(app, "freeze", customer, "b")) is True
    assert said(change(app, "freeze", customer, "a")) is True
    assert len(sandbox.requests("freeze")) == 3
    sandbox.fault("unfreeze", "html", count=1)
    assert said(change(app, "unfreeze", customer, "c", wait=2)) == UNKNOWN
    budget = {"amount": "5.00", "unfreeze": True}
    path = f"/v1/customers/{customer}/budget"
    done = app.test_client().put(path, json=budget, headers=headers())
    assert done.status_code == 200
    assert said(change(app, "unfreeze", customer, "c")) is False
    assert len(sandbox.requests("unfreeze")) == 2


@pytest.mark.parametrize("verb", VERBS)
def test_a_repeat_that_cannot_look_sends_nothing(
    creator: Build, sandbox: SandboxDriver, verb: str
) -> None:
    app, customer = creator(), new_customer()
    sandbox.customer(customer, frozen=verb == "unfreeze")
    sandbox.fault(verb, "html", count=1)
    assert said(change(app, verb, customer, "k", wait=2)) == UNKNOWN
    sandbox.fault(READ, "html")
    refused = change(app, verb, customer, "k", wait=3)
    assert (said(refused), refused.get_json()["retry"]) == (UNKNOWN, "SAME_KEY")
    assert len(sandbox.requests(verb)) == 1


def test_a_first_freeze_is_sent_though_the_state_cannot_be_read(
    creator: Build, sandbox: SandboxDriver
) -> None:
    customer = new_customer()
    sandbox.customer(customer, name="shop_1")
    sandbox.fault(READ, "hang")
    assert said(change(creator(), "freeze", customer)) is True
    assert at_huawei(sandbox, customer) == (True, ACCOUNT)


def test_one_write_at_a_time_is_sent_for_a_customer_across_operations(
    creator: Build, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    first, second = (creator(state={"url": valkey.url}) for _ in "ab")
    customer = new_customer()
    sandbox.customer(customer, name="shop_1")
    sandbox.fault("freeze", "latency", seconds=30, count=1)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(change, first, "freeze", customer, "k")
        wait_until(lambda: sandbox.received("freeze"))
        path, amount = f"/v1/customers/{customer}/budget", {"amount": "5.00"}
        budget = second.test_client().put(path, json=amount, headers=headers())
        others = [said(change(second, "unfreeze", customer)), budget.get_json()["code"]]
        same = said(change(second, "freeze", customer, "k"))
        sandbox.clear_faults()
        assert said(slow.result()) is True
    assert others == ["CUSTOMER_WRITE_IN_PROGRESS"] * 2
    assert same == "IDEMPOTENCY_KEY_IN_FLIGHT"
    assert sandbox.requests("unfreeze") + sandbox.requests("set_budget") == []


@pytest.mark.parametrize("back", [False, True], ids=["lost", "back with nothing in it"])
def test_a_freeze_whose_record_is_lost_with_redis_is_sent_again_and_never_claimed(
    creator: Build, sandbox: SandboxDriver, mortal: Valkey, back: bool
) -> None:
    state, customer = {"url": mortal.url}, new_customer()
    sandbox.customer(customer, name="shop_1")
    sandbox.fault("freeze", "html", count=1)
    mortal.mature()
    app = creator(state=state)
    assert said(change(app, "freeze", customer, "k", wait=2)) == UNKNOWN
    mortal.kill()
    if back:
        mortal.start()
    sandbox.customer(customer, frozen=True)  # by somebody else
    sandbox.fault("freeze", "html", count=1)
    assert [said(change(creator(state=state), "freeze", customer, "k")) for _ in range(2)] == [
        UNKNOWN,
        True,
    ]
    assert (len(sandbox.requests("freeze")), sandbox.processed("freeze")) == (3, 1)


@pytest.mark.parametrize("processed", [True, False])
def test_a_repeat_after_a_killed_process_looks_first(
    creator: Build, sandbox: SandboxDriver, valkey: Valkey, tmp_path: Path, processed: bool
) -> None:
    customer = new_customer()
    sandbox.customer(customer, name="shop_1")
    sandbox.fault("freeze", "hang", processed=processed, count=1)
    state: dict[str, Any] = {"url": valkey.url}
    document = patient(tmp_path, sandbox.url, state, CALLERS, timeouts={"read": 30.0})
    gateway = ServedGateway(tmp_path, document)
    with gateway, ThreadPoolExecutor(1) as threads:
        lost = threads.submit(
            gateway.request,
            "POST",
            f"/v1/customers/{customer}/freeze",
            json=body("freeze", customer, None),
            headers=headers(idempotency="k", wait=2),
        )
        wait_until(lambda: sandbox.received("freeze"))
        gateway.kill()
        assert isinstance(lost.exception(), requests.ConnectionError)

    app = creator(state=state)
    early = change(app, "freeze", customer, "k")
    assert said(early) == "IDEMPOTENCY_KEY_IN_FLIGHT"
    assert int(early.headers["Retry-After"]) <= 7  # the deadline of 2 seconds, and 5 more
    wait_until(lambda: said(change(app, "freeze", customer, "k")) is True)
    assert sandbox.processed("freeze") == 1
    assert len(sandbox.requests("freeze")) == (1 if processed else 2)
