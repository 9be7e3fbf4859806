"""One token for several gateways, shared through Valkey in sealed form."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest

from app.huawei.credentials.tokens import MARGIN
from app.settings import Settings
from app.state import MemoryState
from tests.support.accounts import (
    PASSWORD,
    events,
    gateway,
    iam_tokens,
    partner_center,
    read,
    token_on_requests,
    tokens_issued,
    with_state,
)
from tests.support.gateway import INDIVIDUAL_PATH, PERSON, bearer, code, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock, together, wait_until
from tests.support.valkey import SEALING, Valkey

LIFE = 86400
REMEMBERED = 30 * 86400  # the kind of a submission is remembered for longer than a token
OTHER_KEY = "another-state-key-of-more-than-32-bytes-0002"


@pytest.fixture
def shared(token_settings: Settings, valkey: Valkey, tmp_path: Path) -> Settings:
    return with_state(token_settings, tmp_path, valkey.url)


def key(settings: Settings, what: str, *of_account: str) -> str:
    """The key of what belongs to the account's token in the state."""
    iam = settings.accounts["default"].iam
    assert iam is not None
    identity = (iam.endpoint, iam.domain, iam.user)
    return "token:" + SEALING.fingerprint(what, *of_account, *identity)


def token_key(settings: Settings) -> str:
    return key(settings, "token", "default")


def test_two_gateways_with_one_state_request_one_token(
    shared: Settings, sandbox: SandboxDriver
) -> None:
    clients = gateway(shared), gateway(shared)
    found = together(40, lambda place: submit(clients[place % 2], f"c-{place}").status_code)
    assert found == [201] * 40
    assert tokens_issued(sandbox) == 1
    assert len(set(token_on_requests(sandbox))) == 1


def test_a_gateway_that_starts_later_uses_the_same_token(
    shared: Settings, sandbox: SandboxDriver
) -> None:
    assert submit(gateway(shared)).status_code == 201
    sandbox.fault("token", "html", status=503)
    assert submit(gateway(shared)).status_code == 201
    assert tokens_issued(sandbox) == 1


def test_valkey_reveals_neither_token_nor_password(
    shared: Settings, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    assert submit(gateway(shared)).status_code == 201
    (token,) = token_on_requests(sandbox)
    held = valkey.values()
    everything = b"\n".join([*held, *held.values()])
    assert token in (valkey.value(token_key(shared)) or b"").decode()
    for secret in (token, token[:40], token[-40:], PASSWORD):
        assert secret.encode() not in everything
        assert base64.b64encode(secret.encode()).rstrip(b"=")[:-1] not in everything
    valkey.pass_time(LIFE)
    assert valkey.value(token_key(shared)) is None
    valkey.pass_time(REMEMBERED)
    assert valkey.values() == {}


def test_gateways_with_different_keys_do_not_share_and_do_not_fail(
    shared: Settings, sandbox: SandboxDriver, valkey: Valkey, tmp_path: Path
) -> None:
    other = with_state(shared, tmp_path, valkey.url, key=OTHER_KEY)
    for client in (gateway(shared), gateway(other), gateway(shared), gateway(other)):
        assert submit(client).status_code == 201
    assert tokens_issued(sandbox) == 2


def test_a_shared_token_that_was_tampered_with_is_ignored(
    shared: Settings, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    assert submit(gateway(shared)).status_code == 201
    for name in valkey.values():
        valkey.set(name, b"something else")
    assert submit(gateway(shared)).status_code == 201
    assert tokens_issued(sandbox) == 2


@pytest.mark.parametrize("death", ["expired", "CBC.0154"])
def test_two_gateways_renew_a_dead_token_without_a_lost_request(
    shared: Settings, sandbox: SandboxDriver, death: str
) -> None:
    clients = gateway(shared), gateway(shared)
    assert [submit(client).status_code for client in clients] == [201, 201]
    sandbox.revoke_tokens(death)
    found = together(20, lambda place: submit(clients[place % 2], f"c-{place}").status_code)
    assert found == [201] * 20
    assert tokens_issued(sandbox) in (
        2,
        3,
    )  # one renewal, or one each if both tokens were refused at once


def test_a_gateway_that_starts_with_a_dead_token_gets_a_new_one(
    shared: Settings, sandbox: SandboxDriver
) -> None:
    assert submit(gateway(shared)).status_code == 201
    sandbox.revoke_tokens()
    clients = gateway(shared), gateway(shared)
    for client in clients:
        assert submit(client).status_code == 201
    assert tokens_issued(sandbox) == 2


def test_a_token_that_one_gateway_renews_early_is_adopted_by_the_other(
    token_settings: Settings, sandbox: SandboxDriver
) -> None:
    clock = Clock()
    state = MemoryState(now=clock)
    both = [iam_tokens(token_settings, clock, state) for _ in range(2)]
    centers = [partner_center(token_settings, tokens) for tokens in both]
    assert [read(center) for center in centers] == [None, None]
    clock.pass_time(LIFE - MARGIN[0])
    for center in centers:
        renewed = events("renewed")
        assert read(center) is None
        wait_until(lambda renewed=renewed: events("renewed") > renewed)  # type: ignore[misc]
    assert [read(center) for center in centers] == [None, None]
    assert tokens_issued(sandbox) == 2


def test_another_gateway_still_finds_the_old_token_while_a_renewal_fails(
    token_settings: Settings, sandbox: SandboxDriver
) -> None:
    clock = Clock()
    state = MemoryState(now=clock)
    center = partner_center(token_settings, iam_tokens(token_settings, clock, state))
    assert read(center) is None
    sandbox.fault("token", "html", status=503)
    clock.pass_time(LIFE - MARGIN[0])
    failed = events("renewal_failed")
    assert read(center) is None
    wait_until(lambda: events("renewal_failed") > failed)
    other = partner_center(token_settings, iam_tokens(token_settings, clock, state))
    assert read(other) is None


def test_a_replica_that_dies_while_requesting_a_token_blocks_the_others_only_briefly(
    shared: Settings, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    """A lock that is never released expires."""
    assert submit(gateway(shared)).status_code == 201
    state, key = valkey.state(), token_key(shared)
    assert state.get(key)
    state.delete(key)
    assert state.add(f"{key}:lock", b"1", 30)
    client = gateway(shared)
    answers = together(2, lambda place: submit(client) if place else valkey.pass_time(30))
    assert [one.status_code for one in answers if one is not None] == [201]
    assert tokens_issued(sandbox) == 2


def test_waiting_for_the_token_of_another_replica_ends_at_the_deadline(
    shared: Settings, sandbox: SandboxDriver, valkey: Valkey
) -> None:
    client = gateway(shared)
    assert submit(client).status_code == 201
    state, token = valkey.state(), token_key(shared)
    assert state.get(token)
    state.delete(token)
    assert state.add(key(shared, "lock"), b"1", 30)
    begun = time.monotonic()
    late = gateway(shared).post(
        INDIVIDUAL_PATH, json=PERSON, headers=bearer() | {"Prefer": "wait=2"}
    )
    assert code(late) == "DEADLINE_EXCEEDED"
    assert time.monotonic() - begun < 4
    assert tokens_issued(sandbox) == 1
