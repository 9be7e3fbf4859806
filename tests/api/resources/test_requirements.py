"""A customer, what still keeps it from buying, and its personal values."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.declared_reads import CUSTOMER, INFO, SUB_CUSTOMERS, get
from tests.support.gateway import bearer, code
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until

PATH = "/v1/customers/cust-1"


def needed(client: FlaskClient) -> list[str]:
    """The requirements of the customer."""
    requirements: list[str] = get(client, PATH).get_json()["requirements"]
    return requirements


def test_a_customer_costs_one_list_call_and_one_read_of_its_budget(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    body = {"count": 1, "customer_infos": [INFO]}
    sandbox.fault("list_customers", "status", status=200, body=body)
    expected = CUSTOMER | {"requirements": ["BUDGET", "UNFREEZE"]}
    assert get(reads, PATH).get_json() == expected
    listed, budget = sandbox.requests()
    assert (listed["target"], json.loads(listed["body"])) == (
        f"{SUB_CUSTOMERS}/query",
        {"customer_id": "cust-1"},
    )
    assert budget["target"] == f"{SUB_CUSTOMERS}/budget?customer_id=cust-1"


def test_the_requirements_end_one_after_the_other(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.customer("cust-1", frozen=True)
    assert needed(reads) == ["BUDGET", "UNFREEZE", "VERIFICATION"]
    sandbox.customer("cust-1", budget={"amount": "0.01"})
    assert needed(reads) == ["UNFREEZE", "VERIFICATION"]
    sandbox.customer("cust-1", frozen=False)
    assert needed(reads) == ["VERIFICATION"]
    sandbox.review("cust-1", "rejected")
    assert needed(reads) == ["VERIFICATION"]
    sandbox.review("cust-1", "passed")
    assert needed(reads) == []


@pytest.mark.parametrize("refusal", ["CBC.99000035", "CBC.5004", "CBC.99424242"])
def test_a_refusal_to_show_a_budget_leaves_the_requirement(
    reads: FlaskClient, sandbox: SandboxDriver, refusal: str
) -> None:
    sandbox.customer("cust-1")
    sandbox.settings(no_budget_code=refusal)
    assert needed(reads) == ["BUDGET", "VERIFICATION"]


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ({"kind": "html"}, "UPSTREAM_MALFORMED"),
        ({"kind": "code", "code": "CBC.0999"}, "UPSTREAM_ERROR"),
        ({"kind": "code", "code": "CBC.0151"}, "UPSTREAM_ACCESS_DENIED"),
        ({"kind": "throttled"}, "UPSTREAM_THROTTLED"),
    ],
)
def test_a_budget_that_cannot_be_read_claims_no_requirement(
    reads: FlaskClient, sandbox: SandboxDriver, fault: dict[str, Any], problem: str
) -> None:
    sandbox.customer("cust-1")
    sandbox.fault("show_budget", **fault)
    assert code(get(reads, PATH)) == problem


def test_a_referral_customer_needs_no_budget_and_its_budget_is_not_read(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.customer("cust-1", association="1")
    assert needed(reads) == ["VERIFICATION"]
    assert sandbox.requests("show_budget") == []


def test_a_customer_without_a_time_of_association_is_not_associated_yet(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    body = {"count": 1, "customer_infos": [INFO | {"associated_on": "", "is_frozen": 0}]}
    sandbox.fault("list_customers", "status", status=200, body=body)
    assert needed(reads) == ["ASSOCIATION", "BUDGET"]


def test_personal_values_need_their_scope(reads: FlaskClient, sandbox: SandboxDriver) -> None:
    sandbox.customer("cust-1", person="LI SI", email="li@example.com", phone="0065-1")
    assert get(reads, PATH, "operator-key").get_json()["personal"] == {
        "name": "LI SI",
        "email": "li@example.com",
        "phone": "0065-1",
    }
    answer = get(reads, PATH)
    assert "personal" not in answer.get_json()
    assert not any(value in answer.text for value in ("LI SI", "li@example.com", "0065-1"))
    assert "LI SI" not in get(reads, "/v1/customers", "operator-key").text


def test_a_customer_without_personal_values_has_an_empty_object(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.customer("cust-1")
    assert get(reads, PATH, "operator-key").get_json()["personal"] == {}


def waited(client: FlaskClient, seconds: int) -> Any:
    """The answer to a read that waits."""
    return client.get(PATH, headers=bearer("reader-key") | {"Prefer": f"wait={seconds}"})


def test_a_read_that_waits_answers_when_the_customer_is_associated(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(waited, reads.application.test_client(), 20)
        wait_until(sandbox.requests)
        sandbox.customer("cust-1", frozen=True)
        found = answer.result(10)
    assert found.get_json()["requirements"] == ["BUDGET", "UNFREEZE", "VERIFICATION"]
    assert found.headers["Preference-Applied"] == "wait=20"


def test_a_read_does_not_wait_where_nothing_is_required(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.customer("cust-1", budget={"amount": "1"})
    sandbox.review("cust-1", "passed")
    begun = time.monotonic()
    assert waited(reads, 20).get_json()["requirements"] == []
    assert time.monotonic() - begun < 5


def test_a_read_that_waits_in_vain_answers_what_it_found_first(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert code(waited(reads, 1)) == "CUSTOMER_NOT_FOUND"
    sandbox.customer("cust-1")
    assert waited(reads, 1).get_json()["requirements"] == ["BUDGET", "VERIFICATION"]


def test_identical_reads_share_their_calls(reads: FlaskClient, sandbox: SandboxDriver) -> None:
    sandbox.customer("cust-1")
    sandbox.fault("list_customers", "latency", seconds=0.5)
    with ThreadPoolExecutor(5) as threads:
        asked = [threads.submit(get, reads.application.test_client(), PATH) for _ in range(5)]
        answers = [one.result().status_code for one in asked]
    assert answers == [200] * 5
    assert len(sandbox.requests("list_customers")) < 5


def test_a_limited_caller_reads_its_own_customers_only(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.customer("cust-1")
    assert get(reads, PATH, "old-rotating-key").status_code == 200
    assert code(get(reads, "/v1/customers/other-1", "old-rotating-key")) == "FORBIDDEN"
    assert code(get(reads, PATH, "writer-key")) == "FORBIDDEN"
