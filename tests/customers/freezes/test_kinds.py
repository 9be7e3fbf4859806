"""The gateway remembers of which kind a freeze is, and never tells a kind that it cannot know."""

from __future__ import annotations

import json

import pytest

from tests.customers.freezes.freezing import (
    ACCOUNT,
    HUAWEIS,
    READ,
    RESOURCES,
    UNKNOWN,
    at_huawei,
    change,
    said,
)
from tests.support.fixtures import Build
from tests.support.patience import headers, new_customer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.valkey import Valkey

KINDS = (ACCOUNT, RESOURCES)
MONTH = 30 * 24 * 3600


@pytest.fixture
def customer(sandbox: SandboxDriver) -> str:
    customer = new_customer()
    sandbox.customer(customer, name="shop_1")
    return customer


def asked(sandbox: SandboxDriver) -> list[str]:
    return [json.loads(one["body"])["unfreeze_type"] for one in sandbox.requests("unfreeze")]


@pytest.mark.parametrize("kind", KINDS)
def test_another_replica_tells_the_kind_of_a_freeze_once(
    creator: Build, sandbox: SandboxDriver, valkey: Valkey, customer: str, kind: str
) -> None:
    first, second = (creator(state={"url": valkey.url}) for _ in "ab")
    assert said(change(first, "freeze", customer, kind=kind)) is True
    told = [change(second, "unfreeze", customer).get_json()["freeze"] for _ in range(2)]
    assert told == [kind, "UNKNOWN"]
    assert asked(sandbox) == [HUAWEIS[kind], "ACCOUNT"]
    assert [one for one in valkey.values().values() if customer.encode() in one] == []


def test_the_kind_of_a_freeze_is_remembered_for_thirty_days(
    creator: Build, sandbox: SandboxDriver, valkey: Valkey, customer: str
) -> None:
    app = creator(state={"url": valkey.url})
    change(app, "freeze", customer, kind=RESOURCES)
    valkey.pass_time(MONTH - 60)
    sandbox.fault("unfreeze", "code", code="CBC.0151", status=403, count=1)
    assert said(change(app, "unfreeze", customer)) == "UPSTREAM_ACCESS_DENIED"
    valkey.pass_time(120)
    change(creator(state={"url": valkey.url}), "unfreeze", customer)
    assert asked(sandbox) == ["ACCOUNT_AND_RESOURCE", "ACCOUNT"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_caller_names_the_kind_of_a_freeze_that_the_gateway_cannot_know(
    creator: Build, sandbox: SandboxDriver, customer: str, kind: str
) -> None:
    app = creator()
    sandbox.customer(customer, frozen=True, freeze_type=HUAWEIS[kind])
    other = next(one for one in KINDS if one != kind)
    assert said(change(app, "unfreeze", customer, kind=other)) == "UPSTREAM_REJECTED_FIELDS"
    answer = change(app, "unfreeze", customer, kind=kind).get_json()
    assert (answer["frozen"], answer["freeze"]) == (False, "UNKNOWN")
    assert at_huawei(sandbox, customer)[0] is False


def test_a_customer_that_starts_frozen_is_unfrozen_as_an_account(
    creator: Build, sandbox: SandboxDriver, customer: str
) -> None:
    sandbox.customer(customer, frozen=True)
    assert change(creator(), "unfreeze", customer).get_json()["freeze"] == "UNKNOWN"
    assert asked(sandbox) == ["ACCOUNT"]


@pytest.mark.parametrize("changes", [True, False])
def test_a_freeze_of_another_kind_leaves_no_kind_that_may_be_wrong(
    creator: Build, sandbox: SandboxDriver, customer: str, changes: bool
) -> None:
    app = creator()
    sandbox.settings(refreeze_changes_kind=changes)
    for kind in (RESOURCES, ACCOUNT):
        assert said(change(app, "freeze", customer, kind=kind)) is True
    answer = change(app, "unfreeze", customer, kind=ACCOUNT if changes else RESOURCES)
    assert answer.get_json()["freeze"] == "UNKNOWN"


def test_a_second_freeze_of_the_same_kind_keeps_the_kind(creator: Build, customer: str) -> None:
    app = creator()
    for _ in range(2):
        assert said(change(app, "freeze", customer, kind=RESOURCES)) is True
    assert change(app, "unfreeze", customer).get_json()["freeze"] == RESOURCES


def test_a_freeze_of_a_customer_that_somebody_else_froze_has_no_known_kind(
    creator: Build, sandbox: SandboxDriver, customer: str
) -> None:
    app = creator()
    sandbox.customer(customer, frozen=True)
    change(app, "freeze", customer)
    assert change(app, "unfreeze", customer).get_json()["freeze"] == "UNKNOWN"


@pytest.mark.parametrize(
    ("code", "told"), [("CBC.5004", RESOURCES), ("CBC.0151", RESOURCES), ("CBC.0999", "UNKNOWN")]
)
def test_a_refused_freeze_changes_no_kind_and_a_lost_one_makes_it_unknown(
    creator: Build, sandbox: SandboxDriver, customer: str, code: str, told: str
) -> None:
    app = creator()
    change(app, "freeze", customer, kind=RESOURCES)
    sandbox.fault("freeze", "code", code=code, count=1)
    assert isinstance(said(change(app, "freeze", customer, kind=ACCOUNT, wait=2)), str)
    answer = change(app, "unfreeze", customer, kind=RESOURCES)
    assert answer.get_json()["freeze"] == told


def test_a_lost_unfreeze_keeps_the_kind_for_its_repeat(
    creator: Build, sandbox: SandboxDriver, customer: str
) -> None:
    app = creator()
    change(app, "freeze", customer, kind=RESOURCES)
    sandbox.fault("unfreeze", "html", count=1)
    assert said(change(app, "unfreeze", customer, "k", wait=2)) == UNKNOWN
    sandbox.fault(READ, "html", count=3)
    assert said(change(app, "unfreeze", customer, "k", wait=3)) == UNKNOWN
    for _ in range(2):
        assert change(app, "unfreeze", customer, "k").get_json()["freeze"] == RESOURCES
    assert asked(sandbox) == ["ACCOUNT_AND_RESOURCE"] * 2


def test_a_lost_freeze_that_is_proven_tells_its_kind(
    creator: Build, sandbox: SandboxDriver, customer: str
) -> None:
    app = creator()
    sandbox.fault("freeze", "reset", count=1)
    assert said(change(app, "freeze", customer)) is True
    assert change(app, "unfreeze", customer).get_json()["freeze"] == ACCOUNT


def test_a_budget_that_unfreezes_ends_the_memory_of_the_freeze(
    creator: Build, sandbox: SandboxDriver, customer: str
) -> None:
    app = creator()
    change(app, "freeze", customer, kind=RESOURCES)
    path, asked_for = f"/v1/customers/{customer}/budget", {"amount": "5.00", "unfreeze": True}
    assert app.test_client().put(path, json=asked_for, headers=headers()).status_code == 200
    sandbox.customer(customer, frozen=True, freeze_type="ACCOUNT")  # by Huawei, above the budget
    assert change(app, "unfreeze", customer).get_json()["freeze"] == "UNKNOWN"
    assert asked(sandbox) == ["ACCOUNT"]
