"""GET /v1/events: what a caller gets of the feed, and how it goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from app.errors import ErrorCode
from app.events import EventType, Feed
from app.gateway import Gateway
from tests.support.events import add, credit_used, ended
from tests.support.gateway import bearer, check_problem
from tests.support.metrics import counted
from tests.support.valkey import Valkey

EVENTS = "/v1/events"
CALLERS: dict[str, dict[str, Any]] = {
    "writer": {"scopes": ["events:read"], "accounts": ["default", "second"], "max_waiting": 2000},
    "reader": {"scopes": ["events:read"], "customers": "shop-.*"},
    "second": {"scopes": ["events:read"], "accounts": ["second"], "customers": ".*"},
}


@pytest.fixture
def config(config: dict[str, Any]) -> dict[str, Any]:
    for name, changes in CALLERS.items():
        config["callers"][name].update(changes)
    return config


@pytest.fixture
def feed(app: Flask) -> Feed:
    """The feed of the gateway, to which its watcher adds."""
    gateway: Gateway = app.extensions["partner_gateway"]
    return gateway.feed


def listed(
    client: FlaskClient, key: str = "writer-key", account: str = "", **query: Any
) -> dict[str, Any]:
    headers = bearer(key) | ({"Partner-Account": account} if account else {})
    answer = client.get(EVENTS, query_string=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.get_json()  # type: ignore[no-any-return]


def customers(page: dict[str, Any]) -> list[str]:
    return [item.get("customer_id", "") for item in page["items"]]


def test_an_event_has_its_words_and_nothing_empty(client: FlaskClient, feed: Feed) -> None:
    feed.add(ended("shop-1", status="REJECTED"), "ended")
    feed.add(credit_used(80), "credit")
    first, second = listed(client)["items"]
    assert first.pop("id") != second.pop("id")
    at = {"account": "default", "occurred_at": "2026-11-26T09:30:00Z"}
    verification = {"customer_id": "shop-1", "kind": "INDIVIDUAL", "status": "REJECTED"}
    assert first == {"type": "VERIFICATION_ENDED", **at, **verification}
    assert second == {"type": "CREDIT_USED", **at, "percent": 80}


def test_a_consumer_reads_every_event_once_by_next(client: FlaskClient, feed: Feed) -> None:
    empty = listed(client)
    assert empty["items"] == []
    add(feed, "a", "b", "c")
    first = listed(client, after=empty["next"], limit=2)
    second = listed(client, after=first["next"], limit=2)
    assert customers(first) + customers(second) == ["a", "b", "c"]
    assert listed(client, after=second["next"]) == {"items": [], "next": second["next"]}
    assert listed(client)["items"] == first["items"] + second["items"]


def test_an_answer_is_not_stored_on_its_way(client: FlaskClient) -> None:
    assert client.get(EVENTS, headers=bearer()).headers["Cache-Control"] == "no-store"


def test_a_caller_gets_the_events_of_all_its_accounts_or_of_the_one_it_names(
    client: FlaskClient, feed: Feed
) -> None:
    feed.add(ended("a"), "a")
    feed.add(ended("b", account="second"), "b")
    assert customers(listed(client)) == ["a", "b"]
    assert customers(listed(client, account="second")) == ["b"]
    assert customers(listed(client, account="default")) == ["a"]
    assert customers(listed(client, "second-key")) == ["b"]


def test_a_limited_caller_gets_the_events_of_its_customers_only(
    client: FlaskClient, feed: Feed
) -> None:
    add(feed, "shop-1", "other", "shop-2")
    feed.add(credit_used(95), "credit")
    feed.add(credit_used(95, "second"), "credit of the second account")
    page = listed(client, "reader-key")
    assert customers(page) == ["shop-1", "shop-2"]
    assert page["next"] == listed(client)["next"]
    assert customers(listed(client, "second-key")) == []  # it is limited, if only to any customer


def test_types_choose_events(client: FlaskClient, feed: Feed) -> None:
    add(feed, "a")
    feed.add(credit_used(), "credit")
    budget = ended("b", type=EventType.BUDGET_USED, kind="", status="", percent=100)
    feed.add(budget, "budget")
    page = listed(client, types="BUDGET_USED,CREDIT_USED")
    assert [item["type"] for item in page["items"]] == ["CREDIT_USED", "BUDGET_USED"]
    assert listed(client, after=page["next"])["items"] == []


def test_a_page_without_a_visible_event_still_goes_on(client: FlaskClient, feed: Feed) -> None:
    add(feed, *(f"other-{number}" for number in range(1001)), "shop-1")
    first = listed(client, "reader-key")
    assert first["items"] == []
    second = listed(client, "reader-key", after=first["next"])
    assert customers(second) == ["shop-1"]
    assert listed(client, "reader-key", after=second["next"])["next"] == second["next"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("after=", "after"),
        ("after=1", "after"),
        ("after=1-", "after"),
        ("after=0x1-1", "after"),
        ("after=1-1111111111111111", "after"),
        ("after=1-1&after=1-1%00", "after"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("types=", "types"),
        ("types=NONE", "types"),
        ("types=CREDIT_USED,", "types"),
        ("type=CREDIT_USED", ""),  # a name that is not known is not repeated
    ],
)
def test_a_query_that_breaks_a_rule_is_told_which(
    client: FlaskClient, query: str, parameter: str
) -> None:
    problem = check_problem(
        client.get(f"{EVENTS}?{query}", headers=bearer()), ErrorCode.VALIDATION_FAILED
    )
    assert [error["parameter"] for error in problem["errors"]] == [parameter]


def test_events_need_their_scope(client: FlaskClient) -> None:
    answer = client.get(EVENTS, headers=bearer("operator-key"))
    check_problem(answer, ErrorCode.FORBIDDEN)


def test_an_id_that_is_not_kept_is_gone_and_the_problem_says_how_to_go_on(
    client: FlaskClient, feed: Feed
) -> None:
    add(feed, "a")
    answer = client.get(EVENTS, query_string={"after": "1-1"}, headers=bearer())
    problem = check_problem(answer, ErrorCode.EVENTS_GONE)
    assert problem["retry"] == "AFTER_FIX"
    add(feed, "b")
    assert customers(listed(client, after=problem["next"])) == ["b"]


def test_a_restart_without_redis_tells_that_it_dropped_the_events(
    client: FlaskClient, feed: Feed, build: Callable[..., Flask]
) -> None:
    add(feed, "a")
    restarted = build(callers=CALLERS).test_client()
    for place in (listed(client)["next"], listed(client, limit=1)["items"][0]["id"]):
        answer = restarted.get(EVENTS, query_string={"after": place}, headers=bearer())
        check_problem(answer, ErrorCode.EVENTS_GONE)


def test_an_emptied_redis_tells_that_it_dropped_the_events(
    valkey: Valkey, build: Callable[..., Flask]
) -> None:
    app = build(state={"url": valkey.url}, callers=CALLERS)
    client = app.test_client()
    begun = listed(client)["next"]
    add(app.extensions["partner_gateway"].feed, "a")
    read = listed(client)["next"]
    valkey.clear()
    for place in (begun, read):
        answer = client.get(EVENTS, query_string={"after": place}, headers=bearer())
        problem = check_problem(answer, ErrorCode.EVENTS_GONE)
    assert listed(client, after=problem["next"])["items"] == []


def test_a_lost_redis_is_told_and_loses_no_event(
    mortal: Valkey, build: Callable[..., Flask]
) -> None:
    app = build(state={"url": mortal.url}, callers=CALLERS)
    client = app.test_client()
    place = listed(client)["next"]
    mortal.freeze()
    answer = client.get(EVENTS, query_string={"after": place}, headers=bearer())
    problem = check_problem(answer, ErrorCode.EVENTS_UNAVAILABLE)
    assert problem["retry"] == "AFTER_DELAY"
    assert "Retry-After" in answer.headers
    mortal.thaw()


def test_a_long_poll_ends_with_the_event(client: FlaskClient, feed: Feed) -> None:
    place = listed(client)["next"]
    adding = threading.Timer(0.3, lambda: add(feed, "a"))
    adding.start()
    begun = time.monotonic()
    headers = bearer() | {"Prefer": "wait=20"}
    answer = client.get(EVENTS, query_string={"after": place}, headers=headers)
    adding.join()
    assert customers(answer.get_json()) == ["a"]
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert time.monotonic() - begun < 5


def test_a_long_poll_without_an_event_ends_with_a_place(client: FlaskClient, feed: Feed) -> None:
    add(feed, "other")
    headers = bearer("reader-key") | {"Prefer": "wait=1"}
    answer = client.get(EVENTS, headers=headers)
    assert answer.get_json() == {"items": [], "next": listed(client)["next"]}


def test_the_metrics_tell_what_was_added_and_who_is_behind(client: FlaskClient, feed: Feed) -> None:
    added = counted("gateway_events_total", account="default", type="VERIFICATION_ENDED")
    read = counted("gateway_events_read_timestamp_seconds", caller="writer")
    add(feed, "a", "a", "b", "c")
    assert added() == 3
    listed(client, limit=1)
    assert REGISTRY.get_sample_value("gateway_events_behind_seconds", {"caller": "writer"})
    listed(client)
    assert REGISTRY.get_sample_value("gateway_events_behind_seconds", {"caller": "writer"}) == 0
    assert read() > 0
