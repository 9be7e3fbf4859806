"""Invariants of every operation, error code and setting of the contract."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import validate

import app as gateway
from app.api import contract
from app.errors import ErrorCode
from app.huawei import codes
from app.huawei.operation import Operation
from demo.local import PROJECT
from tests.support.gateway import bearer
from tools.contract_diff import resolved

VECTORS = Path(__file__).parents[1] / "vectors"
COMMITTED = PROJECT / "openapi/openapi.yaml"
SPEC: dict[str, Any] = yaml.load(COMMITTED.read_text(), yaml.CSafeLoader)


def upstream_operations() -> list[Operation]:
    """Every upstream operation that a module of the gateway declares."""
    found: dict[int, Operation] = {}
    for module in pkgutil.walk_packages(gateway.__path__, "app."):
        for value in vars(importlib.import_module(module.name)).values():
            for one in value.values() if isinstance(value, Mapping) else (value,):
                if isinstance(one, Operation):
                    found[id(one)] = one
    return list(found.values())


def contract_operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in SPEC["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method, operation


OPERATIONS = {operation["operationId"]: operation for _, _, operation in contract_operations()}
SUBMISSIONS = [name for name in OPERATIONS if name.endswith("Verification") and name[:3] != "get"]


def examples(content: dict[str, Any]) -> list[Any]:
    many = [example["value"] for example in content.get("examples", {}).values()]
    return many + ([content["example"]] if "example" in content else [])


def test_upstream_operations_have_names_of_their_own() -> None:
    names = [operation.name for operation in upstream_operations()]
    assert "verified_info" in names
    assert len(set(names)) == len(names)


def test_every_declared_upstream_operation_exists_at_huawei() -> None:
    listed = json.loads((VECTORS / "huawei_operations.json").read_text())["operations"]
    known = {(entry["method"], entry["path"]) for entry in listed}
    declared = {(operation.method, operation.path) for operation in upstream_operations()}
    assert declared <= known


# Huawei's reads that ask by POST: their method does not tell that they read. mc_00021, mc_00023,
# mt_01006, mqr_01002
READS_BY_POST = {
    *("list_customers", "find_customer", "list_statuses", "list_associated"),
    *("check_user_identity", "list_budgets", "watch_budgets", "list_resources"),
}


def test_an_upstream_operation_writes_unless_its_method_is_get_or_it_is_a_listed_read() -> None:
    for operation in upstream_operations():
        reads = operation.method == "GET" or operation.name in READS_BY_POST
        assert operation.writes != reads, operation.name


def test_the_committed_contract_is_the_generated_one(tmp_path: Path) -> None:
    written = tmp_path / "openapi.yaml"
    command = ["openapi", "write", "--format", "yaml", str(written)]
    done = contract.documented().test_cli_runner().invoke(args=command)
    assert done.exit_code == 0
    assert written.read_text() == COMMITTED.read_text(), "run `make openapi`"


def test_the_contract_is_valid_openapi() -> None:
    validate(SPEC)


def test_every_operation_has_an_id_and_a_summary() -> None:
    for path, method, operation in contract_operations():
        assert operation["operationId"], (path, method)
        assert operation["summary"].endswith("."), operation["operationId"]
    assert len(OPERATIONS) == sum(1 for _ in contract_operations())


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_success_has_an_example_that_fits_its_schema(name: str) -> None:
    successes = [
        resolved(response, SPEC)
        for status, response in OPERATIONS[name]["responses"].items()
        if str(status).startswith("2") and str(status) != "204"
    ]
    assert successes or "204" in OPERATIONS[name]["responses"]
    for success in successes:
        if success["description"] == "No Content":
            assert "content" not in success
            continue
        for content in success["content"].values():
            assert examples(content)
            for example in examples(content):
                binary = content["schema"].get("format") == "binary"
                OAS30Validator(content["schema"]).validate(example.encode() if binary else example)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_failure_is_documented_as_a_problem(name: str) -> None:
    failures = {
        str(status): resolved(response, SPEC)
        for status, response in OPERATIONS[name]["responses"].items()
        if not str(status).startswith("2")
    }
    assert failures
    for status, failure in failures.items():
        assert set(failure["content"]) == {"application/problem+json"}
        content = failure["content"]["application/problem+json"]
        shown = examples(content)
        assert shown
        for example in shown:
            OAS30Validator(content["schema"]).validate(example)
            assert status in ("default", str(example["status"]))
            assert example["status"] == ErrorCode[example["code"]].status


def documented(name: str) -> set[str]:
    """The error codes that the contract documents for an operation."""
    return {
        code
        for response in OPERATIONS[name]["responses"].values()
        for code in resolved(response, SPEC)
        .get("content", {})
        .get("application/problem+json", {})
        .get("examples", {})
    }


def test_every_error_code_is_documented_at_an_operation() -> None:
    assert {code for name in OPERATIONS for code in documented(name)} == set(ErrorCode.__members__)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_request_body_has_examples_or_is_a_file(name: str) -> None:
    for content in OPERATIONS[name].get("requestBody", {}).get("content", {}).values():
        assert examples(content) or content["schema"]["format"] == "binary"


def possible(writes: bool) -> set[ErrorCode]:
    """The error codes that any answer of Huawei, or a missing answer, can lead to."""
    operations = [
        one
        for one in upstream_operations()
        if one.writes == writes
        and one.errors is not codes.REGISTRATION
        and ErrorCode.ORDER_NOT_FOUND not in one.errors.values()
    ]
    found = set(codes.COMMON.values()) | set(codes.FAMILIES.values()) | set(codes.STATUSES.values())
    for operation in operations:
        found |= set(operation.errors.values()) | set(operation.statuses.values())
    found |= {ErrorCode.CLOCK_SKEWED, ErrorCode.ACCESS_KEY_LOCKED, ErrorCode.UPSTREAM_UNREACHABLE}
    found |= {ErrorCode.UPSTREAM_MALFORMED, ErrorCode.UPSTREAM_UNMAPPED}
    return found | ({ErrorCode.OUTCOME_UNKNOWN} if writes else set())


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_every_failure_of_a_submission_is_documented(name: str) -> None:
    own = {
        *("UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "MALFORMED_JSON", "UNSUPPORTED_MEDIA_TYPE"),
        *("PAYLOAD_TOO_LARGE", "VALIDATION_FAILED", "DOCUMENT_TYPE_UNSUPPORTED", "INTERNAL_ERROR"),
    }
    assert documented(name) >= own | {code.name for code in possible(writes=True)}


def test_every_failure_of_a_read_is_documented() -> None:
    own = {"UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "INTERNAL_ERROR"}
    assert documented("getVerification") >= own | {code.name for code in possible(writes=False)}


@pytest.mark.parametrize("name", ["checkRegistration", "sendRegistrationCode", "createCustomer"])
def test_every_failure_of_a_registration_is_documented(name: str) -> None:
    writes = name != "checkRegistration"
    of_its_own = {code.name for code in codes.REGISTRATION.values()}
    shared = {code.name for code in codes.COMMON.values()}
    assert documented(name) >= of_its_own | shared | ({"OUTCOME_UNKNOWN"} if writes else set())


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_the_example_of_a_request_body_is_accepted(client: FlaskClient, name: str) -> None:
    content = resolved(OPERATIONS[name]["requestBody"], SPEC)["content"]["application/json"]
    paths = {operation["operationId"]: path for path, _, operation in contract_operations()}
    assert examples(content)
    for place, example in enumerate(examples(content)):
        OAS30Validator(content["schema"]).validate(example)
        path = paths[name].replace("{customer_id}", f"cust-{place}")
        assert client.post(path, json=example, headers=bearer()).status_code == 201


def test_no_pattern_is_published_on_fields_of_a_body() -> None:
    # Generated clients print the offending value when a published pattern does not match.
    def patterns(node: Any) -> Iterator[str]:
        if isinstance(node, list):
            for one in node:
                yield from patterns(one)
        elif isinstance(node, dict):
            yield from (name for name in ("pattern",) if name in node)
            for one in node.values():
                yield from patterns(one)

    assert list(patterns(SPEC["components"]["schemas"])) == []
    for operation in OPERATIONS.values():
        assert list(patterns(operation.get("requestBody", {}))) == []


def test_request_schemas_refuse_unknown_fields_and_response_schemas_allow_them() -> None:
    for name in SUBMISSIONS:
        body = resolved(OPERATIONS[name]["requestBody"], SPEC)["content"]["application/json"][
            "schema"
        ]
        assert body["additionalProperties"] is False
        assert body["properties"]["document"]["additionalProperties"] is False
    problem = SPEC["components"]["schemas"]["Problem"]
    assert problem.get("additionalProperties", True) is not False
    assert "enum" not in json.dumps(problem)
