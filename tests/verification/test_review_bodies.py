"""The bodies that the review backend sends to Huawei, and its refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.gateway import CUSTOMER, PLATFORM_ID, code
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import (
    CHANGE_FORM,
    COMPANY_FORM,
    ENTERPRISE,
    INDIVIDUAL,
    PERSON_FORM,
    Form,
    documented,
    fields_at_fault,
    submit,
    without,
)
from tests.verification.conftest import Build

V2 = "/v2/customers/realname-auths"
CALLS = {
    "individual": ("POST", f"{V2}/individual"),
    "enterprise": ("POST", f"{V2}/enterprise"),
    "enterprise-change": ("PUT", f"{V2}/enterprise"),
}

TWO, THREE = ("981/page.jpg", "981/holding.png"), ("a.jpg", "b.jpg", "c.pdf")
# document -> Huawei's verified_type and number of attachments (mc_00017)
PERSONAL = {
    "PASSPORT": (3, TWO),
    "HK_MACAU_PERMIT": (5, THREE),
    "TAIWAN_PERMIT": (6, THREE),
    "HK_MACAU_RESIDENCE": (9, THREE),
    "TAIWAN_RESIDENCE": (10, THREE),
}
# document -> certificate_type (mc_00018)
CERTIFICATES = {
    "BUSINESS_LICENSE": 0,
    "INSTITUTION_CERTIFICATE": 1,
    "SOCIAL_ORGANIZATION_CERTIFICATE": 2,
    "LAW_ENFORCEMENT_CERTIFICATE": 3,
    "ORGANIZATION_CODE": 4,
    "OTHER": 99,
}
COMPANY_BODY = {
    "customer_id": CUSTOMER,
    "identify_type": 1,
    "certificate_type": 0,
    "verified_file_url": ENTERPRISE["attachments"],
    "corp_name": "Example Trading Co., Ltd.",
    "verified_number": "91330000X",
    "reg_country": "CN",
    "reg_address": "1 Example Road",
    "xaccount_type": PLATFORM_ID,
    "enterprise_person": {
        "legel_name": "LI SI",
        "legel_id_number": "E7654321",
        "certifier_role": "legalPerson",
    },
}
FEW, FORMAT = [("/attachments", "EVIDENCE_REQUIRED")], "ATTACHMENT_FORMAT"


def applied(sandbox: SandboxDriver, form: Form) -> dict[str, Any]:
    """The body of the only call that was sent."""
    (entry,) = sandbox.submissions()
    assert (entry["method"], entry["target"]) == CALLS[form.path]
    assert entry["headers"]["Content-Type"] == "application/json"
    assert entry["processed"]
    body: dict[str, Any] = json.loads(entry["body"])
    return body


@pytest.mark.parametrize("document", PERSONAL)
def test_an_individual_is_sent_in_huaweis_v2_fields(
    review: FlaskClient, sandbox: SandboxDriver, document: str
) -> None:
    number, pictures = PERSONAL[document]
    response = submit(review, body=documented(INDIVIDUAL, document, *pictures))
    assert response.status_code == 202
    assert applied(sandbox, PERSON_FORM) == {
        "customer_id": CUSTOMER,
        "identify_type": 0,
        "change_type": -1,
        "verified_type": number,
        "verified_file_url": list(pictures),
        "name": "ZHANG SAN",
        "verified_number": "E1234567",
        "xaccount_type": PLATFORM_ID,
    }


@pytest.mark.parametrize("document", CERTIFICATES)
@pytest.mark.parametrize("form", [COMPANY_FORM, CHANGE_FORM], ids=str)
def test_an_enterprise_is_sent_in_huaweis_v2_fields(
    review: FlaskClient, sandbox: SandboxDriver, form: Form, document: str
) -> None:
    assert submit(review, form, documented(ENTERPRISE, document)).status_code == 202
    change = {"change_type": 1} if form is CHANGE_FORM else {}
    assert applied(sandbox, form) == {
        **COMPANY_BODY,
        **change,
        "certificate_type": CERTIFICATES[document],
    }


LEFT_OUT: list[tuple[dict[str, Any], set[str]]] = [
    (without(ENTERPRISE, "partner_user_id"), set()),
    (without(ENTERPRISE, "registration"), {"reg_country", "reg_address"}),
    ({**ENTERPRISE, "registration": {}}, {"reg_country", "reg_address"}),
    ({**ENTERPRISE, "registration": {"country": "CN"}}, {"reg_address"}),
    ({**ENTERPRISE, "registration": {"address": "1 Example Road"}}, {"reg_country"}),
]


@pytest.mark.parametrize(("body", "absent"), LEFT_OUT)
def test_optional_fields_of_an_enterprise_are_omitted_where_absent(
    review: FlaskClient, sandbox: SandboxDriver, body: dict[str, Any], absent: set[str]
) -> None:
    assert submit(review, COMPANY_FORM, body).status_code == 202
    assert applied(sandbox, COMPANY_FORM) == without(COMPANY_BODY, *absent)


@pytest.mark.parametrize("pictures", [["a.jpg"], ["a.jpg", "b.pdf"]])
def test_an_enterprise_without_a_representative_is_sent_without_one(
    review: FlaskClient, sandbox: SandboxDriver, pictures: list[str]
) -> None:
    body = without({**ENTERPRISE, "attachments": pictures}, "representative")
    assert submit(review, COMPANY_FORM, body).status_code == 202
    expected = without(COMPANY_BODY, "enterprise_person")
    assert applied(sandbox, COMPANY_FORM) == {**expected, "verified_file_url": pictures}


@pytest.mark.parametrize(("document", "wanted"), [(d, len(p)) for d, (_, p) in PERSONAL.items()])
def test_an_individual_needs_the_number_of_attachments_of_the_document(
    review: FlaskClient, sandbox: SandboxDriver, document: str, wanted: int
) -> None:
    for number in {1, 2, 3, 4} - {wanted}:
        pictures = [f"{index}.jpg" for index in range(number)]
        response = submit(review, body=documented(INDIVIDUAL, document, *pictures))
        assert (response.status_code, code(response)) == (422, "EVIDENCE_REQUIRED")
        assert fields_at_fault(response) == FEW
        assert f"{wanted} entries" in response.get_json()["errors"][0]["detail"]
    assert sandbox.requests() == []


@pytest.mark.parametrize("form", [PERSON_FORM, COMPANY_FORM, CHANGE_FORM], ids=str)
def test_review_sends_nothing_without_attachments(
    review: FlaskClient, sandbox: SandboxDriver, form: Form
) -> None:
    response = submit(review, form, without(form.body, "attachments"))
    assert (code(response), fields_at_fault(response)) == ("EVIDENCE_REQUIRED", FEW)
    assert response.get_json()["retry"] == "AFTER_FIX"
    assert sandbox.requests() == []


@pytest.mark.parametrize("document", ["ID_CARD", "ID_CARD_GEN1", "ID_CARD_TEMPORARY"])
def test_review_refuses_documents_that_only_legacy_accepts(
    review: FlaskClient, sandbox: SandboxDriver, document: str
) -> None:
    response = submit(review, body=documented(INDIVIDUAL, document))
    assert code(response) == "DOCUMENT_TYPE_UNSUPPORTED"
    assert fields_at_fault(response) == [("/document/type", "DOCUMENT_TYPE_UNSUPPORTED")]
    assert sandbox.requests() == []


@pytest.mark.parametrize("ending", ["jpg", "jpeg", "bmp", "png", "gif", "pdf", "JPG", "Pdf"])
def test_every_attachment_format_of_huawei_is_sent_as_submitted(
    review: FlaskClient, sandbox: SandboxDriver, ending: str
) -> None:
    pictures = [f"Kyc/981/Page.{ending}", f".hidden/..odd.name.{ending}"]
    assert submit(review, body={**INDIVIDUAL, "attachments": pictures}).status_code == 202
    assert applied(sandbox, PERSON_FORM)["verified_file_url"] == pictures


WRONG_PATHS = (
    *("a", "a.", ".jpg", "jpg", "a.exe", "a.jpg.exe", "a.jpgx", "a.tiff"),
    *("/a.jpg", "//a.jpg", "a//b.jpg", "a/.jpg/", "a/", "a\\b.jpg"),
    *("../a.jpg", "x/../a.jpg", "x/..", "..", "./a.jpg", "x/./a.jpg", "x/y/../../../a.jpg"),
)


@pytest.mark.parametrize("path", WRONG_PATHS)
def test_an_attachment_path_that_is_not_relative_or_of_another_format_is_refused(
    review: FlaskClient, sandbox: SandboxDriver, path: str
) -> None:
    response = submit(review, body={**INDIVIDUAL, "attachments": ["a.jpg", path]})
    assert (response.status_code, code(response)) == (422, FORMAT)
    assert fields_at_fault(response) == [("/attachments/1", FORMAT)]
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    "path",
    [
        "download/a.jpg",
        "https://kyc/download/a.jpg",
    ],
)
def test_an_attachment_path_with_the_bucket_or_the_prefix_is_refused(
    review: FlaskClient, sandbox: SandboxDriver, path: str
) -> None:
    response = submit(review, body={**INDIVIDUAL, "attachments": [path, "b.jpg"]})
    assert response.status_code == 422
    assert not any(entry["processed"] for entry in sandbox.submissions())


def test_several_errors_of_attachments_are_reported_in_one_answer(review: FlaskClient) -> None:
    body = documented({**INDIVIDUAL, "full_name": "x" * 256}, "ID_CARD")
    response = submit(review, body=without(body, "attachments"))
    assert code(response) == "VALIDATION_FAILED"
    assert fields_at_fault(response) == [
        ("/attachments", "EVIDENCE_REQUIRED"),
        ("/document/type", "DOCUMENT_TYPE_UNSUPPORTED"),
        ("/full_name", "LENGTH"),
    ]


def test_auto_reports_the_errors_of_the_backend_that_accepts_the_document(shared: Build) -> None:
    client = shared(backend="auto")
    body = without(documented(INDIVIDUAL, "ID_CARD"), "partner_user_id")
    assert fields_at_fault(submit(client, body=body)) == [("/partner_user_id", "REQUIRED")]
    body = documented(INDIVIDUAL, "TAIWAN_PERMIT", "a.jpg")
    assert fields_at_fault(submit(client, body=body)) == FEW
