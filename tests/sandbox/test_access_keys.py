"""Access keys at the sandbox's API gateway: unknown, locked, temporary and throttled ones."""

from __future__ import annotations

from typing import Any

import requests

from tests.support.partner import ACCESS_KEY, V2, VERIFIED_INFO, WRONG, Partner, verified_info
from tests.support.sandbox_driver import SandboxDriver


def test_an_unknown_access_key_is_refused_with_its_name(partner: Partner) -> None:
    response = partner.call("GET", f"{V2}/result", access_key="NOBODY")
    assert response.json()["error_msg"].endswith("Get secretKey failed,ak:NOBODY,err:ak not exist")


def test_the_sixth_failure_in_a_row_locks_the_key_for_300_seconds(
    driver: SandboxDriver, partner: Partner
) -> None:
    for _ in range(6):
        assert WRONG in partner.verify_with("wrong-secret").json()["error_msg"]
    for response in (partner.verify(), partner.verify_with("wrong-secret")):
        assert response.status_code == 401
        assert "AK access failed to reach the limit" in response.json()["error_msg"]
    assert driver.state()["access_keys"][ACCESS_KEY]["locked"]
    assert driver.state()["access_keys"][ACCESS_KEY]["failures"] == 6
    second: dict[str, Any] = {
        "access_key": "SANDBOXACCESSKEY0002",
        "secret_key": "sandbox-secret-key-0002-not-a-secret",
    }
    assert partner.call("PUT", VERIFIED_INFO, verified_info(), **second).status_code == 200
    driver.clock(299)
    assert partner.verify().status_code == 401
    driver.clock(301)
    assert partner.verify().status_code == 200


def test_a_valid_signature_resets_the_count_of_failures(
    driver: SandboxDriver, partner: Partner
) -> None:
    driver.settings(requests_per_second=None)
    for _ in range(3):
        for _ in range(5):
            partner.verify_with("wrong-secret")
        assert partner.verify().status_code == 200


def test_a_locked_key_is_unlocked_by_the_control_call(
    driver: SandboxDriver, partner: Partner
) -> None:
    for _ in range(6):
        partner.verify_with("wrong-secret")
    driver.unlock()
    assert partner.verify().status_code == 200


def test_a_temporary_key_needs_its_security_token_and_expires(
    driver: SandboxDriver, partner: Partner
) -> None:
    driver.access_keys(
        TEMP={"secret_key": "temporary", "security_token": "session", "expires_in": 60}
    )
    how: dict[str, Any] = {"access_key": "TEMP", "secret_key": "temporary"}
    assert partner.call("PUT", VERIFIED_INFO, verified_info(), **how).status_code == 401
    how["headers"] = {"X-Security-Token": "session"}
    assert partner.call("PUT", VERIFIED_INFO, verified_info(), **how).status_code == 200
    driver.clock(61)
    response = partner.call("PUT", VERIFIED_INFO, verified_info(), **how)
    assert response.json()["error_msg"].endswith("signature expired")


def test_a_call_without_credentials_is_refused(driver: SandboxDriver) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}):
        response = requests.get(f"{driver.url}{V2}/result", headers=headers, timeout=10)
        assert response.status_code == 401
        assert response.json()["error_msg"].endswith("x-auth-token not found")


def test_an_unknown_path_or_method_is_refused_as_unpublished(driver: SandboxDriver) -> None:
    for method, path in (("GET", "/v1/nothing"), ("PATCH", f"{V2}/result"), ("BREW", "/")):
        response = requests.request(method, driver.url + path, timeout=10)

        assert response.status_code == 404
        assert response.json()["error_code"] == "APIGW.0101"


def test_the_eleventh_call_in_a_second_is_throttled(
    driver: SandboxDriver, partner: Partner
) -> None:
    for _ in range(10):
        assert partner.result("c").status_code == 200
    response = partner.result("c")
    assert (response.status_code, response.json()["error_code"]) == (429, "APIGW.0308")
    assert "limit:10,time:1 second" in response.json()["error_msg"]
    assert partner.verify().status_code == 200
    second: dict[str, Any] = {
        "access_key": "SANDBOXACCESSKEY0002",
        "secret_key": "sandbox-secret-key-0002-not-a-secret",
        "query": [("customer_id", "c")],
    }
    assert partner.call("GET", f"{V2}/result", **second).status_code == 200
    driver.clock(1)
    assert partner.result("c").status_code == 200
    driver.clock(-1)
    assert partner.result("c").status_code == 200


def test_the_throttling_of_the_sandbox_can_be_changed_and_disabled(
    driver: SandboxDriver, partner: Partner
) -> None:
    driver.settings(requests_per_second=1)
    assert [partner.result("c").status_code for _ in range(2)] == [200, 429]
    driver.settings(requests_per_second=None)
    assert {partner.result("c").status_code for _ in range(20)} == {200}
