"""A customer that is not created: what the gateway and Huawei refuse, and what a refusal says."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from app.errors import ErrorCode
from app.huawei import codes
from tests.huawei.test_codes import SENT, customer
from tests.support.gateway import code
from tests.support.onboarding import EMAIL, create, mailed
from tests.support.sandbox_driver import SandboxDriver

CREATE = "create_customer"
# Codes of the API gateway can suspend the key pair.
REFUSALS = sorted(
    name
    for name in {*codes.COMMON, *codes.REGISTRATION} - {"CBC.99000050"}
    if name.startswith("CBC.")
)


# Codes of the API gateway can suspend the key pair.
@pytest.fixture
def config(config: dict[str, Any]) -> dict[str, Any]:
    config["callers"]["writer"]["scopes"] = ["customers:write"]
    config["callers"]["rotating"] |= {"scopes": ["customers:write"], "customers": "cust-.*"}
    return config


def test_a_creation_without_an_idempotency_key_is_refused_and_says_so(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    response = create(client, key=None)
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert "`Idempotency-Key`" in response.json["detail"]
    assert response.json["retry"] == "AFTER_FIX"
    assert code(create(client, key="é")) == "VALIDATION_FAILED"
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"partner_user_id": None}, "/partner_user_id"),
        ({"partner_user_id": ""}, "/partner_user_id"),
        ({"partner_user_id": "x" * 65}, "/partner_user_id"),
        ({"country": None}, "/country"),
        ({"country": "sg"}, "/country"),
        ({"country": "SGP"}, "/country"),
        ({"account_name": "four"}, "/account_name"),
        ({"account_name": "op_shop"}, "/account_name"),
        ({"account_name": "shadow_shop"}, "/account_name"),
        ({"account_name": "1shop"}, "/account_name"),
        ({"account_name": "shop 981"}, "/account_name"),
        ({"account_name": "x" * 33}, "/account_name"),
        ({"email": EMAIL}, "/code"),
        ({"code": "123456"}, "/email"),
        ({"email": "li.example.com", "code": "123456"}, "/email"),
        ({"email": EMAIL, "code": "12345"}, "/code"),
        ({"password": "short-1"}, "/password"),
        ({"password": "onlyletters"}, "/password"),
        ({"password": "x1" * 17}, "/password"),
        ({"password": "shop_number", "account_name": "shop_number"}, "/password"),
        ({"password": "rebmun_pohs", "account_name": "shop_number"}, "/password"),
        ({"password": EMAIL, "email": EMAIL, "code": "123456"}, "/password"),
        ({"marketing": "true"}, "/marketing"),
        ({"phone": "0065-1234567"}, ""),
    ],
)
def test_a_malformed_customer_is_refused_by_its_field_before_huawei_is_asked(
    registrar: FlaskClient, sandbox: SandboxDriver, changes: dict[str, Any], pointer: str
) -> None:
    response = create(registrar, **changes)
    assert code(response) == "VALIDATION_FAILED"
    assert [one["pointer"] for one in response.json["errors"]] == [pointer]
    given = [str(value) for value in changes.values() if value]
    text = json.dumps(response.json["errors"])
    assert not any(value in text for value in given if len(value) > 5)
    assert sandbox.requests() == []


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_of_huawei_has_its_documented_meaning(
    registrar: FlaskClient, sandbox: SandboxDriver, name: str
) -> None:
    expected = codes.REGISTRATION.get(name) or codes.COMMON[name]
    if expected is ErrorCode.ACCOUNT_NAME_TAKEN:
        expected = ErrorCode.PARTNER_USER_ID_TAKEN  # the gateway made the name of this id
    for status in SENT:
        magic = customer(name, status)
        response = create(registrar, magic, wait=2, partner_user_id=magic)
        assert (code(response), response.status_code) == (expected.name, expected.status)
        assert response.json["upstream"]["code"] == name
    assert sandbox.processed(CREATE) == 0


def test_a_field_that_huawei_refuses_is_named(client: FlaskClient) -> None:
    for name, pointer in (("99000031", "/account_name"), ("99000036", "/password")):
        response = create(client, partner_user_id=f"code-CBC-{name}")
        assert code(response) == "UPSTREAM_REJECTED_FIELDS"
        assert [one["pointer"] for one in response.json["errors"]] == [pointer]


def test_a_code_is_wrong_then_void_and_a_new_one_creates_the_customer(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    right = mailed(sandbox, client)
    answers = [code(create(client, email=EMAIL, code="wrong!")) for _ in range(5)]
    assert answers == ["CODE_WRONG"] * 4 + ["CODE_EXPIRED"]
    assert code(create(client, **right)) == "CODE_EXPIRED"
    assert create(client, **mailed(sandbox, client)).status_code == 202


def test_a_unique_value_of_another_customer_is_refused_as_taken(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(association_seconds=0)
    first = create(client, account_name="shop_981", **mailed(sandbox, client))
    assert first.status_code == 201
    listed = create(client, "key-2", account_name="shop_981")
    assert code(listed) == "PARTNER_USER_ID_TAKEN"
    assert first.headers["Location"] in listed.json["detail"]
    assert code(create(client, "key-2", account_name="shop_982")) == "PARTNER_USER_ID_TAKEN"
    other: dict[str, Any] = {"partner_user_id": "shop-982"}
    assert code(create(client, "key-2", account_name="shop_981", **other)) == "ACCOUNT_NAME_TAKEN"
    taken = create(client, "key-2", **other, **mailed(sandbox, client))
    assert code(taken) == "EMAIL_TAKEN"
    assert sandbox.processed(CREATE) == 1


def test_a_refused_creation_leaves_its_key_free(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    wrong = mailed(sandbox, client) | {"code": "wrong!"}
    assert code(create(client, **wrong)) == "CODE_WRONG"
    assert create(client, country="MY").status_code == 202
    assert code(create(client, country="SG")) == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("key", ["reader-key", "old-rotating-key"])
def test_only_a_caller_for_all_customers_with_the_scope_may_create_one(
    client: FlaskClient, sandbox: SandboxDriver, key: str
) -> None:
    assert code(create(client, caller=key)) == "FORBIDDEN"
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"domain_id": "c-1", "domain_name": "x"}, 202),
        (200, {"error_code": "CBC.0000", "domain_id": "c-1"}, 202),
        (500, {"error_code": "CBC.99000050", "error_msg": "x", "domain_id": "c-1"}, 202),
        (400, {"error_code": "CBC.99000050", "domain_id": "c-1"}, 202),
        (500, {"error_code": "CBC.99000050", "error_msg": "x"}, 504),
        (200, {"error_msg": "x", "domain_id": "c-1"}, 504),
        (500, {"domain_id": "c-1"}, 504),
        (200, {"domain_id": ""}, 504),
        (200, {"domain_id": None}, 504),
        (200, {}, 504),
        (500, {"error_code": "CBC.0999", "domain_id": "c-1"}, 502),
        (400, {"error_code": "CBC.0100", "domain_id": "c-1"}, 422),
    ],
)
def test_only_an_answer_with_the_id_creates_a_customer(
    registrar: FlaskClient,
    sandbox: SandboxDriver,
    status: int,
    body: dict[str, Any],
    expected: int,
) -> None:
    sandbox.fault(CREATE, "status", status=status, body=body)
    response = create(registrar, uuid4().hex, wait=2)
    assert response.status_code == expected
    if expected == 202:
        assert response.json["customer_id"] == "c-1"
