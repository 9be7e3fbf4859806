"""Reads answered from what is known, and waits that read nothing while a replica watches."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.api.extensions import gateway as parts
from app.gateway import Gateway
from app.settings import Settings
from tests.support.gateway import altered, bearer, configuration
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.verifications import read, submit

CUSTOMER = "review-hold-1"


def built(folder: Path, url: str, max_age: float = 600, **account: Any) -> Flask:
    settings = altered(
        Settings.model_validate(configuration(folder, url)),
        verification={"backend": "review"},
        watch={"max_age": max_age},
        **account,
    )
    return create_app(settings)


@pytest.fixture
def app(tmp_path: Path, sandbox: SandboxDriver) -> Flask:
    return built(tmp_path, sandbox.url)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def gateway_of(app: Flask) -> Gateway:
    with app.app_context():
        return parts()


def test_a_read_of_a_known_review_costs_no_call_and_says_when_it_was_seen(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    told = submit(client, customer=CUSTOMER).get_json()
    sandbox.forget_requests()
    found = read(client, CUSTOMER)
    answer = found.get_json()
    assert (answer["status"], answer["kind"], answer["final"]) == ("IN_REVIEW", "INDIVIDUAL", False)
    assert told["submitted_at"] <= answer["checked_at"]
    assert found.headers["Retry-After"] == "30"
    assert sandbox.requests() == []


def test_a_list_of_customers_finds_the_open_reviews_again_that_were_lost(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    document = configuration(tmp_path, sandbox.url)
    document["callers"]["writer"]["scopes"] += ["customers:read"]
    for customer, result in (("cust-1", "in_review"), ("cust-2", "passed"), ("cust-3", "rejected")):
        sandbox.customer(customer)
        sandbox.review(customer, result)
    app = create_app(Settings.model_validate(document))
    found = app.test_client().get("/v1/customers", headers=bearer())
    assert found.status_code == 200
    reviews = gateway_of(app).accounts["default"].reviews
    assert [review.customer_id for review in reviews.all()] == ["cust-1"]


def test_a_final_answer_to_a_submission_ends_the_watch_of_an_earlier_review(
    tmp_path: Path, sandbox: SandboxDriver
) -> None:
    document = configuration(tmp_path, sandbox.url)
    app = create_app(altered(Settings.model_validate(document), verification={"backend": "legacy"}))
    reviews = gateway_of(app).accounts["default"].reviews
    reviews.begin("cust-1", "ENTERPRISE", "writer", "NOT_SUBMITTED")
    assert submit(app.test_client(), customer="cust-1").get_json()["status"] == "VERIFIED"
    assert (reviews.all(), reviews.known("cust-1", 600)) == ([], None)
    assert gateway_of(app).feed.after(None, 10).items == ()


def test_no_cache_asks_huawei(client: FlaskClient, sandbox: SandboxDriver) -> None:
    submit(client, customer=CUSTOMER)
    sandbox.review(CUSTOMER, "passed")
    assert read(client, CUSTOMER).get_json()["status"] == "IN_REVIEW"
    headers = bearer("reader-key") | {"Cache-Control": "no-cache"}
    found = client.get(f"/v1/customers/{CUSTOMER}/verification", headers=headers)
    assert found.get_json()["status"] == "VERIFIED"
    assert read(client, CUSTOMER).get_json()["status"] == "VERIFIED"


def test_a_final_status_is_always_read(client: FlaskClient, sandbox: SandboxDriver) -> None:
    sandbox.review(CUSTOMER, "passed")
    for _ in range(2):
        assert read(client, CUSTOMER).get_json()["status"] == "VERIFIED"
    assert len(sandbox.requests("result")) == 2


@pytest.mark.parametrize("watched", [False, True], ids=["unwatched", "watched"])
def test_what_is_too_old_is_read_again(
    tmp_path: Path, sandbox: SandboxDriver, watched: bool
) -> None:
    app = built(tmp_path, sandbox.url, max_age=0.000001)
    client = app.test_client()
    submit(client, customer=CUSTOMER)
    watcher = gateway_of(app).accounts["default"].watcher
    assert watcher is not None
    if watched:
        watcher.step()
    sandbox.review(CUSTOMER, "passed")
    sandbox.forget_requests()
    assert read(client, CUSTOMER).get_json()["status"] == "VERIFIED"
    assert len(sandbox.requests("result")) == 1


@pytest.mark.slow
def test_a_wait_reads_nothing_until_the_watcher_has_seen_the_end(
    app: Flask, sandbox: SandboxDriver
) -> None:
    client = app.test_client()
    submit(client, customer=CUSTOMER)
    gateway = gateway_of(app)
    account = gateway.accounts["default"]
    watcher, reviews = account.watcher, account.reviews
    assert watcher is not None
    watcher.step()
    sandbox.forget_requests()
    assert read(client, CUSTOMER, "wait=3").get_json()["status"] == "IN_REVIEW"
    assert sandbox.requests() == []
    sandbox.fault("result", "latency", seconds=2)  # longer than a busy machine holds up a thread
    start = Barrier(21)

    def wait() -> TestResponse:
        start.wait(30)
        return read(app.test_client(), CUSTOMER, "wait=25")

    with ThreadPoolExecutor(20) as threads:
        waiting = [threads.submit(wait) for _ in range(20)]
        sandbox.review(CUSTOMER, "rejected", "Too dark.")
        start.wait(30)
        reviews.seen(CUSTOMER, "REJECTED", 0.0, "gateway")  # the watcher's word
        answers = [one.result().get_json() for one in waiting]
    assert {(one["status"], one["rejection"]["reason"]) for one in answers} == {
        ("REJECTED", "Too dark.")
    }
    assert len(sandbox.requests("result")) <= 3  # identical reads are joined


def test_a_wait_leaves_an_old_look_to_the_watcher(tmp_path: Path, sandbox: SandboxDriver) -> None:
    app = built(tmp_path, sandbox.url, max_age=0.000001)
    client = app.test_client()
    submit(client, customer=CUSTOMER)
    watcher = gateway_of(app).accounts["default"].watcher
    assert watcher is not None
    watcher.step()
    sandbox.forget_requests()
    assert read(client, CUSTOMER, "wait=1").get_json()["status"] == "IN_REVIEW"
    assert sandbox.requests() == []


@pytest.mark.slow
def test_a_wait_reads_by_itself_if_nobody_watches(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    submit(client, customer=CUSTOMER)
    sandbox.forget_requests()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(read, client, CUSTOMER, "wait=25")
        wait_until(lambda: sandbox.received("result"))
        sandbox.review(CUSTOMER, "passed")
        assert waiting.result().get_json()["status"] == "VERIFIED"


@pytest.mark.parametrize(("number", "pace"), [(1, 30), (150, 30), (160, 32), (1000, 200)])
def test_the_documented_pace_follows_the_number_of_open_reviews(
    tmp_path: Path, sandbox: SandboxDriver, number: int, pace: int
) -> None:
    app = built(tmp_path, sandbox.url, quota={"requests_per_second": 10})
    reviews = gateway_of(app).accounts["default"].reviews
    for place in range(number):
        reviews.begin(f"cust-{place}", "INDIVIDUAL", "writer", None)
    found = read(app.test_client(), "cust-0")
    assert (found.get_json()["next_check_after_s"], found.headers["Retry-After"]) == (
        pace,
        str(pace),
    )
