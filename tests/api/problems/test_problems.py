"""Every failure is an RFC 9457 problem in our words, on every path."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.api.authentication import open_to_all
from app.errors import ErrorCode
from app.observability.logs import JsonFormatter
from tests.support.gateway import INDIVIDUAL_PATH, bearer, check_problem
from tests.support.sandbox_driver import SandboxDriver


@pytest.fixture
def client(shared_client: FlaskClient, sandbox: SandboxDriver) -> FlaskClient:  # noqa: ARG001
    return shared_client


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/nothing", "/v1/customers/a/b", "/livez/", "/docs/assets/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_404_is_a_problem(client: FlaskClient, path: str, method: str) -> None:
    response = client.open(path, method=method, headers=bearer())
    if (path, method) in (("/docs/assets/x", "POST"), ("/docs/assets/x", "DELETE")):
        check_problem(response, ErrorCode.METHOD_NOT_ALLOWED)
    else:
        check_problem(response, ErrorCode.NOT_FOUND)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", INDIVIDUAL_PATH, {"POST"}),
        ("PUT", INDIVIDUAL_PATH, {"POST"}),
        ("DELETE", INDIVIDUAL_PATH, {"POST"}),
        ("POST", "/v1/errors", {"GET", "HEAD"}),
        ("POST", "/livez", {"GET", "HEAD"}),
    ],
)
def test_a_405_is_a_problem_and_lists_the_allowed_methods(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    response = client.open(path, method=method, headers=bearer())
    check_problem(response, ErrorCode.METHOD_NOT_ALLOWED)
    assert set(response.headers["Allow"].split(", ")) == allowed


@pytest.fixture
def crashing(app: Flask) -> FlaskClient:
    """A gateway with a view that has a bug."""

    @open_to_all
    def divide() -> Any:
        personal = "ZHANG SAN E1234567"
        raise ZeroDivisionError(personal) from ValueError(personal)

    app.add_url_rule("/crash", view_func=divide, methods=["GET", "POST"])
    return app.test_client()


@pytest.mark.parametrize(("method", "retry"), [("GET", "AFTER_DELAY"), ("POST", "SAME_KEY")])
def test_a_crash_is_a_problem_without_details(
    crashing: FlaskClient, caplog: pytest.LogCaptureFixture, method: str, retry: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = crashing.open("/crash", method=method)
    problem = check_problem(response, ErrorCode.INTERNAL_ERROR)
    assert problem["retry"] == retry
    lines = [JsonFormatter().format(record) for record in caplog.records]
    crash = json.loads(next(line for line in lines if "exceptions" in line))
    assert [one["type"] for one in crash["exceptions"]] == [
        "builtins.ZeroDivisionError",
        "builtins.ValueError",
    ]
    assert crash["exceptions"][0]["at"][-1].endswith(" divide")
    assert "ZHANG" not in response.get_data(as_text=True) + "".join(lines)


@pytest.mark.parametrize("request_id", ["a2345678", "A-b_c.d-9", "x" * 64])
def test_a_valid_request_id_of_the_caller_is_kept(client: FlaskClient, request_id: str) -> None:
    response = client.get("/v1/nothing", headers={"X-Request-Id": request_id})
    assert check_problem(response, ErrorCode.NOT_FOUND)["request_id"] == request_id


@pytest.mark.parametrize(
    "request_id", ["", "a234567", "x" * 65, "has space", "a/23456789", "é" * 9]
)
def test_a_malformed_request_id_of_the_caller_is_replaced(
    client: FlaskClient, request_id: str
) -> None:
    ids = {
        client.get("/livez", headers={"X-Request-Id": request_id}).headers["X-Request-Id"]
        for _ in range(2)
    }
    assert len(ids) == 2
    assert request_id not in ids
