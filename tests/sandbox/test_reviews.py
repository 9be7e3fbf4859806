"""The v2 applications in the sandbox: strict fields, attachments and the course of a review."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.settings import Settings
from tests.support.bucket import Bucket
from tests.support.partner import V2, Partner, enterprise, individual
from tests.support.sandbox_driver import SandboxDriver

PERSON = {"legel_name": "LI SI", "legel_id_number": "X", "certifier_role": "legalPerson"}
IN_REVIEW = {"is_review": 1}
THREE = ["a.jpg", "b.jpeg", "c.PNG"]
FOUR = ["a.bmp", "b.gif", "c.pdf", "d.jpg"]


def apply(partner: Partner, **changes: Any) -> requests.Response:
    return partner.call("POST", f"{V2}/enterprise", enterprise(**changes))


def change(partner: Partner, **changes: Any) -> requests.Response:
    body = {"change_type": 1, **changes}
    return partner.call("PUT", f"{V2}/enterprise", enterprise(**body))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"change_type": None},
        *({"verified_type": kind, "verified_file_url": THREE} for kind in (5, 6, 9, 10)),
        {"name": "张" * 255, "verified_number": "9" * 32, "customer_id": "x" * 64},
    ],
)
def test_a_valid_application_of_an_individual_goes_to_review(
    driver: SandboxDriver, partner: Partner, changes: dict[str, Any]
) -> None:
    response = partner.submit(**changes)
    assert (response.status_code, response.json()) == (200, IN_REVIEW)
    assert driver.processed("individual") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"unknown": 1},
        {"customer_id": None},
        {"customer_id": "x" * 65},
        {"identify_type": 4},
        {"identify_type": "0"},
        {"identify_type": False},
        {"verified_type": None},
        {"verified_type": 1},
        {"verified_type": 5},
        {"verified_file_url": THREE},
        {"verified_file_url": []},
        *(
            {"verified_file_url": [f"a{odd}b.jpg", "c.jpg"]}
            for odd in ("/../", "?", "%2f", "\u200b")
        ),
        *(
            {"name": odd}
            for odd in ("ZHANG\u200bSAN", "ZHANG\nSAN", "张\u3164", " ZHANG", "\u0301 ")
        ),
        *({"verified_number": odd} for odd in ("E1\x00", "E1\u202e", " ", "\u3164")),
        {"verified_file_url": [*FOUR, "e.jpg"]},
        {"verified_file_url": "a.jpg"},
        {"verified_file_url": ["a.jpg", 1]},
        {"verified_file_url": ["a.jpg", ""]},
        {"verified_file_url": ["/a.jpg", "b.jpg"]},
        {"verified_file_url": ["download/a.jpg", "b.jpg"]},
        {"verified_file_url": ["https://kyc/download/a.jpg", "b.jpg"]},
        {"name": "x" * 256},
        {"name": ""},
        {"verified_number": "9" * 33},
        {"change_type": 1},
        {"xaccount_type": "OTHER"},
    ],
)
def test_a_malformed_application_of_an_individual_is_a_parameter_error(
    driver: SandboxDriver, partner: Partner, changes: dict[str, Any]
) -> None:
    response = partner.submit(**changes)
    assert (response.status_code, response.json()["error_code"]) == (400, "CBC.0100")
    assert driver.processed() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"certificate_type": None, "reg_country": None, "reg_address": None},
        {"certificate_type": 99, "verified_file_url": ["a.jpg", "b.jpg"]},
        {"enterprise_person": PERSON},
        {"enterprise_person": {**PERSON}, "verified_file_url": FOUR},
        {"enterprise_person": {"legel_name": "LI SI", "legel_id_number": "X"}},
    ],
)
def test_a_valid_application_of_an_enterprise_goes_to_review(
    partner: Partner, changes: dict[str, Any]
) -> None:
    response = apply(partner, **changes)
    assert (response.status_code, response.json()) == (200, IN_REVIEW)
    assert change(partner, customer_id="other", **changes).json() == IN_REVIEW


@pytest.mark.parametrize(
    "changes",
    [
        {"change_type": 7},
        {"identify_type": 0},
        {"certificate_type": 5},
        {"corp_name": "123 !"},
        {"corp_name": None},
        {"reg_country": "China"},
        {"reg_country": "cn"},
        {"verified_file_url": THREE},
        {"enterprise_person": "LI SI"},
        {"enterprise_person": {"legel_name": "LI SI"}},
        {"enterprise_person": {**PERSON, "legal_name": "LI SI"}},
        {"enterprise_person": {**PERSON, "certifier_role": "agent"}},
    ],
)
def test_a_malformed_application_of_an_enterprise_is_a_parameter_error(
    partner: Partner, changes: dict[str, Any]
) -> None:
    for response in (apply(partner, **changes), change(partner, **changes)):
        assert (response.status_code, response.json()["error_code"]) == (400, "CBC.0100")


def test_change_type_is_accepted_for_an_enterprise_change_only(partner: Partner) -> None:
    assert apply(partner, change_type=1).json()["error_code"] == "CBC.0100"
    assert change(partner, change_type=None).json()["error_code"] == "CBC.0100"


def test_a_review_ends_by_itself_with_success(driver: SandboxDriver, partner: Partner) -> None:
    assert partner.result("customer-1").json() == {}
    partner.submit()
    assert partner.result("customer-1").json() == {"review_result": 0}
    assert partner.submit().json()["error_code"] == "CBC.99007188"
    driver.clock(2)
    assert partner.result("customer-1").json() == {"review_result": 2, "opinion": None}
    assert partner.submit().json()["error_code"] == "CBC.99007188"


def test_a_rejected_customer_may_apply_again(driver: SandboxDriver, partner: Partner) -> None:
    partner.submit(customer_id="review-reject-1")
    driver.clock(2)
    result = partner.result("review-reject-1").json()
    assert result["review_result"] == 1
    assert 1 <= len(result["opinion"]) <= 256
    assert partner.submit(customer_id="review-reject-1").json() == IN_REVIEW


def test_a_held_review_ends_by_a_control_call(driver: SandboxDriver, partner: Partner) -> None:
    partner.submit(customer_id="review-hold")
    driver.clock(10**6)
    assert driver.state()["customers"]["review-hold"]["review"] == "in_review"
    driver.clock(0)
    driver.review("review-hold", "rejected", "Too dark.")
    assert partner.result("review-hold").json() == {"review_result": 1, "opinion": "Too dark."}
    driver.review("review-hold", "in_review")
    assert partner.result("review-hold").json() == {"review_result": 0}
    driver.review("review-hold", "passed")
    assert partner.result("review-hold").json() == {"review_result": 2, "opinion": None}
    driver.forget_customer("review-hold")
    assert partner.result("review-hold").json() == {}


def test_a_control_call_can_put_an_unknown_customer_in_review(
    driver: SandboxDriver, partner: Partner
) -> None:
    driver.review("new", "in_review")
    assert partner.submit(customer_id="new").json()["error_code"] == "CBC.99007188"


def test_without_a_review_time_no_review_ends_by_itself(
    driver: SandboxDriver, partner: Partner
) -> None:
    driver.settings(review_seconds=None)
    partner.submit()
    assert driver.state()["customers"]["customer-1"]["review"] == "in_review"


def test_a_customer_with_an_instant_magic_id_is_verified_at_once(
    driver: SandboxDriver, partner: Partner
) -> None:
    assert partner.submit(customer_id="review-instant").json() == {"is_review": 0}
    assert partner.result("review-instant").json()["review_result"] == 2
    driver.settings(is_review=0)
    assert partner.submit().json() == {"is_review": 0}
    assert partner.submit(customer_id="review-pass").json() == IN_REVIEW
    driver.clock(2)
    assert partner.result("review-pass").json()["review_result"] == 2


def test_a_verified_individual_changes_to_an_enterprise_once(
    driver: SandboxDriver, partner: Partner
) -> None:
    driver.settings(is_review=0)
    partner.submit()
    assert apply(partner).json()["error_code"] == "CBC.99007188"
    driver.settings(is_review=1)
    assert change(partner).json() == IN_REVIEW
    assert change(partner).json()["error_code"] == "CBC.99007188"
    driver.review("customer-1", "rejected")
    assert driver.state()["customers"]["customer-1"]["verified_kind"] == 0
    assert change(partner).json() == IN_REVIEW
    driver.clock(2)
    assert driver.state()["customers"]["customer-1"]["verified_kind"] == 1
    assert change(partner).json()["error_code"] == "CBC.99007188"


def test_a_legacy_push_counts_as_verified(partner: Partner) -> None:
    partner.verify(verifiedType=0, identifyType=2)
    assert partner.submit().json()["error_code"] == "CBC.99007188"
    assert change(partner).json() == IN_REVIEW
    assert partner.result("customer-1").json() == {"review_result": 0}


def test_an_attachment_of_another_format_is_refused(partner: Partner) -> None:
    response = partner.submit(verified_file_url=["a.jpg", "b.docx"])
    assert (response.status_code, response.json()["error_code"]) == (400, "CBC.99000100")


def test_an_attachment_over_10_megabytes_is_refused(partner: Partner, bucket: Bucket) -> None:
    limit = 10 * 1024 * 1024
    bucket.put("download/big.jpg", b"x" * (limit + 1))
    bucket.put("download/fits.jpg", b"x" * limit)
    files = ["fits.jpg", "big.jpg"]
    assert partner.submit(verified_file_url=files).json()["error_code"] == "CBC.99000099"


def test_attachments_that_were_never_uploaded_are_refused_unless_switched_off(
    driver: SandboxDriver, partner: Partner, bucket: Bucket
) -> None:
    driver.settings(missing_attachment_code=Settings().missing_attachment_code)
    bucket.put("download/981/page.jpg", b"x")
    assert partner.submit().json()["error_code"] == "CBC.0100"
    driver.settings(missing_attachment_code="CBC.99005030")
    assert partner.submit().json()["error_code"] == "CBC.99005030"
    bucket.put("download/981/holding.jpg", b"x")
    assert partner.submit().json() == IN_REVIEW
    driver.settings(missing_attachment_code=None)
    assert partner.submit(**individual(customer_id="other")).json() == IN_REVIEW
