"""Tokens of customers: got with the partner's by assume_role, kept, and renewed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.errors import ErrorCode, GatewayError
from app.partner_center.customer_tokens import CustomerTokens
from app.partner_center.iam import SAFE_LIFE
from app.partner_center.tokens import Tokens
from app.settings import Settings
from tests.gateway import PLATFORM_ID
from tests.partner_center.accounts import iam, iam_tokens, tokens_issued, with_token
from tests.sandbox_driver import SandboxDriver
from tests.state.timing import Clock, together

PROJECT = "ap-southeast-1"
LIFE = 86400


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def token_settings(settings: Settings, sandbox: SandboxDriver, tmp_path: Path) -> Settings:
    return with_token(settings, tmp_path, sandbox.url)


@pytest.fixture
def partner(token_settings: Settings, clock: Clock) -> Tokens:
    return iam_tokens(token_settings, clock)


@pytest.fixture
def customers(token_settings: Settings, partner: Tokens, clock: Clock) -> CustomerTokens:
    return CustomerTokens(partner, iam(token_settings), PLATFORM_ID, clock)


def test_a_customers_token_is_got_with_the_partners(
    customers: CustomerTokens, partner: Tokens, sandbox: SandboxDriver
) -> None:
    token = customers.token("customer-domain", PROJECT)
    first, second = sandbox.requests("token")
    assert "X-Auth-Token" not in first["headers"]
    assert second["headers"]["X-Auth-Token"] == partner.token().text != token.text
    role = {"domain_id": "customer-domain", "agency_name": PLATFORM_ID}
    assert json.loads(second["body"]) == {
        "auth": {
            "identity": {"methods": ["assume_role"], "assume_role": role},
            "scope": {"project": {"name": PROJECT}},
        }
    }
    assert token.text not in repr(token)


def test_it_is_kept_for_its_customer_and_project(
    customers: CustomerTokens, sandbox: SandboxDriver
) -> None:
    wanted = [("a", PROJECT), ("b", PROJECT), ("a", "eu-west-101")]
    first = [customers.token(*one).text for one in wanted]
    assert [customers.token(*one).text for one in wanted] == first
    assert len(set(first)) == 3
    assert tokens_issued(sandbox) == 1 + 3


def test_twenty_threads_ask_for_it_once(customers: CustomerTokens, sandbox: SandboxDriver) -> None:
    found = together(20, lambda _: customers.token("a", PROJECT).text)
    assert len(set(found)) == 1
    assert tokens_issued(sandbox) == 1 + 1


def test_near_its_end_another_one_is_got(
    customers: CustomerTokens, sandbox: SandboxDriver, clock: Clock
) -> None:
    first = customers.token("a", PROJECT)
    clock.pass_time(LIFE - SAFE_LIFE - 1)
    assert customers.token("a", PROJECT) is first
    clock.pass_time(1)
    assert customers.token("a", PROJECT).text != first.text
    assert tokens_issued(sandbox) == 4  # the partner's is past its time as well


def test_without_the_customers_agency_access_is_denied(
    token_settings: Settings, partner: Tokens, sandbox: SandboxDriver, clock: Clock
) -> None:
    strangers = CustomerTokens(partner, iam(token_settings), "ANOTHERPARTNER", clock)
    for _ in range(2):
        with pytest.raises(GatewayError) as failed:
            strangers.token("a", PROJECT)
        assert failed.value.code is ErrorCode.UPSTREAM_ACCESS_DENIED
    assert tokens_issued(sandbox) == 1
    assert partner.describe()["token"]["condition"] == "HELD"


@pytest.mark.parametrize("death", ["IAM.0066", "IAM.0067", "expired", "decrypt"])
def test_a_partners_token_that_died_is_renewed_first(
    customers: CustomerTokens, sandbox: SandboxDriver, death: str
) -> None:
    customers.token("a", PROJECT)
    sandbox.revoke_tokens(death)
    assert (
        together(8, lambda place: bool(customers.token(f"b-{place}", PROJECT).text)) == [True] * 8
    )
    assert tokens_issued(sandbox) == 2 + 1 + 8


def test_a_partners_token_that_dies_at_once_again_is_renewed_once(
    customers: CustomerTokens, sandbox: SandboxDriver
) -> None:
    customers.token("a", PROJECT)
    sandbox.revoke_tokens()
    sandbox.settings(token_seconds=0.000001)
    with pytest.raises(GatewayError) as failed:
        customers.token("b", PROJECT)
    assert failed.value.code is ErrorCode.UPSTREAM_ACCESS_DENIED
    assert tokens_issued(sandbox) == 3
