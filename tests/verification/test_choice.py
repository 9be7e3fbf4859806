"""The choice of the backend: by the account's settings, and always the same for a customer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.gateway import CUSTOMER, bearer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import (
    FORMS,
    INDIVIDUAL,
    PERSON_FORM,
    Form,
    documented,
    submit,
    without,
)
from tests.verification.conftest import Build

CUSTOMERS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
SAMPLE = [f"06a7969058802f0c{number:048x}" for number in range(400)]


def chosen(client: FlaskClient, customer: str, form: Form = PERSON_FORM) -> str:
    """The backend for a submission that both accept, by `validate_only`."""
    response = submit(client, form, customer=customer, query="?validate_only=true")
    backend: str = response.get_json()["backend"]
    return backend


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(customer=CUSTOMERS, share=st.sampled_from([30, 50]))
def test_a_customer_always_goes_to_the_same_backend(
    shared: Build, customer: str, share: int
) -> None:
    first, other = (shared(memory=m, backend="auto", review_share=share) for m in ("a", "b"))
    expected = chosen(first, customer)
    assert [chosen(first, customer), chosen(other, customer)] == [expected, expected]
    assert {chosen(first, customer, form) for form in FORMS} == {expected}


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(customer=CUSTOMERS, shares=st.tuples(*[st.sampled_from([0, 10, 30, 50, 100])] * 2))
def test_a_customer_of_review_stays_there_when_the_share_grows(
    shared: Build, customer: str, shares: tuple[int, int]
) -> None:
    low, high = (chosen(shared(backend="auto", review_share=n), customer) for n in sorted(shares))
    assert (low, high) != ("review", "legacy")


@pytest.mark.parametrize(("share", "expected"), [(0, "legacy"), (100, "review")])
def test_a_share_of_0_or_100_percent_is_exact(shared: Build, share: int, expected: str) -> None:
    client = shared(backend="auto", review_share=share)
    assert {chosen(client, customer) for customer in SAMPLE[:200]} == {expected}


@pytest.mark.parametrize("share", [10, 75])
def test_the_share_of_customers_on_review_is_near_the_percentage(shared: Build, share: int) -> None:
    client = shared(backend="auto", review_share=share)
    to_review = sum(chosen(client, customer) == "review" for customer in SAMPLE)
    assert abs(to_review - share * 4) < 40  # four standard deviations of 400 draws and more


@pytest.mark.parametrize(("customer", "place"), [("cust-0", 52), ("cust-1", 85), ("cust-2", 15)])
def test_no_release_moves_a_customer_to_the_other_backend(
    shared: Build, customer: str, place: int
) -> None:
    shares = {place: "legacy", place + 1: "review"}
    clients = [shared(backend="auto", review_share=share) for share in shares]
    assert [chosen(client, customer) for client in clients] == [*shares.values()]


@pytest.mark.parametrize(("share", "preferred"), [(49, "legacy"), (50, "review")])
def test_an_account_prefers_the_backend_of_most_of_its_customers(
    shared: Build, share: int, preferred: str
) -> None:
    client = shared(backend="auto", review_share=share)
    answer = client.get("/v1/capabilities", headers=bearer("writer-key")).get_json()
    assert (len(answer["backends"]), answer["backends"][0]) == (2, preferred)


def test_auto_prefers_review_for_all_customers_by_default(shared: Build) -> None:
    assert chosen(shared(backend="auto"), CUSTOMER) == "review"


# A submission that the preferred backend refuses goes to the other, whatever the share.
@pytest.mark.parametrize("share", [0, 50, 100])
@pytest.mark.parametrize(
    ("body", "backend"),
    [
        (without(INDIVIDUAL, "attachments"), "legacy"),
        (documented(INDIVIDUAL, "ID_CARD_GEN1"), "legacy"),
        ({**INDIVIDUAL, "full_name": "x" * 256}, "legacy"),
        (documented(INDIVIDUAL, "TAIWAN_RESIDENCE", "a.jpg", "b.jpg", "c.jpg"), "review"),
        (without(INDIVIDUAL, "partner_user_id"), "review"),
    ],
)
def test_a_submission_that_only_one_backend_accepts_goes_there(
    shared: Build, sandbox: SandboxDriver, share: int, body: dict[str, Any], backend: str
) -> None:
    response = submit(shared(backend="auto", review_share=share), body=body)
    assert (response.status_code, response.get_json()["backend"]) == (
        {"legacy": 201, "review": 202}[backend],
        backend,
    )
    (entry,) = sandbox.submissions()
    assert entry["operation"] == {"legacy": "verified-info", "review": "individual"}[backend]


@pytest.mark.parametrize("query", ["?backend=legacy", "?review_share=0", "?Backend=review"])
def test_a_query_cannot_choose_the_backend(
    review: FlaskClient, sandbox: SandboxDriver, query: str
) -> None:
    response = submit(review, query=query)
    assert (response.status_code, response.get_json()["code"]) == (422, "VALIDATION_FAILED")
    assert query.partition("=")[0][1:] not in json.dumps(response.get_json()["errors"])
    assert sandbox.requests() == []


def test_neither_body_nor_header_can_choose_the_backend(
    review: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert submit(review, body={**INDIVIDUAL, "backend": "legacy"}).status_code == 422
    path = f"/v1/customers/{CUSTOMER}/verifications/individual"
    headers = {**bearer(), "Backend": "legacy", "X-Backend": "legacy"}
    assert review.post(path, json=INDIVIDUAL, headers=headers).get_json()["backend"] == "review"
    assert [entry["operation"] for entry in sandbox.submissions()] == ["individual"]


def test_a_caller_can_choose_among_its_accounts_only(shared: Build, sandbox: SandboxDriver) -> None:
    client = shared(backend="review")
    path = f"/v1/customers/{CUSTOMER}/verifications/individual"
    second = {**bearer(), "Partner-Account": "second"}
    assert client.post(path, json=INDIVIDUAL, headers=second).get_json()["backend"] == "legacy"
    forbidden = {**bearer("second-key"), "Partner-Account": "default"}
    assert client.post(path, json=INDIVIDUAL, headers=forbidden).status_code == 403
    assert [entry["operation"] for entry in sandbox.requests()] == ["verified-info"]
