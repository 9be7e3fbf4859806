"""A customer is created: what Huawei receives, and what the caller gets."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from tests.support.gateway import altered, bearer, code
from tests.support.log import Log, check_silence, trail
from tests.support.onboarding import EMAIL, create, mailed
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until

CREATE = "create_customer"
MADE = re.compile("c[0-9a-f]{31}")


@pytest.fixture
def config(config: dict[str, Any]) -> dict[str, Any]:
    config["callers"]["writer"]["scopes"] = ["customers:write", "customers:read"]
    return config


def sent(sandbox: SandboxDriver) -> list[dict[str, Any]]:
    """The bodies of the creations that Huawei received."""
    return [json.loads(one["body"]) for one in sandbox.requests(CREATE)]


def test_a_customer_that_huawei_associates_at_once_is_associated(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(association_seconds=0)
    response = create(client, account_name="shop_981")
    document = response.get_json()
    customer_id = document.pop("customer_id")
    assert document == {
        "partner_user_id": "shop-981",
        "account_name": "shop_981",
        "status": "ASSOCIATED",
    }
    assert (response.status_code, response.headers["Location"]) == (
        201,
        f"/v1/customers/{customer_id}",
    )
    read = client.get(response.headers["Location"], headers=bearer()).get_json()
    assert read["partner_user_id"] == "shop-981"
    assert "ASSOCIATION" not in read["requirements"]


@pytest.mark.parametrize("listed", [False, True])
def test_a_customer_that_huawei_associates_later_is_associating(
    client: FlaskClient, sandbox: SandboxDriver, listed: bool
) -> None:
    sandbox.settings(association_seconds=None, pending_listed=listed)
    response = create(client)
    assert (response.status_code, response.json["status"]) == (202, "ASSOCIATING")
    customer_id = response.json["customer_id"]
    assert response.headers["Location"] == f"/v1/customers/{customer_id}"
    sandbox.customer(customer_id)
    again = create(client)  # the answer to a repeat is the first one
    assert (again.status_code, again.json) == (202, response.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    read = client.get(response.headers["Location"], headers=bearer()).get_json()
    assert "ASSOCIATION" not in read["requirements"]


def test_a_new_customer_that_huawei_does_not_list_yet_is_pending_and_can_be_waited_for(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(association_seconds=None)
    path = create(client).headers["Location"]
    early = client.get(path, headers=bearer())
    assert (early.status_code, code(early)) == (409, "ASSOCIATION_PENDING")
    assert early.get_json()["retry"] == "AFTER_DELAY"
    assert early.headers["Retry-After"] == "5"
    assert code(client.get(f"{path[:-1]}x", headers=bearer())) == "CUSTOMER_NOT_FOUND"
    sandbox.forget_requests()
    other = client.application.test_client()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(other.get, path, headers=bearer() | {"Prefer": "wait=20"})
        wait_until(sandbox.requests)
        sandbox.customer(path.rpartition("/")[2])
        found = waiting.result()
    assert (found.status_code, found.headers["Preference-Applied"]) == (200, "wait=20")
    assert "ASSOCIATION" not in found.get_json()["requirements"]


@pytest.mark.parametrize("seconds", [0, None])
def test_an_association_that_times_out_at_huawei_is_no_failure(
    client: FlaskClient, sandbox: SandboxDriver, seconds: float | None
) -> None:
    sandbox.settings(association_seconds=seconds)
    response = create(client, partner_user_id="associate-timeout-1")
    assert response.status_code == (202 if seconds is None else 201)
    assert response.json["customer_id"] in sandbox.state()["customers"]
    assert "reconciled" not in response.json
    assert sandbox.requests(CREATE)[0]["code"] == "CBC.99000050"


def test_a_customer_is_associating_while_the_association_cannot_be_read(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(association_seconds=0)
    sandbox.fault("list_customers", "latency", seconds=0, count=1)  # the look before
    sandbox.fault("list_customers", "html")
    response = create(client)
    assert (response.status_code, response.json["status"]) == (202, "ASSOCIATING")


def test_huawei_receives_exactly_the_documented_body(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    with_email = mailed(sandbox, client)
    full: dict[str, Any] = {
        "account_name": "shop_981",
        "password": "pass-word-1",
        "marketing": False,
    }
    assert create(client, **with_email, **full).status_code == 202
    assert create(client, partner_user_id="shop-982", marketing=True).status_code == 202
    assert create(client, partner_user_id="商店 983").status_code == 202
    first, second, third = sent(sandbox)
    assert first == {
        "domain_area": "SG",
        "xaccount_id": "shop-981",
        "xaccount_type": "PARTNER01",
        "domain_name": "shop_981",
        "email": EMAIL,
        "verification_code": with_email["code"],
        "password": "pass-word-1",
        "is_close_market_ms": "true",
    }
    names = [body.pop("domain_name") for body in (second, third)]
    same = {"domain_area": "SG", "xaccount_type": "PARTNER01"}
    assert second == {**same, "xaccount_id": "shop-982", "is_close_market_ms": "false"}
    assert third == {**same, "xaccount_id": "商店 983"}
    assert all(map(MADE.fullmatch, names))
    looks = [json.loads(one["body"]) for one in sandbox.requests("list_customers")]
    asked = {"limit": 100, "offset": 0}
    assert looks == [{"account_name": name, **asked} for name in ("shop_981", *names) for _ in "ab"]


def test_a_made_account_name_is_the_same_in_every_gateway_and_for_no_other_customer(
    settings: Settings, sandbox: SandboxDriver
) -> None:
    def name(partner_user_id: str, **account: str) -> str:
        client = create_app(altered(settings, **account)).test_client()
        response = create(client, partner_user_id=partner_user_id)
        for customer_id in sandbox.state()["customers"]:
            sandbox.forget_customer(customer_id)
        made: str = response.json["account_name"]
        return made

    first = name("shop-981")
    assert first == name("shop-981")
    assert len({first, name("shop-982"), name("SHOP-981")}) == 3


def test_a_key_belongs_to_one_partner_user_id(client: FlaskClient, sandbox: SandboxDriver) -> None:
    first, second = create(client), create(client, partner_user_id="shop-982")
    assert first.json["customer_id"] != second.json["customer_id"]
    assert sandbox.processed(CREATE) == 2


def test_the_log_and_the_audit_trail_name_the_new_customer_and_nothing_private(
    client: FlaskClient, sandbox: SandboxDriver, log: Log
) -> None:
    private = mailed(sandbox, client) | {"password": "pass-word-1"}
    response = create(client, **private)
    (line,), request = trail(log)[1:], log.requests()[-1]
    assert line["customer_id"] == request["customer_id"] == response.json["customer_id"]
    assert (line["operation"], line["outcome"]) == ("create_customer", "ASSOCIATING")
    assert not any(value in log.text for value in private.values())
    check_silence(log)
