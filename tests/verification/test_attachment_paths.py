"""A malformed attachment is refused before the choice of a backend and does not influence it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import create_app
from app.settings import Settings
from tests.support.gateway import bearer, code, configuration, digest
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import (
    COMPANY_FORM,
    ENTERPRISE,
    INDIVIDUAL,
    PERSON_FORM,
    documented,
    fields_at_fault,
    submit,
    with_bucket,
    without,
)
from tests.verification.conftest import Build

SIDES: list[dict[str, Any]] = [
    {"backend": "legacy"},
    {"backend": "review"},
    {"backend": "auto"},
    {"backend": "auto", "review_share": 0},
]
QUERIES = ["", "?validate_only=true"]
FORMAT, FEW = "ATTACHMENT_FORMAT", [("/attachments", "EVIDENCE_REQUIRED")]


@pytest.fixture(params=SIDES, ids=str)
def client(request: pytest.FixtureRequest, shared: Build) -> FlaskClient:
    return shared(**request.param)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize(
    ("attachments", "at"),
    [
        (["c/a.svg"], [0]),
        (["../../x.jpg", "y.jpg"], [0]),
        (["a.jpg", "c/a.svg"], [1]),
        (["zq", "zq.exe"], [0, 1]),
        (["shop-1/%2e%2e/other/a.jpg", "b.jpg"], [0]),
        (["shop-1/..%2fother/a.jpg", "b.jpg"], [0]),
        (["shop-1/..;/a.jpg", "b.jpg"], [0]),
        (["shop-1/a.jpg?x=.jpg", "b.jpg"], [0]),
        (["shop-1/a.jpg#x.jpg", "b.jpg"], [0]),
        (["shop-1\\a.jpg", "b.jpg"], [0]),
    ],
)
def test_a_malformed_attachment_is_refused_by_every_backend(
    client: FlaskClient, sandbox: SandboxDriver, query: str, attachments: list[str], at: list[int]
) -> None:
    response = submit(client, body={**INDIVIDUAL, "attachments": attachments}, query=query)
    assert (response.status_code, code(response)) == (422, FORMAT)
    assert fields_at_fault(response) == [(f"/attachments/{n}", FORMAT) for n in at]
    assert not [path for path in attachments if path in response.text]
    assert sandbox.requests() == []


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("document", ["PASSPORT", "HK_MACAU_PERMIT", "TAIWAN_RESIDENCE"])
def test_a_wrong_number_of_attachments_is_refused_by_every_backend(
    client: FlaskClient, sandbox: SandboxDriver, query: str, document: str
) -> None:
    wanted = 2 if document == "PASSPORT" else 3
    for number in {1, 2, 3, 4} - {wanted}:
        body = documented(INDIVIDUAL, document, *(f"{n}.jpg" for n in range(number)))
        response = submit(client, body=body, query=query)
        assert (response.status_code, code(response)) == (422, "EVIDENCE_REQUIRED")
        assert fields_at_fault(response) == FEW
    assert sandbox.requests() == []


def test_a_malformed_attachment_of_a_company_or_an_identity_card_is_refused_too(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    for form, body in (
        (COMPANY_FORM, {**ENTERPRISE, "attachments": ["a/../b.jpg"]}),
        (PERSON_FORM, documented(INDIVIDUAL, "ID_CARD", "a/../b.jpg")),
    ):
        assert fields_at_fault(submit(client, form, body)) == [("/attachments/0", FORMAT)]
    assert sandbox.requests() == []


def test_a_submission_without_attachments_still_goes_to_legacy(
    shared: Build, sandbox: SandboxDriver
) -> None:
    response = submit(shared(backend="auto"), body=without(INDIVIDUAL, "attachments"))
    assert (response.status_code, response.get_json()["backend"]) == (201, "legacy")
    assert sandbox.processed("verified-info") == 1


def test_a_refused_attachment_is_not_counted_as_a_submission(gateway: Build) -> None:
    client = gateway(backend="auto")
    for attachments in (["c/a.svg"], ["a.jpg"], ["a.jpg", "b.jpg", "c.jpg"]):
        assert submit(client, body={**INDIVIDUAL, "attachments": attachments}).status_code == 422
    answer = client.get("/v1/migration", headers=bearer("operator-key")).get_json()
    assert answer["callers"] == []


@pytest.fixture
def fenced(tmp_path: Path, sandbox: SandboxDriver) -> FlaskClient:
    """A gateway on review; `shop-key` is limited to the customers shop-1, shop-2, ..."""
    document = configuration(tmp_path, sandbox.url)
    document["accounts"]["default"]["verification"] = {"backend": "review"}
    document["callers"]["shop"] = {
        "keys_sha256": [digest("shop-key")],
        "scopes": ["verifications:write", "attachments:write"],
        "accounts": ["default"],
        "customers": "shop-[0-9]+",
    }
    return create_app(with_bucket(Settings.model_validate(document), tmp_path)).test_client()


def hand_in(client: FlaskClient, *attachments: str, query: str = "") -> Any:
    body = {**INDIVIDUAL, "attachments": list(attachments)}
    return submit(client, body=body, customer="shop-1", key="shop-key", query=query)


ESCAPES = [
    "shop-1/%2e%2e/other/a.jpg",
    "shop-1/..%2fother/a.jpg",
    "shop-1/..;/a.jpg",
    "shop-1/../other/a.jpg",
    "shop-1/a.jpg?x",
    "shop-1/a.jpg?x.jpg",
    "shop-1/a.jpg#x",
    "shop-1/a.jpg#x.jpg",
    "shop-1//a.jpg",
    "shop-1/./a.jpg",
    "shop-1/a.svg",
    "shop-1/a\\..\\b.jpg",
    # Valid for unlimited callers, but not a name that the upload accepts.
    "shop-1/other/a.jpg",
    "shop-1/.a.jpg",
    "shop-1/a b.jpg",
    "shop-1/a,b.jpg",
    "shop-1/张.jpg",
    "shop-1/\uff0e\uff0e\uff0fa.jpg",
    f"shop-1/{'x' * 125}.jpg",
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("path", ESCAPES)
def test_a_caller_limited_to_some_customers_may_submit_only_paths_that_the_upload_returns(
    fenced: FlaskClient, sandbox: SandboxDriver, path: str, query: str
) -> None:
    response = hand_in(fenced, "shop-1/a.jpg", path, query=query)
    assert (response.status_code, code(response)) == (422, FORMAT)
    assert fields_at_fault(response) == [("/attachments/1", FORMAT)]
    assert sandbox.requests() == []


@pytest.mark.parametrize("path", ["shop-2/a.jpg", "shop-11/a.jpg", "a.jpg", "Shop-1/a.jpg"])
def test_a_caller_limited_to_some_customers_may_not_submit_attachments_of_others(
    fenced: FlaskClient, sandbox: SandboxDriver, path: str
) -> None:
    response = hand_in(fenced, "shop-1/a.jpg", path)
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    assert sandbox.requests() == []


NAMES = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,123}\.(jpg|PDF|jpeg|png)", fullmatch=True)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES.filter(lambda name: len(name) <= 128))
def test_every_file_name_that_the_upload_accepts_can_be_submitted(
    fenced: FlaskClient, sandbox: SandboxDriver, name: str
) -> None:
    sandbox.forget_customer("shop-1")
    assert hand_in(fenced, "shop-1/a.jpg", f"shop-1/{name}").status_code == 202


def test_the_path_that_the_upload_returns_can_be_submitted(
    fenced: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(missing_attachment_code="CBC.0100")
    names = []
    for name in ("data-page.jpg", "Holding_1.JPEG"):
        path = f"/v1/customers/shop-1/attachments/{name}"
        stored = fenced.put(path, data=b"\xff\xd8\xff" + bytes(64), headers=bearer("shop-key"))
        names.append(stored.get_json()["attachment"])
    assert hand_in(fenced, *names).status_code == 202


@pytest.mark.parametrize(
    "path",
    ["kyc/981/page.jpg", "a b.jpg", "张/李.pdf", "a/.b/..c.d.png", "a=1&b,c+d@e.gif", "é.JPG"],
)
def test_an_unlimited_caller_may_submit_any_plain_relative_path(
    review: FlaskClient, sandbox: SandboxDriver, path: str
) -> None:
    response = submit(review, body={**INDIVIDUAL, "attachments": [path, "b.jpg"]})
    assert response.status_code == 202
    assert path in sandbox.submissions()[0]["body"]
