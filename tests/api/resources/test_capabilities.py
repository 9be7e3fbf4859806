"""GET /v1/capabilities: what an account accepts now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.support.gateway import bearer, code
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import (
    COMPANY_FORM,
    ENTERPRISE,
    INDIVIDUAL,
    PERSON_FORM,
    configured,
    documented,
    submit,
)
from tests.verification.conftest import hear_of_the_switch_off

Build = Callable[..., FlaskClient]
TWO, THREE = {"minimum": 2, "maximum": 2}, {"minimum": 3, "maximum": 3}
ANY = {"minimum": 1, "maximum": 4}

# document -> kind, backends that accept it, number of attachments that review needs
DOCUMENTS: dict[str, tuple[str, list[str], dict[str, int] | None]] = {
    "ID_CARD": ("INDIVIDUAL", ["legacy"], None),
    "ID_CARD_GEN1": ("INDIVIDUAL", ["legacy"], None),
    "ID_CARD_TEMPORARY": ("INDIVIDUAL", ["legacy"], None),
    "PASSPORT": ("INDIVIDUAL", ["legacy", "review"], TWO),
    "HK_MACAU_PERMIT": ("INDIVIDUAL", ["review"], THREE),
    "TAIWAN_PERMIT": ("INDIVIDUAL", ["review"], THREE),
    "HK_MACAU_RESIDENCE": ("INDIVIDUAL", ["review"], THREE),
    "TAIWAN_RESIDENCE": ("INDIVIDUAL", ["review"], THREE),
    "BUSINESS_LICENSE": ("ENTERPRISE", ["legacy", "review"], ANY),
    "ORGANIZATION_CODE": ("ENTERPRISE", ["legacy", "review"], ANY),
    "INSTITUTION_CERTIFICATE": ("ENTERPRISE", ["review"], ANY),
    "SOCIAL_ORGANIZATION_CERTIFICATE": ("ENTERPRISE", ["review"], ANY),
    "LAW_ENFORCEMENT_CERTIFICATE": ("ENTERPRISE", ["review"], ANY),
    "OTHER": ("ENTERPRISE", ["review"], ANY),
}
SERVED = {"legacy": ["legacy"], "review": ["review"], "auto": ["review", "legacy"]}


@pytest.fixture
def gateway(tmp_path: Path, sandbox: SandboxDriver) -> Build:
    def build(**verification: Any) -> FlaskClient:
        return create_app(configured(tmp_path, sandbox.url, **verification)).test_client()

    return build


def capabilities(client: FlaskClient, key: str = "nobody-key", **headers: str) -> dict[str, Any]:
    response = client.get("/v1/capabilities", headers={**bearer(key), **headers})
    assert response.status_code == 200
    answer: dict[str, Any] = response.get_json()
    return answer


@pytest.mark.parametrize("backend", SERVED)
def test_capabilities_list_the_documents_of_each_backend_and_their_attachments(
    gateway: Build, sandbox: SandboxDriver, backend: str
) -> None:
    answer = capabilities(gateway(backend=backend))
    assert (answer["account"], answer["backends"]) == ("default", SERVED[backend])
    listed = {one["type"]: one for one in answer["documents"]}
    assert len(listed) == len(answer["documents"])
    expected = {
        name for name, (_, takers, _) in DOCUMENTS.items() if {*takers} & {*SERVED[backend]}
    }
    assert set(listed) == expected
    for name, one in listed.items():
        kind, takers, attachments = DOCUMENTS[name]
        assert one["kind"] == kind
        assert set(one["backends"]) == {*takers} & {*SERVED[backend]}
        if attachments:
            shown = one["attachments"]
            assert {"minimum": shown["minimum"], "maximum": shown["maximum"]} == attachments
            assert len(shown["pictures"]) == attachments["maximum"]
        else:
            assert "attachments" not in one
    assert sandbox.requests() == []


@pytest.mark.parametrize("backend", SERVED)
def test_a_listed_document_is_accepted_and_an_unlisted_one_is_refused(
    gateway: Build, backend: str, subtests: pytest.Subtests
) -> None:
    client = gateway(backend=backend)
    listed = {one["type"]: one for one in capabilities(client)["documents"]}
    for document, (kind, _, attachments) in DOCUMENTS.items():
        with subtests.test(document):
            company = kind == "ENTERPRISE"
            form, body = (COMPANY_FORM, ENTERPRISE) if company else (PERSON_FORM, INDIVIDUAL)
            number = (attachments or ANY)["maximum"]
            body = documented(body, document, *(f"{index}.jpg" for index in range(number)))
            response = submit(client, form, body, customer=f"cust-{document}")
            if document in listed:
                assert response.status_code in (201, 202)
                assert response.get_json()["backend"] in listed[document]["backends"]
            else:
                assert code(response) == "DOCUMENT_TYPE_UNSUPPORTED"


def test_after_the_switch_off_capabilities_of_auto_list_review_only(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    client = gateway(backend="auto", review_share=0)
    sandbox.settings(legacy="retired")
    assert set(capabilities(client)["backends"]) == {
        "review",
        "legacy",
    }  # no submission has met the switch-off yet
    hear_of_the_switch_off(client)
    assert capabilities(client) == capabilities(gateway(backend="review"))


def test_capabilities_list_the_preferred_backend_first(gateway: Build) -> None:
    answer = capabilities(gateway(backend="auto", review_share=0))
    assert answer["backends"] == ["legacy", "review"]


def test_capabilities_list_the_limits(gateway: Build) -> None:
    limits = capabilities(gateway(backend="auto"))["limits"]
    assert limits == {
        "name_characters": 256,
        "name_characters_review": 255,
        "number_characters": 32,
        "attachments": 4,
        "attachment_bytes": 10 * 1024 * 1024,
        "attachment_formats": ["jpg", "jpeg", "bmp", "png", "gif", "pdf"],
    }


def test_capabilities_are_those_of_the_account_of_the_request(gateway: Build) -> None:
    client = gateway(backend="review")
    assert capabilities(client)["attachments_stored"] is True
    for answer in (
        capabilities(client, "second-key"),
        capabilities(client, "writer-key", **{"Partner-Account": "second"}),
    ):
        assert (answer["account"], answer["backends"]) == ("second", ["legacy"])
        assert answer["attachments_stored"] is False


def test_any_authenticated_caller_may_read_capabilities(gateway: Build) -> None:
    client = gateway(backend="auto")
    assert code(client.get("/v1/capabilities")) == "UNAUTHENTICATED"
    other = {**bearer("nobody-key"), "Partner-Account": "second"}
    assert code(client.get("/v1/capabilities", headers=other)) == "FORBIDDEN"
