"""Callers are denied by default, and never because of a 401 or 403 of Huawei."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.api import authentication
from app.settings import Settings
from tests.support.gateway import INDIVIDUAL_PATH, PERSON, bearer, code
from tests.support.sandbox_driver import SandboxDriver

OPEN = {
    "/",
    "/docs",
    "/docs/assets/<name>",
    "/docs/guides",
    "/docs/guides/<name>",
    "/livez",
    "/openapi.json",
    "/openapi.yaml",
    "/readyz",
    "/v1/errors",
    "/v1/errors/<error_code:code>",
}
BASIC = base64.b64encode(b"writer:writer-key").decode()


def post(client: FlaskClient, headers: dict[str, str]) -> Any:
    return client.post(INDIVIDUAL_PATH, json=PERSON, headers=headers)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer\t",
        "writer-key",
        "Basic writer-key",
        f"Basic {BASIC}",
        "Bearerwriter-key",
        "Bearer unknown",
        "Bearer writer-key2",
        "Bearer WRITER-KEY",
        "Bearer writer-key writer-key",
        "Bearer writer-key, Bearer writer-key",
        "Bearer schlüssel",
        f"Bearer {'x' * 4000}",
    ],
)
def test_a_request_without_a_valid_credential_is_unauthenticated(
    client: FlaskClient, sandbox: SandboxDriver, authorization: str | None
) -> None:
    response = post(client, {} if authorization is None else {"Authorization": authorization})
    assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert sandbox.requests() == []


def test_the_digest_of_a_key_does_not_authenticate(client: FlaskClient, settings: Settings) -> None:
    for digest in settings.callers["writer"].keys_sha256:
        assert post(client, bearer(digest)).status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_bearer_scheme_is_case_insensitive(client: FlaskClient, scheme: str) -> None:
    assert post(client, {"Authorization": f"{scheme} writer-key"}).status_code == 201


@pytest.mark.parametrize("key", ["reader-key", "nobody-key", "operator-key"])
def test_a_caller_without_the_scope_is_forbidden(
    client: FlaskClient, sandbox: SandboxDriver, key: str
) -> None:
    response = post(client, bearer(key))
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    assert "verifications:write" in response.get_json()["detail"]
    assert "WWW-Authenticate" not in response.headers
    assert sandbox.requests() == []


@pytest.mark.parametrize("key", ["old-rotating-key", "new-rotating-key"])
def test_both_keys_of_a_rotation_authenticate(client: FlaskClient, key: str) -> None:
    assert post(client, bearer(key)).status_code == 201


@pytest.mark.parametrize(
    ("key", "account", "signed_by"),
    [
        ("writer-key", None, "SANDBOXACCESSKEY0001"),
        ("writer-key", "default", "SANDBOXACCESSKEY0001"),
        ("writer-key", "second", "SANDBOXACCESSKEY0002"),
        ("second-key", None, "SANDBOXACCESSKEY0002"),
        ("second-key", "second", "SANDBOXACCESSKEY0002"),
    ],
)
def test_the_account_is_the_callers_first_or_the_one_in_the_header(
    client: FlaskClient, sandbox: SandboxDriver, key: str, account: str | None, signed_by: str
) -> None:
    named = {"Partner-Account": account} if account else {}
    assert post(client, bearer(key) | named).status_code == 201
    (sent,) = sandbox.requests()
    assert f"Access={signed_by}," in sent["headers"]["Authorization"]


@pytest.mark.parametrize(
    ("key", "account"),
    [
        ("second-key", "default"),
        ("rotating-key", "second"),
        ("writer-key", "third"),
        ("writer-key", ""),
        ("writer-key", "DEFAULT"),
    ],
)
def test_an_account_of_another_caller_is_forbidden(
    client: FlaskClient, sandbox: SandboxDriver, key: str, account: str
) -> None:
    key = "new-rotating-key" if key == "rotating-key" else key
    response = post(client, bearer(key) | {"Partner-Account": account})
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    assert not account or account not in response.get_data(as_text=True)
    assert sandbox.requests() == []


def test_every_route_declares_its_scope_and_only_the_listed_routes_are_open(app: Flask) -> None:
    requirements = {
        rule.rule: authentication.requirement(app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
    }
    assert None not in requirements.values()
    opened = {rule for rule, needed in requirements.items() if needed == authentication.OPEN}
    assert opened == OPEN


def test_every_route_but_the_open_ones_requires_a_credential(
    app: Flask, client: FlaskClient, sandbox: SandboxDriver
) -> None:
    asked = set()
    for rule in app.url_map.iter_rules():
        values = dict.fromkeys(rule.arguments, "photo.jpg" if "name" in rule.arguments else "c-1")
        for argument, value in (("customer_id", "c-1"), ("code", "NOT_FOUND")):
            values |= {argument: value} if argument in rule.arguments else {}
        with app.test_request_context():
            path = app.url_map.bind("localhost").build(rule.endpoint, values)
        for method in sorted(rule.methods or ()):
            if method == "OPTIONS":
                continue
            response = client.open(path, method=method)
            expected = rule.rule not in OPEN
            assert (response.status_code == 401) == expected, (method, rule.rule)
            asked.add(rule.rule)
    assert asked > OPEN
    assert sandbox.requests() == []


def test_a_view_without_a_declared_scope_is_forbidden_to_every_caller(app: Flask) -> None:
    app.add_url_rule("/forgotten", view_func=lambda: "secret")
    client = app.test_client()
    assert client.get("/forgotten").status_code == 401
    response = client.get("/forgotten", headers=bearer())
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")


def test_an_unknown_path_is_a_404_without_a_credential(client: FlaskClient) -> None:
    assert client.get("/v1/nothing").status_code == 404
    assert client.get(INDIVIDUAL_PATH).status_code == 405


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", ["", {"error_code": "APIGW.0301"}, {"error": {"code": 401}}])
def test_a_401_or_403_of_huawei_never_becomes_a_401_or_403_to_the_caller(
    client: FlaskClient, sandbox: SandboxDriver, status: int, body: Any
) -> None:
    sandbox.fault("verified-info", "status", status=status, body=body)
    response = post(client, bearer())
    assert response.status_code == 503
    assert response.get_json()["fault"] == "GATEWAY"
    assert "WWW-Authenticate" not in response.headers


# The routes without a customer in their path that a caller limited to some customers may call.
# /v1/budgets and /v1/orders check the customers that their query names, one order's customer is
# checked when it is known; events, verifications and bill lines of others are left out.
ABOUT_NO_CUSTOMER = {
    *("/v1/accounts", "/v1/budgets", "/v1/capabilities", "/v1/migration"),
    *("/v1/events", "/v1/orders", "/v1/orders/<order_id:order_id>", "/v1/verifications"),
    "/v1/partner/bills/<month:month>/lines",
}


def test_only_the_listed_routes_without_a_customer_are_open_to_a_caller_limited_to_some(
    app: Flask,
) -> None:
    """A route that says nothing is about all customers, and closed to that caller."""
    found = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if "customer_id" not in rule.arguments
        and authentication.requirement(app.view_functions[rule.endpoint]) != authentication.OPEN
        and not authentication.about_customers(app.view_functions[rule.endpoint])
    }
    assert found == ABOUT_NO_CUSTOMER
