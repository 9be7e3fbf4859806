"""The rate limit of a caller, by one gateway and by two that share a state."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.fixtures import Build
from tests.support.patience import read, said, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import together, wait_until
from tests.support.valkey import Valkey

RATE = 3
LIMITED: dict[str, Any] = {"callers": {"writer": {"rate": f"{RATE}/hour"}}}


@pytest.fixture(params=["memory", "redis"])
def app(request: pytest.FixtureRequest, build: Build, valkey: Valkey) -> Flask:
    state = {"url": valkey.url} if request.param == "redis" else None
    return build(state=state, **LIMITED)


def left(response: TestResponse) -> str:
    return response.headers["RateLimit"].partition(";t=")[0]


def test_forbidden_requests_count_against_the_rate(app: Flask) -> None:
    client, headers = app.test_client(), {"Authorization": "Bearer writer-key"}
    codes = [client.get("/v1/accounts", headers=headers).status_code for _ in range(RATE + 1)]
    assert codes == [403] * RATE + [429]


def test_every_answer_has_the_remaining_rate(app: Flask) -> None:
    answers = [read(app), submit(app), read(app, "code-CBC-5002")]
    assert [one.status_code for one in answers] == [200, 201, 404]
    assert [left(one) for one in answers] == [f'"caller";r={number}' for number in (2, 1, 0)]
    for one in answers:
        assert one.headers["RateLimit-Policy"] == f'"caller";q={RATE};w=3600'
        assert 3500 < int(one.headers["RateLimit"].rpartition("=")[2]) <= 3600


def test_a_request_above_the_rate_is_refused_and_nothing_is_sent(
    app: Flask, sandbox: SandboxDriver
) -> None:
    for number in range(RATE):
        read(app, f"c-{number}")
    refused = submit(app)
    assert said(refused) == (429, "RATE_LIMITED", False)
    assert refused.content_type == "application/problem+json"
    problem = refused.get_json()
    assert (problem["retry"], problem["fault"]) == ("AFTER_DELAY", "CALLER")
    assert 3500 < int(refused.headers["Retry-After"]) <= 3600
    assert problem["retry_after_s"] == int(refused.headers["Retry-After"])
    assert left(refused) == '"caller";r=0'
    assert refused.headers["RateLimit-Policy"] == f'"caller";q={RATE};w=3600'
    assert len(sandbox.requests()) == RATE


def test_a_caller_without_a_rate_is_not_limited_and_gets_no_rate_headers(app: Flask) -> None:
    for _ in range(RATE + 1):
        read(app)
    others = [read(app, key="reader-key") for _ in range(2 * RATE)]
    assert {one.status_code for one in others} == {200}
    assert all("RateLimit" not in one.headers for one in others)


def test_open_routes_do_not_count_against_the_rate(app: Flask) -> None:
    for path in ("/livez", "/readyz", "/v1/errors", "/openapi.json"):
        assert "RateLimit" not in app.test_client().get(path).headers
    assert left(read(app)) == '"caller";r=2'


def test_a_rate_is_restored_after_its_period(build: Build) -> None:
    app = build(callers={"writer": {"rate": "2/second"}})
    begun = time.monotonic()
    answers = [read(app)]

    def refused() -> bool:
        answers.append(read(app))
        return answers[-1].status_code == 429

    wait_until(refused)
    assert answers[-1].headers["Retry-After"] == "1"
    wait_until(lambda: not refused())
    assert time.monotonic() - begun >= 1


def test_a_clock_that_is_put_back_restores_the_rate(build: Build, valkey: Valkey) -> None:
    app = build(state={"url": valkey.url}, **LIMITED)
    answers = [read(app).status_code for _ in range(RATE)]
    valkey.move_times(3000)
    answers += [read(app).status_code for _ in range(RATE + 1)]
    assert answers == [200] * (2 * RATE) + [429]


def test_two_gateways_with_one_state_share_the_rate_of_a_caller(
    build: Build, valkey: Valkey
) -> None:
    both = [build(state={"url": valkey.url}, **LIMITED) for _ in range(2)]
    answers = together(12, lambda place: read(both[place % 2], f"c-{place}").status_code)
    assert sorted(answers) == [200] * RATE + [429] * (12 - RATE)


def test_a_gateway_that_lost_the_state_counts_in_memory(build: Build, mortal: Valkey) -> None:
    app = build(state={"url": mortal.url}, **LIMITED)
    assert left(read(app)) == '"caller";r=2'
    mortal.kill()
    answers = [read(app).status_code for _ in range(RATE + 1)]
    assert answers == [200] * RATE + [429]


def test_a_hanging_state_delays_requests_only_briefly(build: Build, mortal: Valkey) -> None:
    app = build(state={"url": mortal.url}, **LIMITED)
    read(app)
    mortal.freeze()
    try:
        begun = time.monotonic()
        assert [read(app).status_code for _ in range(RATE)] == [200] * RATE
        assert time.monotonic() - begun < 5
    finally:
        mortal.thaw()


def test_the_rate_limit_stores_neither_keys_nor_names_of_callers(
    build: Build, valkey: Valkey, tmp_path: Path
) -> None:
    app = build(state={"url": valkey.url}, **LIMITED)
    read(app)
    text = b"\n".join(part for entry in valkey.values().items() for part in entry)
    assert b"writer" not in text
    assert str(tmp_path).encode() not in text
