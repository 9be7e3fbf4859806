"""What proves a lost creation, and what Huawei's refusals of a repeat prove."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.customers.creations import CREATE, DONE, FOUND, UNKNOWN, WAIT, associate
from tests.support.fixtures import Build
from tests.support.onboarding import EMAIL, NEW, create, mailed
from tests.support.patience import said
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import together

pytestmark = [pytest.mark.slow, pytest.mark.long]

TAKEN = (409, "PARTNER_USER_ID_TAKEN", False)


@pytest.fixture
def client(creator: Build, sandbox: SandboxDriver) -> FlaskClient:
    sandbox.settings(association_seconds=0)
    return creator().test_client()


def lose(sandbox: SandboxDriver, client: FlaskClient, key: str = "key-1", **new: Any) -> None:
    """Lose the answer of a creation that Huawei processes, and hold its association."""
    sandbox.settings(association_seconds=None)
    sandbox.fault(CREATE, "reset", count=1)
    assert said(create(client, key, wait=WAIT, **new)) == UNKNOWN
    sandbox.settings(association_seconds=0)


def lose_before(sandbox: SandboxDriver, client: FlaskClient, key: str = "key-1", **n: Any) -> None:
    """Lose a creation before Huawei processes it."""
    sandbox.fault(CREATE, "refuse", count=1)
    assert said(create(client, key, wait=WAIT, **n)) == UNKNOWN


@pytest.mark.parametrize(
    "refusal", ["CBC.99000038", "CBC.99000039", "CBC.99000051", "CBC.99004008", "CBC.99004009"]
)
def test_a_repeat_that_huawei_refuses_for_our_own_customer_finds_it(
    client: FlaskClient, sandbox: SandboxDriver, refusal: str
) -> None:
    lose(sandbox, client)
    # The repeat looks before it sends, and the customer is listed in between.
    nobody = {"count": 0, "customer_infos": []}
    sandbox.fault("list_customers", "status", status=200, body=nobody, count=1)
    sandbox.fault(CREATE, "code", code=refusal, processed=False, count=1)
    customer_id = associate(sandbox, NEW["partner_user_id"])
    found = create(client)
    assert (said(found), found.json["customer_id"]) == (FOUND, customer_id)
    assert sandbox.processed(CREATE) == 1


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        ("CBC.99000038", "OUTCOME_UNKNOWN"),
        ("CBC.99000051", "OUTCOME_UNKNOWN"),
        ("CBC.99004008", "CODE_EXPIRED"),
        ("CBC.99004010", "CODE_WRONG"),
        ("CBC.0100", "UPSTREAM_REJECTED_FIELDS"),
    ],
)
def test_a_refused_repeat_is_no_end_while_the_customer_may_exist(
    client: FlaskClient, sandbox: SandboxDriver, refusal: str, expected: str
) -> None:
    lose(sandbox, client)
    sandbox.fault(CREATE, "code", code=refusal, processed=False, count=1)
    response = create(client, wait=WAIT)
    assert response.json["code"] == expected
    assert expected != "CODE_EXPIRED" or "same key" in response.json["detail"]
    associate(sandbox, NEW["partner_user_id"])
    assert said(create(client)) == FOUND


def test_a_repeat_may_have_a_new_code_and_creates_the_customer_that_was_not(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    lose_before(sandbox, client, **mailed(sandbox, client))
    assert said(create(client, **mailed(sandbox, client))) == DONE
    bodies = [json.loads(one["body"]) for one in sandbox.requests(CREATE)]
    assert {body["email"] for body in bodies} == {EMAIL}
    assert len({body["verification_code"] for body in bodies}) == 2


def test_the_customer_of_another_key_is_never_claimed(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert said(create(client, "key-1")) == DONE
    for fault in ("reset", "refuse"):
        sandbox.fault(CREATE, fault)
        assert said(create(client, "key-2", wait=WAIT)) == TAKEN
    assert sandbox.processed(CREATE) == 1


def test_the_customer_that_another_key_created_a_moment_ago_is_never_claimed(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(association_seconds=None)
    assert create(client, "key-1").status_code == 202
    sandbox.fault(CREATE, "reset", count=1)  # Huawei refuses, and the answer is lost
    assert said(create(client, "key-2", wait=WAIT)) == UNKNOWN
    customer_id = associate(sandbox, NEW["partner_user_id"])
    again = create(client, "key-2")
    assert said(again) == UNKNOWN
    assert customer_id in again.json["detail"]
    assert [one["processed"] for one in sandbox.requests(CREATE)] == [True, False]


def test_a_lost_creation_is_not_claimed_after_another_key_was_sent(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    lose_before(sandbox, client, "key-1")
    assert said(create(client, "key-2")) == DONE
    again = create(client, "key-1")
    assert said(again) == UNKNOWN
    assert again.json["detail"].startswith("Huawei lists the customer")
    assert sandbox.processed(CREATE) == 1


def test_a_creation_that_huawei_refused_hides_no_later_proof(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    private = mailed(sandbox, client)
    assert said(create(client, "key-1", **private | {"code": "wrong!"}))[1] == "CODE_WRONG"
    sandbox.fault(CREATE, "reset", count=1)
    assert said(create(client, "key-2", **private)) == FOUND


def test_a_refusal_of_another_key_does_not_clear_an_unknown_creation(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    lose(sandbox, client, "key-1")
    assert said(create(client, "key-2")) == TAKEN
    sandbox.fault(CREATE, "reset", count=1)
    assert said(create(client, "key-3", wait=WAIT)) == UNKNOWN
    associate(sandbox, NEW["partner_user_id"])
    assert said(create(client, "key-3")) == UNKNOWN
    assert said(create(client, "key-1")) == UNKNOWN  # no longer the last creation that was sent


def test_a_customer_with_a_similar_name_or_id_is_not_found(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    names = [f"x{number}-shop_981-{number}" for number in range(101)]
    for place, name in enumerate(names):
        sandbox.customer(f"c-{place}", name=name, xaccount_id="shop-981")
    sandbox.customer("c-other", name="shop_981", xaccount_id="SHOP-981")
    sandbox.fault(CREATE, "refuse", count=1)
    assert said(create(client, wait=WAIT, account_name="shop_981")) == UNKNOWN
    pages = [json.loads(one["body"])["offset"] for one in sandbox.requests("list_customers")]
    assert pages[:2] == [0, 100]


def test_a_lost_creation_is_found_among_many_with_similar_names(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    for number in range(101):
        sandbox.customer(f"c-{number}", name=f"x{number}-shop_981")
    sandbox.fault(CREATE, "reset", count=1)
    assert said(create(client, account_name="shop_981")) == FOUND


def test_a_listed_customer_without_an_association_is_found_as_associating(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(association_seconds=None, pending_listed=True)
    sandbox.fault(CREATE, "reset", count=1)
    assert said(create(client)) == (202, "ASSOCIATING", True)


def test_a_customer_that_was_found_while_it_is_associated_is_watched(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(association_seconds=None, pending_listed=True)
    sandbox.fault(CREATE, "reset", count=1)
    found = create(client)
    assert said(found) == (202, "ASSOCIATING", True)
    gateway = client.application.extensions["partner_gateway"]
    watched = gateway.accounts["default"].associations.all()
    assert list(watched) == [found.get_json()["customer_id"]]


def test_a_name_that_the_caller_chose_and_another_has_does_not_prove_the_customer(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.customer("other", name="taken-name")
    lose_before(sandbox, client, account_name="taken-name")
    told = create(client, account_name="taken-name")
    assert said(told) == UNKNOWN
    assert "or by another" in told.get_json()["detail"]


def test_a_timed_out_association_without_an_id_is_found_later(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.settings(association_seconds=None)
    sandbox.fault(CREATE, "code", code="CBC.99000050", processed=True, count=1)
    response = create(client, wait=WAIT)
    assert said(response) == UNKNOWN
    assert response.json["upstream"]["code"] == "CBC.99000050"
    associate(sandbox, NEW["partner_user_id"])
    assert said(create(client)) == FOUND


@pytest.mark.parametrize("keys", [["key-1"] * 6, [f"key-{number}" for number in range(6)]])
def test_many_creations_of_one_customer_at_once_create_it_once(
    client: FlaskClient, sandbox: SandboxDriver, keys: list[str]
) -> None:
    app = client.application
    answers = together(len(keys), lambda place: create(app.test_client(), keys[place]))
    told = {said(answer) for answer in answers}
    assert DONE in told
    allowed = {"CUSTOMER_WRITE_IN_PROGRESS", "IDEMPOTENCY_KEY_IN_FLIGHT", "PARTNER_USER_ID_TAKEN"}
    assert {code for _, code, _ in told - {DONE}} <= allowed
    assert sandbox.processed(CREATE) == len(sandbox.state()["customers"]) == 1
