"""Events of budgets, of the credit, and of customers that are associated."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from app import create_app
from app.events.amount_reads import INTERVAL
from app.events.associations import GIVEN_UP
from app.events.lane import REFUSED
from app.settings import Settings
from app.state import MemoryState
from tests.support.gateway import altered, bearer, configuration
from tests.support.onboarding import create
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock
from tests.support.watching import Replica

LONG = INTERVAL + 10  # seconds in which every amount is read once


@pytest.fixture
def settings(tmp_path: Path, sandbox: SandboxDriver) -> Settings:
    document = configuration(tmp_path, sandbox.url)
    document["callers"]["writer"]["scopes"] += ["budgets:write", "customers:write"]
    return Settings.model_validate(document)


@pytest.fixture
def replica(settings: Settings) -> Replica:
    clock = Clock()
    return Replica(settings, MemoryState(now=clock), clock)


def budget(sandbox: SandboxDriver, customer: str, amount: str, used: str) -> None:
    sandbox.customer(customer, budget={"amount": amount, "used": used})


def of_budgets(replica: Replica) -> list[tuple[str, int]]:
    return [(who, percent) for kind, who, percent in replica.events if kind == "BUDGET_USED"]


def of_the_credit(replica: Replica) -> list[int]:
    return [percent for kind, _, percent in replica.events if kind == "CREDIT_USED"]


def associated(replica: Replica) -> list[str]:
    return [who for kind, who, _ in replica.events if kind == "CUSTOMER_ASSOCIATED"]


def associate(replica: Replica, sandbox: SandboxDriver, *customers: str) -> None:
    now = replica.clock.utc().strftime("%Y-%m-%dT%H:%M:%SZ")
    for customer in customers:
        sandbox.customer(customer, associated_on=now)


def test_each_level_of_a_budget_is_told_once(replica: Replica, sandbox: SandboxDriver) -> None:
    replica.amounts.budget_set("cust-1")
    budget(sandbox, "cust-1", "500", "399.99")
    replica.watch(LONG)
    assert of_budgets(replica) == []
    budget(sandbox, "cust-1", "500", "400")
    replica.watch(2 * LONG)
    assert of_budgets(replica) == [("cust-1", 80)]
    budget(sandbox, "cust-1", "500", "500")
    replica.watch(2 * LONG)
    assert of_budgets(replica) == [("cust-1", 80), ("cust-1", 100)]


def test_levels_are_told_again_after_a_new_month_and_for_a_new_budget(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    replica.amounts.budget_set("cust-1")
    budget(sandbox, "cust-1", "500", "600")
    replica.watch(LONG)
    budget(sandbox, "cust-1", "500", "0")
    replica.watch(LONG)
    budget(sandbox, "cust-1", "500", "450")
    replica.watch(LONG)
    assert of_budgets(replica) == [("cust-1", 80), ("cust-1", 100), ("cust-1", 80)]
    replica.amounts.budget_set("cust-1")
    replica.watch(LONG)
    assert of_budgets(replica)[3:] == [("cust-1", 80)]


def test_an_amount_that_moves_around_a_level_is_told_once(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    replica.amounts.budget_set("cust-1")
    for used in ("401", "399", "402"):
        budget(sandbox, "cust-1", "500", used)
        replica.watch(LONG)
    assert of_budgets(replica) == [("cust-1", 80)]


def test_one_call_reads_a_hundred_budgets(replica: Replica, sandbox: SandboxDriver) -> None:
    names = [f"cust-{number}" for number in range(150)]
    for name in names:
        replica.amounts.budget_set(name)
    budget(sandbox, names[-1], "10", "9")
    replica.watch(LONG)
    assert len(sandbox.requests("list_budgets")) == 2
    assert of_budgets(replica) == [(names[-1], 80)]


def test_the_budget_that_a_caller_sets_is_watched(
    settings: Settings, sandbox: SandboxDriver
) -> None:
    sandbox.customer("cust-1")
    client: FlaskClient = create_app(settings).test_client()
    gateway = client.application.extensions["partner_gateway"]
    path = "/v1/customers/cust-1/budget"
    assert client.put(path, json={"amount": "10.00"}, headers=bearer()).status_code == 200
    assert list(gateway.accounts["default"].amounts.budgets()) == ["cust-1"]


def test_the_levels_of_the_credit_are_told(replica: Replica, sandbox: SandboxDriver) -> None:
    sandbox.credit(quota="1000", due="799", unbilled="0")
    replica.watch(LONG)
    assert of_the_credit(replica) == []
    sandbox.credit(due="810")
    replica.watch(2 * LONG)
    assert of_the_credit(replica) == [80]
    sandbox.credit(due="990")
    replica.watch(LONG)
    assert of_the_credit(replica) == [80, 95]
    used = REGISTRY.get_sample_value("gateway_credit_used_ratio", {"account": "default"})
    assert used == pytest.approx(0.99, abs=0.05)


def test_a_credential_that_may_not_read_the_credit_is_asked_once_an_hour(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    sandbox.fault("show_credit", "code", code="CBC.0151", status=403)
    replica.watch(REFUSED)
    assert len(sandbox.requests("show_credit")) == 1


def test_the_association_of_a_created_customer_is_told(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    replica.associations.associating("new-1")
    replica.associations.associating("new-2")
    replica.watch(30)
    assert associated(replica) == []
    associate(replica, sandbox, "new-1")
    replica.watch(15)
    assert associated(replica) == ["new-1"]
    assert list(replica.associations.all()) == ["new-2"]


@pytest.mark.parametrize(("seconds", "number"), [(0, 0), (None, 1)])
def test_a_created_customer_is_watched_until_it_is_associated(
    settings: Settings, sandbox: SandboxDriver, seconds: int | None, number: int
) -> None:
    sandbox.settings(association_seconds=seconds)
    client = create_app(settings).test_client()
    gateway = client.application.extensions["partner_gateway"]
    created = create(client).get_json()["customer_id"]
    assert list(gateway.accounts["default"].associations.all()) == [created][:number]


def test_many_associations_are_seen_by_few_calls(replica: Replica, sandbox: SandboxDriver) -> None:
    names = [f"new-{number}" for number in range(150)]
    associate(replica, sandbox, *names)
    for name in names:
        replica.associations.associating(name)
    replica.watch(15)
    assert associated(replica) == names
    assert replica.associations.all() == {}
    assert len(sandbox.requests("list_customers")) == 2


def test_an_association_that_never_comes_is_given_up(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    replica.associations.associating("new-1")
    replica.watch(60)
    replica.clock.pass_time(GIVEN_UP)
    replica.watch(1200)
    assert replica.associations.all() == {}
    sandbox.forget_requests()
    replica.watch(60)
    assert sandbox.requests("list_customers") == []


def test_the_association_is_given_up_though_the_list_cannot_be_read(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    sandbox.fault("list_customers", "code", code="CBC.0999")
    replica.associations.associating("new-1")
    replica.watch(60)
    replica.clock.pass_time(GIVEN_UP)
    replica.watch(1200)
    assert replica.associations.all() == {}


def test_a_failed_association_look_delays_another(replica: Replica, sandbox: SandboxDriver) -> None:
    replica.associations.associating("new-1")
    replica.clock.pass_time(6 * 3600)  # the longest pause, 6 minutes
    sandbox.fault("list_customers", "code", code="CBC.0999")
    replica.watch(10 * 60)
    assert len(sandbox.requests("list_customers")) <= 2


def test_a_credential_that_may_not_list_the_associated_still_lists_the_reviews(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    sandbox.fault("list_customers", "code", code="CBC.0151", status=403, count=1)
    replica.associations.associating("new-1")
    replica.watch(5)
    assert len(sandbox.requests("list_customers")) == 1
    for number in range(20):
        sandbox.customer(f"cust-{number}")
    replica.begin(sandbox, *(f"cust-{number}" for number in range(20)))
    replica.watch(30)
    assert len(sandbox.requests("list_customers")) > 2


def test_the_list_is_not_asked_for_customers_that_were_associated_long_before(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    replica.associations.associating("new-1")
    replica.watch(10)
    body = sandbox.requests("list_customers")[0]["body"]
    assert "associated_on_begin" in body


def test_a_part_of_zero_switches_the_watch_off(settings: Settings) -> None:
    off = altered(settings, watch={"calls_per_second": 0})
    gateway = create_app(off).extensions["partner_gateway"]
    watched = [name for name, account in gateway.accounts.items() if account.watcher]
    assert watched == ["second"]
