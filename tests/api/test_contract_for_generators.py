"""The contract as generators of clients read it: names, types, order, headers, size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.version import VERSION
from tests.api.test_contract import (
    OPERATIONS,
    SPEC,
    SUBMISSIONS,
    contract_operations,
    documented,
)
from tests.support.gateway import CUSTOMER, PERSON, bearer
from tools.contract_diff import resolved

PERSON_PATH = "/v1/customers/{customer_id}/verifications/individual"
RESULT_PATH = "/v1/customers/{customer_id}/verification"
# The headers of HTTP itself and those that protect browsers are not in the contract.
UNDOCUMENTED = {
    *("Content-Type", "Content-Length", "Content-Security-Policy", "X-Content-Type-Options"),
    *("Cache-Control", "Vary"),
}
LINES = 65  # of one operation in openapi.yaml, without its examples and its text


@pytest.fixture
def config(config: dict[str, Any]) -> dict[str, Any]:
    config["callers"]["writer"]["rate"] = "3/minute"
    return config


def nodes(node: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of the contract, with the name that it has in its parent."""
    if isinstance(node, list):
        for one in node:
            yield from nodes(one, name)
    elif isinstance(node, dict):
        yield name, node
        for key, one in node.items():
            if key not in ("example", "examples"):
                yield from nodes(one, key)


def test_the_contract_names_its_version_its_contact_and_its_licence() -> None:
    info = SPEC["info"]
    assert info["version"] == VERSION
    assert info["contact"]["name"]
    assert info["license"]["name"]


def test_every_integer_has_a_format() -> None:
    integers = [(name, one) for name, one in nodes(SPEC) if one.get("type") == "integer"]
    assert len(integers) > 10
    assert [name for name, one in integers if one.get("format") != "int32"] == []


def test_answers_say_nothing_about_other_fields_and_requests_refuse_them() -> None:
    said = [one["additionalProperties"] for _, one in nodes(SPEC) if "additionalProperties" in one]
    assert set(said) == {False}


def test_no_parameter_has_a_default_that_clients_would_send() -> None:
    assert [name for name, one in nodes(SPEC) if "default" in one and name == "schema"] == []


def test_every_enum_is_a_component_so_that_generators_agree_on_its_name() -> None:
    enums = {name for name, one in SPEC["components"]["schemas"].items() if "enum" in one}
    documents = {"IndividualDocumentType", "EnterpriseDocumentType"}
    assert enums == documents | {
        *("Association", "BudgetPeriod", "ListedStatus", "MailLanguage", "OrderStatus"),
        "WhenExceeded",
    }
    assert sum("enum" in one for _, one in nodes(SPEC)) == len(enums)


def test_no_schema_has_the_name_of_the_constructor_of_another_in_go() -> None:
    names = set(SPEC["components"]["schemas"])
    assert names & {f"New{name}" for name in names} == set()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_a_description(name: str) -> None:
    assert OPERATIONS[name].get("description")


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_parameter_is_described_and_path_comes_before_query_and_headers(name: str) -> None:
    parameters = [resolved(one, SPEC) for one in OPERATIONS[name].get("parameters", ())]
    assert [one["name"] for one in parameters if not one.get("description")] == []
    places = [("path", "query", "header").index(one["in"]) for one in parameters]
    assert places == sorted(places)
    names = [one["name"] for one in parameters if one["in"] == "path"]
    assert "customer_id" not in names or names[0] == "customer_id"


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_failure_refers_to_a_shared_response(name: str) -> None:
    for status, response in OPERATIONS[name]["responses"].items():
        if not str(status).startswith("2"):
            assert set(response) == {"$ref"}, status


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("getOrder", "ORDER_NOT_FOUND"),
        ("listRefunds", "ORDER_NOT_FOUND"),
        ("getPartnerBill", "BILL_NOT_READY"),
        ("getPartnerBill", "VALIDATION_FAILED"),
    ],
)
def test_a_failure_of_one_read_is_documented_where_it_can_occur(name: str, code: str) -> None:
    shared = documented("getVerification") - {"VALIDATION_FAILED", "LEGACY_API_RETIRED"}
    assert documented(name) >= shared | {code}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_adds_few_lines_to_the_contract(name: str) -> None:
    def bare(node: Any) -> Any:
        if isinstance(node, dict):
            return {
                key: bare(one)
                for key, one in node.items()
                if key not in ("example", "examples", "description")
            }
        return node

    successes = sum(str(status).startswith("2") for status in OPERATIONS[name]["responses"])
    filters = sum("name" in one for one in OPERATIONS[name].get("parameters", ()))
    lines = yaml.safe_dump(bare(OPERATIONS[name])).count("\n")
    assert lines <= LINES + 20 * (successes - 1) + 8 * filters


@pytest.mark.parametrize("name", [*SUBMISSIONS, "getVerification", "uploadAttachment"])
def test_too_many_requests_have_a_response_of_their_own(name: str) -> None:
    refused = resolved(OPERATIONS[name]["responses"]["429"], SPEC)
    assert set(refused["headers"]) >= {"Retry-After", "RateLimit", "RateLimit-Policy"}
    assert list(refused["content"]["application/problem+json"]["examples"]) == ["RATE_LIMITED"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_problem_that_names_a_pause_documents_the_header(name: str) -> None:
    for status, response in OPERATIONS[name]["responses"].items():
        whole = resolved(response, SPEC)
        shown = whole.get("content", {}).get("application/problem+json", {}).get("examples", {})
        if any("retry_after_s" in example["value"] for example in shown.values()):
            assert "Retry-After" in whole["headers"], status


def undeclared(response: TestResponse, path: str, method: str) -> set[str]:
    """The headers of an answer that the contract does not declare for it."""
    (operation,) = [one for at, how, one in contract_operations() if (at, how) == (path, method)]
    responses = {str(status): one for status, one in operation["responses"].items()}
    declared = resolved(responses[str(response.status_code)], SPEC)["headers"]
    return set(response.headers.keys()) - UNDOCUMENTED - set(declared)


def test_every_header_of_an_answer_is_declared(client: FlaskClient) -> None:
    target = PERSON_PATH.format(customer_id=CUSTOMER)
    headers = bearer() | {"Idempotency-Key": "one"}
    first = client.post(target, json=PERSON, headers=headers)
    again = client.post(target, json=PERSON, headers=headers)
    result = RESULT_PATH.format(customer_id=CUSTOMER)
    read = client.get(result, headers=bearer() | {"Prefer": "wait=1"})
    refused = client.get(result, headers=bearer())
    unknown = client.get(result)
    assert first.headers["Location"] == result
    assert again.headers["Idempotent-Replayed"] == "true"
    assert read.headers["Preference-Applied"] == "wait=1"
    assert (refused.status_code, unknown.status_code) == (429, 401)
    for answer in (first, again):
        assert undeclared(answer, PERSON_PATH, "post") == set()
    for answer in (read, refused, unknown):
        assert undeclared(answer, RESULT_PATH, "get") == set()
    assert "RateLimit" in refused.headers
