"""GET /v1/verifications: the reviews that are open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.errors import ErrorCode
from app.settings import Settings
from tests.support.fixtures import Build
from tests.support.gateway import bearer, check_problem, configuration
from tests.support.patience import submit as submit_to
from tests.support.sandbox_driver import SandboxDriver
from tests.support.valkey import Valkey
from tests.support.verifications import (
    CHANGE_FORM,
    COMPANY_FORM,
    INDIVIDUAL,
    parameters_at_fault,
    read,
    submit,
)

PATH = "/v1/verifications?status=IN_REVIEW"


@pytest.fixture
def client(tmp_path: Path, sandbox: SandboxDriver) -> FlaskClient:
    document = configuration(tmp_path, sandbox.url)
    for account in document["accounts"].values():
        account["verification"] = {"backend": "review"}
    document["callers"]["reader"]["accounts"] = ["default", "second"]
    document["callers"]["rotating"]["customers"] = "shop-.*"
    return create_app(Settings.model_validate(document)).test_client()


def listed(client: FlaskClient, key: str = "reader-key", **query: Any) -> Any:
    more = "".join(f"&{name}={value}" for name, value in query.items())
    return client.get(f"{PATH}{more}", headers=bearer(key)).get_json()


def customers(client: FlaskClient, key: str = "reader-key") -> list[str]:
    return [review["customer_id"] for review in listed(client, key)["items"]]


def test_a_submission_in_review_is_listed_until_a_read_shows_its_end(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    told = submit(client, COMPANY_FORM, customer="review-hold-1").get_json()
    (review,) = listed(client)["items"]
    assert review.pop("since") >= told["submitted_at"]
    assert review == {
        "customer_id": "review-hold-1",
        "account": "default",
        "kind": "ENTERPRISE",
        "status": "IN_REVIEW",
    }
    assert read(client, "review-hold-1").get_json()["status"] == "IN_REVIEW"
    assert customers(client) == ["review-hold-1"]
    sandbox.review("review-hold-1", "rejected")
    assert read(client, "review-hold-1").get_json()["status"] == "REJECTED"
    assert listed(client) == {"items": [], "total": 0}


def test_a_review_that_only_a_read_shows_is_listed_without_a_kind(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.review("shop-1", "in_review")
    assert customers(client) == []
    read(client, "shop-1")
    (review,) = listed(client)["items"]
    assert (review["customer_id"], "kind" in review) == ("shop-1", False)


def test_a_verification_that_ended_at_once_is_not_listed(client: FlaskClient) -> None:
    assert submit(client, customer="review-instant-1").status_code == 201
    assert listed(client) == {"items": [], "total": 0}


def test_the_list_costs_no_call_of_huawei(client: FlaskClient, sandbox: SandboxDriver) -> None:
    submit(client, customer="review-hold-1")
    sandbox.forget_requests()
    assert customers(client) == ["review-hold-1"]
    assert sandbox.requests() == []


def test_the_oldest_review_comes_first_on_every_page(client: FlaskClient) -> None:
    names = [f"review-hold-{number}" for number in (3, 1, 2)]
    for name in names:
        submit(client, customer=name)
    first = listed(client, limit=2)
    second = listed(client, limit=2, after=first["next"])
    seen = [review["customer_id"] for review in first["items"] + second["items"]]
    assert (seen, first["total"], second["total"]) == (names, 3, 3)
    assert "next" not in second


def test_a_caller_sees_the_reviews_of_its_accounts_only(client: FlaskClient) -> None:
    submit(client, customer="review-hold-1")
    submit(client, customer="review-hold-2", key="second-key")
    assert customers(client) == ["review-hold-1", "review-hold-2"]
    assert customers(client, "second-key") == ["review-hold-2"]
    one = client.get(PATH, headers=bearer("reader-key") | {"Partner-Account": "second"}).get_json()
    assert [(one["customer_id"], one["account"]) for one in one["items"]] == [
        ("review-hold-2", "second")
    ]


def test_a_caller_that_is_limited_to_some_customers_sees_these_only(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    submit(client, customer="review-hold-1")
    sandbox.review("shop-1", "in_review")
    read(client, "shop-1")
    found = listed(client, "old-rotating-key")
    assert ([one["customer_id"] for one in found["items"]], found["total"]) == (["shop-1"], 1)


def test_a_caller_without_the_scope_gets_no_list(client: FlaskClient) -> None:
    check_problem(client.get(PATH, headers=bearer("operator-key")), ErrorCode.FORBIDDEN)


@pytest.mark.parametrize("query", ["", "?status=VERIFIED", "?status=in_review", "?status="])
def test_only_the_reviews_that_are_open_can_be_listed(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/v1/verifications{query}", headers=bearer("reader-key"))
    check_problem(answer, ErrorCode.VALIDATION_FAILED)
    assert [name for name, _ in parameters_at_fault(answer)] == ["status"]


def test_a_rejection_that_was_there_before_a_submission_does_not_end_it(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.review("review-hold-1", "rejected")
    assert submit(client, customer="review-hold-1").status_code == 202
    sandbox.fault("result", "status", status=200, body={"review_result": 1}, count=1)
    assert read(client, "review-hold-1").get_json()["status"] == "REJECTED"
    assert customers(client) == ["review-hold-1"]
    read(client, "review-hold-1")  # Huawei shows the review now
    sandbox.review("review-hold-1", "rejected")
    read(client, "review-hold-1")
    assert customers(client) == []


def test_the_verification_as_a_person_does_not_end_the_change_to_a_company(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.review("review-hold-1", "passed")
    assert submit(client, CHANGE_FORM, customer="review-hold-1").status_code == 202
    sandbox.fault("result", "status", status=200, body={"review_result": 2}, count=1)
    read(client, "review-hold-1")
    assert customers(client) == ["review-hold-1"]


def test_a_submission_that_huawei_does_not_show_yet_stays_listed(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    submit(client, customer="review-hold-1")
    sandbox.fault("result", "status", status=200, body={}, count=1)
    assert read(client, "review-hold-1").get_json()["status"] == "NOT_SUBMITTED"
    assert customers(client) == ["review-hold-1"]


def test_replicas_share_the_list(build: Build, valkey: Valkey) -> None:
    differences: dict[str, Any] = {
        "state": {"url": valkey.url},
        "verification": {"backend": "review"},
    }
    one, other = build(**differences), build(**differences)
    submit_to(one, "review-hold-1")
    assert customers(other.test_client()) == ["review-hold-1"]


def test_nothing_personal_is_stored(build: Build, valkey: Valkey) -> None:
    state, verification = {"url": valkey.url}, {"backend": "review"}
    gateway: Flask = build(state=state, verification=verification)
    submit_to(gateway, "review-hold-1")
    stored = [row.decode() for row in valkey.table("open reviews of default")]
    assert len(stored) == 1
    assert "review-hold-1" in stored[0]
    assert INDIVIDUAL["full_name"] not in stored[0]
    assert INDIVIDUAL["document"]["number"] not in stored[0]


def test_a_review_lost_with_redis_is_listed_again_after_a_read(
    build: Build, valkey: Valkey
) -> None:
    gateway = build(state={"url": valkey.url}, verification={"backend": "review"})
    client = gateway.test_client()
    submit_to(gateway, "review-hold-1")
    valkey.clear()
    assert customers(client) == []
    read(client, "review-hold-1")
    assert customers(client) == ["review-hold-1"]
