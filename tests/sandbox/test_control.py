"""The control calls of the sandbox: their effects, answers and refusals."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.support.partner import ACCESS_KEY, V2, Partner
from tests.support.sandbox_driver import SandboxDriver


def test_a_reset_restores_the_start_state_of_the_sandbox(
    driver: SandboxDriver, partner: Partner
) -> None:
    start = driver.state()
    partner.verify()
    driver.settings(is_review=0, legacy="gone")
    driver.clock(5)
    driver.fault("*", "html")
    driver.access_keys()
    assert driver.state() != start
    driver.reset()
    assert driver.state() == start
    assert driver.requests() == []
    assert driver.faults() == []


def test_the_sandbox_records_every_upstream_request(
    driver: SandboxDriver, partner: Partner
) -> None:
    partner.verify()
    partner.result("a b")
    partner.verify(name="1")
    requests.get(f"{driver.url}/nothing?x=1", timeout=10)
    first, second, third, fourth = driver.requests()
    assert [entry["n"] for entry in (first, second, third, fourth)] == [1, 2, 3, 4]
    assert first["at"] < second["at"] < third["at"]
    assert (first["operation"], first["method"]) == ("verified-info", "PUT")
    assert '"xaccountId": "shop-1"' in first["body"]
    assert first["headers"]["Authorization"].startswith("SDK-HMAC-SHA256 ")
    assert (first["status"], first["code"], first["processed"]) == (200, "CBC.0000", True)
    assert second["target"] == f"{V2}/result?customer_id=a%20b"
    assert (second["status"], second["code"], second["processed"]) == (200, None, True)
    assert (third["status"], third["code"], third["processed"]) == (400, "CBC.0100", False)
    assert (fourth["operation"], fourth["target"]) == ("unknown", "/nothing?x=1")
    assert driver.requests("result") == [second]
    driver.forget_requests()
    assert driver.requests() == []
    partner.verify()
    assert driver.requests()[0]["n"] == 5


def test_the_state_of_the_sandbox_shows_failures_but_no_secret(
    driver: SandboxDriver, partner: Partner
) -> None:
    partner.verify_with("wrong")
    state = driver.state()
    assert state["access_keys"][ACCESS_KEY]["failures"] == 1
    assert "secret" not in str(state)


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("PATCH", "/settings", {"nothing": 1}),
        ("PATCH", "/settings", {"no_bill_code": None}),
        ("PUT", "/bills/2026-13", {"tax": "1"}),
        ("PUT", "/bills/2026-10", {"tax": 1}),
        ("PUT", "/bills/2026-10", {"more": "1"}),
        ("PUT", "/orders/CS1", {"status": 5}),
        ("PUT", "/orders/CS1", {"customer_id": "c", "status": "5"}),
        ("PUT", "/resources/vm-1", {"name": "x"}),
        ("PATCH", "/settings", {"requests_per_second": 0}),
        ("PATCH", "/settings", {"requests_per_second": "10"}),
        ("PATCH", "/settings", {"legacy_failure_status": 99}),
        ("PATCH", "/settings", {"legacy_failure_status": True}),
        ("PATCH", "/settings", {"result_shows_legacy": 1}),
        ("PATCH", "/settings", {"review_seconds": -1}),
        ("PATCH", "/settings", {"is_review": 2}),
        ("PATCH", "/settings", {"missing_attachment_code": "nothing"}),
        ("PATCH", "/settings", {"legacy": "maybe"}),
        ("PATCH", "/settings", {"token_seconds": 0}),
        ("PATCH", "/settings", {"times_shown": "issued_at"}),
        ("PATCH", "/settings", {"password_tries": 0}),
        ("PATCH", "/settings", {"obs_addressing": "host"}),
        ("PATCH", "/settings", {"association_seconds": -1}),
        ("PATCH", "/settings", {"codes_per_hour": 0}),
        ("PATCH", "/settings", {"codes_per_day": 0}),
        ("PATCH", "/settings", {"email_taken_code": None}),
        ("PATCH", "/settings", {"write_status": 202}),
        ("PATCH", "/settings", {"same_state_code": "nothing"}),
        ("PATCH", "/settings", {"unfreeze_mismatch_code": None}),
        ("PATCH", "/settings", {"no_budget_code": "nothing"}),
        ("PATCH", "/settings", {"newest_record_first": 1}),
        ("PATCH", "/settings", {"is_review": 0, "nothing": 1}),
        ("PATCH", "/settings", None),
        ("PUT", "/clock", {}),
        ("PUT", "/clock", {"offset_seconds": "5"}),
        ("PUT", "/clock", {"offset_seconds": True}),
        ("PUT", "/clock", {"offset_seconds": 5, "more": 1}),
        ("PUT", "/access-keys", {"AK": "secret"}),
        ("PUT", "/access-keys", {"AK": {}}),
        ("PUT", "/access-keys", {"AK": {"secret_key": 5}}),
        ("PUT", "/access-keys", {"AK": {"secret_key": "x", "security_token": 5}}),
        ("PUT", "/access-keys", {"AK": {"secret_key": "x", "expires_in": "5"}}),
        ("PUT", "/access-keys", {"AK": {"secret_key": "x", "more": 1}}),
        ("POST", "/tokens/revoke", {"as": "nothing"}),
        ("POST", "/tokens/revoke", {"more": "expired"}),
        ("POST", "/customers", {}),
        ("POST", "/customers", {"customer_ids": ["c", 5]}),
        ("POST", "/customers", {"customer_ids": ["c"], "more": 5}),
        ("PUT", "/reviews/c", {"result": "maybe"}),
        ("PUT", "/reviews/c", {"result": "rejected", "opinion": 5}),
        ("PUT", "/reviews/c", {"result": "rejected", "more": 5}),
    ],
)
def test_a_malformed_control_call_is_refused_and_changes_nothing(
    driver: SandboxDriver, method: str, path: str, document: Any
) -> None:
    before = driver.state()
    response = requests.request(method, f"{driver.url}/_sandbox{path}", json=document, timeout=10)
    assert response.status_code == 400
    assert response.json()["error"]
    assert driver.state() == before


def test_the_driver_reports_the_refused_control_call(driver: SandboxDriver) -> None:
    with pytest.raises(ValueError, match="the setting 'nothing' is unknown"):
        driver.settings(nothing=1)


def test_a_control_path_that_does_not_exist_is_not_found(driver: SandboxDriver) -> None:
    assert requests.get(f"{driver.url}/_sandbox/nothing", timeout=10).status_code == 404
    assert driver.requests() == []


def test_many_customers_are_associated_at_once(driver: SandboxDriver) -> None:
    driver.customers("cust-1", "cust-2")
    driver.customers("cust-2", "cust-3", in_review=True)
    found = driver.state()["customers"]
    shown = {name: (one["associated"], one["review"]) for name, one in found.items()}
    assert shown == {
        "cust-1": (True, None),
        "cust-2": (True, "in_review"),
        "cust-3": (True, "in_review"),
    }
