"""A customer's budget is set once, and told as Huawei shows it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.gateway import bearer, code
from tests.support.log import Log, sendings, trail
from tests.support.sandbox_driver import SandboxDriver

PATH = "/v1/customers/cust-1/budget"
SET = "set_budget"
SHOWN = {"amount": "500.00", "used": "0", "currency": "USD", "period": "MONTHLY"}


@pytest.fixture
def config(config: dict[str, Any]) -> dict[str, Any]:
    config["callers"]["writer"] |= {"scopes": ["budgets:write", "budgets:read"]}
    config["callers"]["second"] |= {
        "scopes": ["budgets:write"],
        "accounts": ["default"],
        "max_budget": "100.00",
    }
    return config


@pytest.fixture(autouse=True)
def customer(sandbox: SandboxDriver) -> None:
    sandbox.customer("cust-1", name="shop_1", frozen=True)


def put(client: FlaskClient, body: dict[str, Any], key: str = "", **headers: str) -> Any:
    named = {"Idempotency-Key": key} if key else {}
    return client.put(PATH, json=body, headers={**bearer(), **named, **headers})


def sent(sandbox: SandboxDriver) -> list[dict[str, Any]]:
    return [json.loads(one["body"]) for one in sandbox.requests(SET)]


def test_a_budget_is_set_and_told_as_huawei_shows_it(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    answer = put(client, {"amount": "500", "unfreeze": True, "when_exceeded": "FREEZE"})
    assert answer.status_code == 200
    assert {name: answer.json[name] for name in ("currency", "period")} == {
        "currency": "USD",
        "period": "MONTHLY",
    }
    assert float(answer.json["amount"]) == 500
    (request,) = sandbox.requests(SET)
    assert '"budget_amount":500.00' in request["body"]
    assert sent(sandbox) == [
        {
            "customer_id": "cust-1",
            "budget_amount": 500.0,
            "cancel_partner_frozen": "1",
            "frozen_operate_type": 1,
        }
    ]
    assert sandbox.state()["customers"]["cust-1"]["account"]["frozen"] is False


def test_a_repeat_with_the_same_key_is_answered_without_a_second_write(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    first = put(client, {"amount": "500.00"}, "k")
    again = put(client, {"amount": "500.00"}, "k")
    assert (first.json, again.headers["Idempotent-Replayed"]) == (again.json, "true")
    assert len(sent(sandbox)) == 1
    assert code(put(client, {"amount": "600.00"}, "k")) == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize(
    "body",
    [
        *(
            {"amount": amount}
            for amount in ("0", "0.00", "-1", "1.005", "1e3", "", "2147483647.01")
        ),
        *({"amount": amount} for amount in (5, None, "NaN", "1,000")),
        *({}, {"amount": "1", "period": "YEARLY"}, {"amount": "1", "unfreeze": "true"}),
        {"amount": "1", "currency": "USD"},
    ],
)
def test_a_budget_that_huawei_would_refuse_is_not_sent(
    client: FlaskClient, sandbox: SandboxDriver, body: dict[str, Any]
) -> None:
    assert code(put(client, body)) == "VALIDATION_FAILED"
    assert sandbox.requests() == []


def test_the_audit_trail_tells_a_budget_that_unfreezes(client: FlaskClient, log: Log) -> None:
    for body in ({"unfreeze": True}, {"unfreeze": False}, {}):
        assert put(client, {"amount": "500.00", **body}).status_code == 200
    for lines in (sendings(log), trail(log)):
        assert [line.get("unfreeze") for line in lines] == [True, None, None]


def test_an_amount_above_the_largest_of_the_caller_is_forbidden(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    refused = put(client, {"amount": "100.01"}, Authorization="Bearer second-key")
    assert code(refused) == "FORBIDDEN"
    assert sandbox.requests() == []
    assert put(client, {"amount": "100.00"}, Authorization="Bearer second-key").status_code == 200


def test_a_lost_answer_is_settled_by_the_change_that_huawei_lists(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.fault(SET, "reset", count=1)
    answer = put(client, {"amount": "500.00"})
    assert answer.status_code == 200
    assert len(sent(sandbox)) == 1


def test_an_amount_that_was_there_before_proves_no_lost_write(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.customer("cust-1", budget={"amount": "500.00"})
    sandbox.fault(SET, "html", count=1)
    assert code(put(client, {"amount": "500.00"}, "k", Prefer="wait=3")) == "OUTCOME_UNKNOWN"
    assert put(client, {"amount": "500.00"}, "k").status_code == 200
    assert sandbox.processed(SET) == 1


def test_the_change_of_another_write_proves_no_earlier_try(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    body = {"amount": "500.00", "unfreeze": True}
    sandbox.fault(SET, "html", count=1)
    assert code(put(client, body, "a", Prefer="wait=2")) == "OUTCOME_UNKNOWN"
    assert put(client, {"amount": "500.00"}, "b").status_code == 200
    assert sandbox.state()["customers"]["cust-1"]["account"]["frozen"] is True
    assert put(client, body, "a").status_code == 200
    assert sandbox.processed(SET) == 2
    assert sandbox.state()["customers"]["cust-1"]["account"]["frozen"] is False


def test_a_budget_that_huawei_does_not_show_yet_is_of_unknown_outcome(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    body = {"budget_amount": 1, "used_amount": 0, "currency": "USD", "budget_type": "MONTHLY"}
    sandbox.fault("show_budget", "status", status=200, body=body)
    assert code(put(client, {"amount": "500.00"}, Prefer="wait=2")) == "OUTCOME_UNKNOWN"


def test_a_refusal_is_its_problem(client: FlaskClient, sandbox: SandboxDriver) -> None:
    sandbox.fault(SET, "code", code="CBC.99005024", count=1)
    assert code(put(client, {"amount": "500.00"})) == "ASSOCIATION_TYPE_WRONG"


def test_a_repeat_is_not_sent_while_nobody_can_tell_whether_the_first_try_was_processed(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.fault(SET, "reset", count=1)
    sandbox.fault("list_budget_changes", "throttled", retry_after=30)
    assert code(put(client, {"amount": "500.00"}, "k")) == "OUTCOME_UNKNOWN"
    assert code(put(client, {"amount": "500.00"}, "k")) == "OUTCOME_UNKNOWN"
    assert len(sent(sandbox)) == 1


def test_a_change_is_found_however_many_older_ones_huawei_lists_first(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(newest_record_first=False)
    for number in range(101):
        assert put(client, {"amount": f"{number + 1}.00"}).status_code == 200
    sandbox.fault(SET, "reset", count=1)
    assert put(client, {"amount": "500.00"}).json["amount"] == "500.00"
    assert len(sent(sandbox)) == 102
