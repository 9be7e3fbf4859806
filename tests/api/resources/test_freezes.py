"""A customer is frozen and unfrozen, each kind of freeze by its own right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from tests.support.gateway import bearer, code
from tests.support.log import AUDIT, Log, check_silence, sendings, trail
from tests.support.sandbox_driver import SandboxDriver

CUSTOMER = "cust-1"
REASON = "Invoice 2026-10 of Mr ZHANG is not paid"
RESOURCES: dict[str, Any] = {"resources": True, "confirm": CUSTOMER}


@pytest.fixture
def config(config: dict[str, Any]) -> dict[str, Any]:
    account = ["customers:freeze"]
    config["callers"]["writer"]["scopes"] = [*account, "customers:freeze-resources"]
    config["callers"]["reader"]["scopes"] = ["customers:freeze-resources"]
    config["callers"]["second"] |= {"scopes": account, "accounts": ["default"]}
    config["callers"]["rotating"] |= {"scopes": account, "customers": "shop-.*"}
    return config


@pytest.fixture(autouse=True)
def customer(sandbox: SandboxDriver) -> None:
    sandbox.customer(CUSTOMER, name="shop_1")


def post(
    client: FlaskClient,
    verb: str,
    key: str = "",
    headers: dict[str, str] | None = None,
    **body: Any,
) -> Any:
    named = {"Idempotency-Key": key} if key else {}
    document = {"reason": REASON, **body}
    return client.post(
        f"/v1/customers/{CUSTOMER}/{verb}",
        json={name: value for name, value in document.items() if value is not None},
        headers=bearer() | named | (headers or {}),
    )


def sent(sandbox: SandboxDriver, verb: str) -> list[dict[str, Any]]:
    return [json.loads(one["body"]) for one in sandbox.requests(verb)]


def account(sandbox: SandboxDriver) -> tuple[bool, str]:
    """Whether the customer is frozen at Huawei, and the kind of its last freeze there."""
    found = sandbox.state()["customers"][CUSTOMER]["account"]
    return found["frozen"], found["freeze_type"]


def freezes(kind: str, caller: str = "writer") -> float:
    labels = {"account": "default", "caller": caller, "kind": kind}
    return REGISTRY.get_sample_value("gateway_freezes_total", labels) or 0.0


@pytest.mark.parametrize("status", [200, 204])
def test_an_account_is_frozen_and_unfrozen(
    client: FlaskClient, sandbox: SandboxDriver, status: int
) -> None:
    sandbox.settings(write_status=status)
    answer = post(client, "freeze")
    assert (answer.status_code, answer.json) == (200, {"customer_id": CUSTOMER, "frozen": True})
    body = {"customer_ids": [CUSTOMER], "reason": REASON}
    assert sent(sandbox, "freeze") == [{**body, "freeze_type": "ACCOUNT"}]
    assert account(sandbox) == (True, "ACCOUNT")
    answer = post(client, "unfreeze")
    assert answer.json == {"customer_id": CUSTOMER, "frozen": False, "freeze": "ACCOUNT"}
    assert sent(sandbox, "unfreeze") == [{**body, "unfreeze_type": "ACCOUNT"}]
    assert account(sandbox) == (False, "ACCOUNT")


def test_resources_are_frozen_with_a_confirmation_and_unfrozen_as_they_were_frozen(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert post(client, "freeze", **RESOURCES).json == {"customer_id": CUSTOMER, "frozen": True}
    (body,) = sent(sandbox, "freeze")
    assert body["freeze_type"] == "ACCOUNT_AND_RESOURCE"
    assert account(sandbox) == (True, "ACCOUNT_AND_RESOURCE")
    assert post(client, "unfreeze").json["freeze"] == "ACCOUNT_AND_RESOURCES"
    assert sent(sandbox, "unfreeze")[0]["unfreeze_type"] == "ACCOUNT_AND_RESOURCE"
    assert account(sandbox)[0] is False


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"resources": True}, "/confirm"),
        ({"resources": True, "confirm": "cust-2"}, "/confirm"),
        ({"resources": True, "confirm": CUSTOMER.upper()}, "/confirm"),
        ({"resources": False, "confirm": "cust-2"}, "/confirm"),
        ({"confirm": "cust-2"}, "/confirm"),
        ({"resources": "true"}, "/resources"),
        ({"reason": None}, "/reason"),
        ({"reason": ""}, "/reason"),
        ({"reason": "x" * 257}, "/reason"),
        ({"reason": "a\nb"}, "/reason"),
        ({"freeze_type": "ACCOUNT"}, ""),
    ],
)
def test_a_freeze_that_breaks_a_rule_is_not_sent(
    client: FlaskClient, sandbox: SandboxDriver, body: dict[str, Any], pointer: str
) -> None:
    answer = post(client, "freeze", **body)
    assert code(answer) == "VALIDATION_FAILED"
    assert [one["pointer"] for one in answer.json["errors"]] == [pointer]
    assert "cust-2" not in answer.text
    assert sandbox.requests() == []


def test_a_freeze_of_resources_needs_both_scopes(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    for key in ("second-key", "reader-key", "operator-key"):
        refused = post(client, "freeze", headers=bearer(key), **RESOURCES)
        assert code(refused) == "FORBIDDEN", key
    assert sandbox.requests() == []
    assert post(client, "freeze", headers=bearer("second-key")).status_code == 200
    assert code(post(client, "freeze", headers=bearer("reader-key"))) == "FORBIDDEN"
    assert account(sandbox) == (True, "ACCOUNT")


@pytest.mark.parametrize("verb", ["freeze", "unfreeze"])
def test_a_caller_of_some_customers_changes_no_others(
    client: FlaskClient, sandbox: SandboxDriver, verb: str
) -> None:
    assert code(post(client, verb, headers=bearer("old-rotating-key"))) == "FORBIDDEN"
    assert sandbox.requests() == []


def test_a_repeat_with_the_same_key_is_answered_without_a_second_write(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    for verb in ("freeze", "unfreeze"):  # the same key for two operations
        first, again = (post(client, verb, "k") for _ in range(2))
        assert (first.json, again.headers["Idempotent-Replayed"]) == (again.json, "true")
        assert len(sent(sandbox, verb)) == 1
    assert code(post(client, "freeze", "k", reason="Another")) == "IDEMPOTENCY_KEY_REUSED"
    assert code(post(client, "freeze", "k", **RESOURCES)) == "IDEMPOTENCY_KEY_REUSED"
    assert account(sandbox)[0] is False


@pytest.mark.parametrize("verb", ["freeze", "unfreeze"])
def test_a_failed_entry_under_http_200_is_the_failure_of_the_customer(
    client: FlaskClient, sandbox: SandboxDriver, verb: str
) -> None:
    for association, meaning in (("1", "ASSOCIATION_TYPE_WRONG"), ("3", "UPSTREAM_UNMAPPED")):
        sandbox.customer(CUSTOMER, association=association, frozen=verb == "freeze")
        sandbox.settings(same_state_code="CBC.12345678")
        answer = post(client, verb)
        assert code(answer) == meaning
        assert answer.json["upstream"]["status"] == 200
        (request,) = sandbox.requests(verb)
        assert request["processed"] is False
        sandbox.forget_requests()
    assert account(sandbox)[0] is (verb == "freeze")


@pytest.mark.parametrize("verb", ["freeze", "unfreeze"])
@pytest.mark.parametrize(
    ("customer_id", "expected"),
    [
        ("nobody", "CUSTOMER_NOT_FOUND"),
        ("code-CBC-5004", "CUSTOMER_NOT_ASSOCIATED"),
        ("code-CBC-5024", "ASSOCIATION_TYPE_WRONG"),
        ("code-CBC-99000037", "RESELLER_NOT_ALLOWED"),
        ("code-CBC-0100-400", "UPSTREAM_REJECTED_FIELDS"),
        ("code-CBC-0151-403", "UPSTREAM_ACCESS_DENIED"),
    ],
)
def test_a_refusal_of_huawei_is_its_problem(
    client: FlaskClient, verb: str, customer_id: str, expected: str
) -> None:
    path = f"/v1/customers/{customer_id}/{verb}"
    assert code(client.post(path, json={"reason": REASON}, headers=bearer())) == expected


def test_every_freeze_that_goes_to_huawei_is_counted_by_caller_and_kind(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert freezes("ACCOUNT_AND_RESOURCES", "second") == 0
    before = [freezes("ACCOUNT"), freezes("ACCOUNT_AND_RESOURCES"), freezes("ACCOUNT", "second")]
    post(client, "freeze", headers=bearer("second-key"))
    post(client, "freeze", headers=bearer("second-key"), **RESOURCES)  # FORBIDDEN
    for _ in range(2):
        post(client, "freeze", "k", **RESOURCES)
    post(client, "unfreeze")
    sandbox.fault("freeze", "code", code="CBC.5004", count=1)
    post(client, "freeze")
    after = [freezes("ACCOUNT"), freezes("ACCOUNT_AND_RESOURCES"), freezes("ACCOUNT", "second")]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1, 1]


def test_a_freeze_is_in_the_audit_trail_with_its_kind_and_without_its_reason(
    client: FlaskClient, log: Log
) -> None:
    post(client, "freeze", **RESOURCES)
    post(client, "freeze", headers=bearer("second-key"), **RESOURCES)
    post(client, "unfreeze")
    (first, second) = sendings(log)
    assert (first["logger"], first["operation"]) == (AUDIT, "freeze_customer")
    assert (first["freeze"], "freeze" in second) == ("ACCOUNT_AND_RESOURCES", False)
    told = [(one["operation"], one.get("freeze"), one["outcome"]) for one in trail(log)]
    assert told == [
        ("freeze_customer", "ACCOUNT_AND_RESOURCES", "DONE"),
        ("freeze_customer", "ACCOUNT_AND_RESOURCES", "FORBIDDEN"),
        ("unfreeze_customer", None, "DONE"),
    ]
    assert "Invoice" not in log.text
    check_silence(log)


@pytest.mark.parametrize("verb", ["freeze", "unfreeze"])
def test_the_audit_trail_tells_a_freeze_that_the_state_settled_from_one_that_huawei_answered(
    client: FlaskClient, sandbox: SandboxDriver, log: Log, verb: str
) -> None:
    sandbox.customer(CUSTOMER, frozen=verb == "unfreeze")
    sandbox.fault(verb, "reset", count=1)
    for key in ("lost", "lost", "another"):
        assert post(client, verb, key).status_code == 200
    told = [(one["reconciled"], one["replayed"]) for one in trail(log)]
    assert told == [(True, False), (False, True), (False, False)]
    assert len(sent(sandbox, verb)) == 2
