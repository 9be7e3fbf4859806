"""GET /v1/errors: the catalogue, to which the type of a problem refers."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.errors import ErrorCode
from tests.support.gateway import code
from tests.support.sandbox_driver import SandboxDriver


@pytest.fixture
def client(shared_client: FlaskClient, sandbox: SandboxDriver) -> FlaskClient:  # noqa: ARG001
    return shared_client


def test_the_list_of_errors_is_the_catalogue(client: FlaskClient) -> None:
    listed = client.get("/v1/errors").get_json()["errors"]
    assert [entry["code"] for entry in listed] == [one.name for one in ErrorCode]
    assert listed == [client.get(f"/v1/errors/{one.name}").get_json() for one in ErrorCode]


@pytest.mark.parametrize("one", list(ErrorCode), ids=lambda one: one.name)
def test_the_type_of_each_problem_leads_to_its_entry(client: FlaskClient, one: ErrorCode) -> None:
    sample = client.get(f"/v1/errors/{one.name}").get_json()["sample"]
    response = client.get(sample["type"])
    assert response.status_code == 200
    entry = response.get_json()
    assert entry["code"] == one.name == sample["code"]
    assert entry["status"] == one.status == sample["status"]
    assert entry["title"] == one.title == sample["title"]
    assert entry["fault"] == one.fault == sample["fault"]
    assert entry["retry"] == one.retry
    assert entry["write_retry"] == one.write_retry == sample["retry"]
    assert entry["explanation"] == one.explanation
    assert len(entry["explanation"]) > 40


def test_an_error_code_is_found_in_lower_case(client: FlaskClient) -> None:
    for written in ("customer_not_found", "Customer_Not_Found"):
        assert client.get(f"/v1/errors/{written}").get_json()["code"] == "CUSTOMER_NOT_FOUND"


@pytest.mark.parametrize("unknown", ["NOTHING", "ErrorCode", "__class__", "CBC.5002"])
def test_an_unknown_error_code_is_a_404(client: FlaskClient, unknown: str) -> None:
    response = client.get(f"/v1/errors/{unknown}")
    assert (response.status_code, code(response)) == (404, "NOT_FOUND")
    assert unknown not in response.get_data(as_text=True)


@pytest.mark.parametrize("one", list(ErrorCode), ids=lambda one: one.name)
def test_the_fault_of_an_error_agrees_with_its_status(one: ErrorCode) -> None:
    if one.status < 500:
        assert one.fault == "CALLER"
    if one.fault == "GATEWAY":
        assert one.status >= 500
    if one.retry == "AFTER_FIX":
        assert one.fault == "CALLER"
