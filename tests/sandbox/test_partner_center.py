"""verified-info and the review result in the sandbox: strict fields, state, magic customer ids."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sandbox import faults, operations
from sandbox.codes import FAMILIES
from tests.support.partner import PARTNER_ID, SUCCESS, V2, VERIFIED_INFO, Partner, verified_info
from tests.support.sandbox_driver import SandboxDriver


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"verifiedType": "1", "verifiedStatus": "2", "identifyType": "3"},
        {"identifyType": 11, "verifiedNumber": "统一-社会 (1)"},
        {"verifiedType": 0, "identifyType": 1, "verifiedNumber": "11010519491231002X"},
        {"verifiedType": "0", "identifyType": "2", "verifiedNumber": "E1234567"},
        {"verifiedType": 0, "identifyType": 4, "name": "张三"},
        {"verifiedType": 0, "identifyType": 5, "name": "x" * 256},
        {"xaccountId": "x" * 64, "domainId": "y" * 64, "verifiedNumber": "9" * 32},
    ],
)
def test_a_valid_push_verifies_the_customer_at_once(
    driver: SandboxDriver, partner: Partner, changes: dict[str, Any]
) -> None:
    response = partner.verify(**changes)
    assert (response.status_code, response.json()) == (200, SUCCESS)
    customer_id = changes.get("domainId", "customer-1")
    assert partner.result(customer_id).json() == {"review_result": 2, "opinion": None}
    assert driver.processed("verified-info") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"name": None},
        {"unknown": 1},
        {"xaccountType": "OTHER"},
        {"xaccountType": 1},
        {"xaccountId": ""},
        {"xaccountId": "x" * 65},
        {"domainId": 5},
        {"verifiedType": 2},
        {"verifiedType": 1.0},
        {"verifiedType": True},
        {"verifiedType": "01"},
        {"verifiedType": [1]},
        {"verifiedStatus": 1},
        {"name": "x" * 257},
        {"name": "123"},
        {"name": "   "},
        {"name": "!@# 1"},
        {"identifyType": 6},
        {"identifyType": 12},
        {"identifyType": 2},
        {"verifiedType": 0},
        {"verifiedNumber": "a!b"},
        {"verifiedNumber": "a\\b"},
        {"verifiedNumber": "9" * 33},
        {"verifiedType": 0, "identifyType": 2, "verifiedNumber": "E-123"},
    ],
)
def test_a_malformed_push_is_a_parameter_error_and_changes_nothing(
    driver: SandboxDriver, partner: Partner, changes: dict[str, Any]
) -> None:
    response = partner.verify(**changes)
    assert (response.status_code, response.json()["error_code"]) == (400, "CBC.0100")
    assert driver.processed() == 0
    assert driver.state()["customers"] == {}


def test_the_parameter_error_repeats_the_value(partner: Partner) -> None:
    response = partner.verify(verifiedNumber="SECRET#NUMBER")
    assert "SECRET#NUMBER" in response.json()["error_msg"]
    long = partner.verify(name="5" * 256, verifiedNumber="x" * 2000)
    assert len(long.json()["error_msg"]) <= 1024


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"name": NaN}',
        b'{"name": "a", "name": "b"}',
        b"[" * 100_000,
    ],
)
def test_a_push_that_is_not_a_json_object_is_refused(partner: Partner, body: bytes) -> None:
    response = partner.call(
        "PUT", VERIFIED_INFO, body=body, headers={"Content-Type": "application/json"}
    )
    assert (response.status_code, response.json()["error_code"]) == (400, "CBC.0100")


def test_a_push_needs_the_json_media_type_and_no_query(partner: Partner) -> None:
    body = json.dumps(verified_info()).encode()
    ways: list[dict[str, Any]] = [{}, {"headers": {"Content-Type": "text/plain"}}]
    for how in ways:
        assert partner.call("PUT", VERIFIED_INFO, body=body, **how).status_code == 400
    response = partner.call("PUT", VERIFIED_INFO, verified_info(), query=[("a", "1")])
    assert response.json()["error_code"] == "CBC.0100"


def test_another_partners_path_is_unauthorized(partner: Partner) -> None:
    path = VERIFIED_INFO.replace(PARTNER_ID, "somebody-else")
    response = partner.call("PUT", path, verified_info())
    assert response.status_code == 401
    assert "error_code" not in response.json()


def test_a_path_with_the_trailing_slash_of_the_canonical_form_is_unknown(partner: Partner) -> None:
    assert partner.call("PUT", f"{VERIFIED_INFO}/", verified_info()).status_code == 404


def test_a_repeated_push_succeeds_unless_its_kind_differs(
    driver: SandboxDriver, partner: Partner
) -> None:
    assert partner.verify().json() == SUCCESS
    assert partner.verify().json() == SUCCESS
    response = partner.verify(verifiedType=0, identifyType=2)
    assert (response.status_code, response.json()["error_code"]) == (200, "CBC.5006")
    driver.settings(legacy_failure_status=500)
    assert partner.verify(verifiedType=0, identifyType=2).status_code == 500


def test_a_push_during_a_review_is_refused(partner: Partner) -> None:
    assert partner.submit(customer_id="review-hold").json() == {"is_review": 1}
    response = partner.verify(domainId="review-hold", verifiedType=0, identifyType=2)
    assert response.json()["error_code"] == "CBC.5005"


@pytest.mark.parametrize(
    ("legacy", "status", "code"),
    [("retired", 404, "APIGW.0101"), ("gone", 410, "CBC.99999410")],
)
def test_the_legacy_operation_can_be_switched_off(
    driver: SandboxDriver, partner: Partner, legacy: str, status: int, code: str
) -> None:
    driver.settings(legacy=legacy)
    response = partner.verify()
    assert (response.status_code, response.json()["error_code"]) == (status, code)
    assert driver.processed() == 0
    driver.settings(legacy="served")
    assert partner.verify().status_code == 200


def test_the_result_shows_a_legacy_push_only_if_configured(
    driver: SandboxDriver, partner: Partner
) -> None:
    partner.verify()
    driver.settings(result_shows_legacy=False)
    assert partner.result("customer-1").json() == {}


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"query": [("customer_id", "")]},
        {"query": [("customer_id", "x" * 65)]},
        {"query": [("customer_id", ["a", "b"])]},
        {"query": [("customer_id", "a"), ("limit", "1")]},
        {"query": [("customer_id", "a")], "body": b"{}"},
    ],
)
def test_the_result_takes_exactly_one_customer_id(partner: Partner, how: dict[str, Any]) -> None:
    response = partner.call("GET", f"{V2}/result", **how)
    assert (response.status_code, response.json()["error_code"]) == (400, "CBC.0100")


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_error_code_has_a_magic_customer_id(
    driver: SandboxDriver, partner: Partner, family: str
) -> None:
    driver.settings(requests_per_second=None)
    for number, (status, text) in FAMILIES[family].items():
        for unprinted, response in (
            (400, partner.result(f"code-{family}-{number}")),
            (200, partner.verify(domainId=f"code-{family}-{number}")),
        ):
            document = response.json()
            assert response.status_code == (status or unprinted)
            assert (document["error_code"], document["error_msg"]) == (f"{family}.{number}", text)
            assert ("request_id" in document) == family.startswith("APIG")


@pytest.mark.parametrize(
    ("customer_id", "status", "code"),
    [
        ("code-CBC-5002-500", 500, "CBC.5002"),
        ("code-APIGW-0201-504", 504, "APIGW.0201"),
        ("code-CBC-12345678", 400, "CBC.12345678"),
        ("code-IAM-9999-403", 403, "IAM.9999"),
    ],
)
def test_a_magic_customer_id_can_name_a_status_and_an_unknown_code(
    driver: SandboxDriver, partner: Partner, customer_id: str, status: int, code: str
) -> None:
    for response in (partner.result(customer_id), partner.submit(customer_id=customer_id)):
        assert (response.status_code, response.json()["error_code"]) == (status, code)
    assert driver.processed() == 0


def test_a_persons_name_is_never_magic(partner: Partner) -> None:
    assert partner.verify(name="code-CBC-5002").json() == SUCCESS


def test_the_readme_names_every_setting_fault_and_operation(driver: SandboxDriver) -> None:
    named = set(re.findall(r"`([^`]+)`", (Path(faults.__file__).parent / "README.md").read_text()))
    assert set(driver.state()["settings"]) <= named
    assert set(faults.KINDS) <= named
    assert set(operations.NAMES) <= named
