"""No caller can lock a shared key: Huawei locks it after more than five refused signatures."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import requests

from app.errors import ErrorCode
from app.huawei.credentials.key_slot import load
from app.observability.logs import JsonFormatter
from app.settings import Settings
from tests.support.accounts import (
    Mounted,
    events,
    gateway,
    read,
    signers,
    with_pairs,
    with_state,
)
from tests.support.gateway import (
    ACCESS_KEY,
    SECOND_ACCESS_KEY,
    SECOND_SECRET_KEY,
    SECRET_KEY,
    code,
    submit,
)
from tests.support.partner import Partner
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import together
from tests.support.valkey import SEALING, Valkey


@pytest.fixture
def wrong(tmp_path: Path) -> Mounted:
    """A pair whose secret is wrong."""
    return Mounted(tmp_path / "wrong").write(ACCESS_KEY, "wrong-secret-key")


@pytest.fixture
def good(tmp_path: Path) -> Mounted:
    return Mounted(tmp_path / "good").write(SECOND_ACCESS_KEY, SECOND_SECRET_KEY)


def lock_at_huawei(sandbox: SandboxDriver) -> None:
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(6):
            Partner(sandbox.url, session).verify_with("another-wrong-secret")
    assert sandbox.state()["access_keys"][ACCESS_KEY]["locked"]
    sandbox.forget_requests()


def answers(number: int, *clients: Any) -> list[tuple[int, str | None]]:
    """Status and code for each of `number` concurrent callers."""
    found = together(
        number, lambda place: submit(clients[place % len(clients)], f"customer-{place}")
    )
    return [(one.status_code, code(one)) for one in found]


def check_unlocked(sandbox: SandboxDriver, access_key: str = ACCESS_KEY) -> None:
    key = sandbox.state()["access_keys"][access_key]
    assert key["failures"] <= 2
    assert not key["locked"]


@pytest.mark.parametrize("access_key", [ACCESS_KEY, "UNKNOWNACCESSKEY0001"])
def test_two_of_forty_concurrent_requests_with_a_wrong_key_reach_huawei(
    settings: Settings, sandbox: SandboxDriver, wrong: Mounted, access_key: str
) -> None:
    client = gateway(with_pairs(settings, wrong.write(access_key, "wrong-secret-key")))
    assert answers(40, client) == [(503, "UPSTREAM_ACCESS_DENIED")] * 40
    assert signers(sandbox) == [(access_key, "APIGW.0301")] * 2
    check_unlocked(sandbox)
    assert answers(5, client) == [(503, "UPSTREAM_ACCESS_DENIED")] * 5
    assert len(sandbox.requests()) == 2


def test_the_problem_of_a_refused_key_says_to_contact_the_operator(
    settings: Settings, sandbox: SandboxDriver, wrong: Mounted
) -> None:
    client = gateway(with_pairs(settings, wrong))
    problems = [submit(client) for _ in range(3)]
    for problem in problems:
        body = problem.get_json()
        assert (body["retry"], body["fault"]) == ("CONTACT_OPERATOR", "GATEWAY")
        assert "Retry-After" not in problem.headers
    assert "upstream" not in problems[-1].get_json()  # nothing was sent
    assert len(sandbox.requests()) == 2


def test_requests_refused_with_the_first_pair_are_signed_with_the_next(
    settings: Settings, sandbox: SandboxDriver, wrong: Mounted, good: Mounted
) -> None:
    client = gateway(with_pairs(settings, wrong, good))
    assert answers(40, client) == [(201, None)] * 40
    assert signers(sandbox).count((ACCESS_KEY, "APIGW.0301")) == 2
    assert signers(sandbox).count((SECOND_ACCESS_KEY, "CBC.0000")) == 40
    check_unlocked(sandbox)


def test_a_refused_request_is_not_signed_again_by_the_same_pair(
    settings: Settings, sandbox: SandboxDriver, wrong: Mounted, good: Mounted
) -> None:
    client = gateway(with_pairs(settings, wrong, good))
    assert submit(client).status_code == 201
    assert signers(sandbox) == [(ACCESS_KEY, "APIGW.0301"), (SECOND_ACCESS_KEY, "CBC.0000")]


def test_a_refused_request_is_not_repeated_where_there_is_one_pair(
    settings: Settings, sandbox: SandboxDriver, wrong: Mounted
) -> None:
    assert code(submit(gateway(with_pairs(settings, wrong)))) == "UPSTREAM_ACCESS_DENIED"
    assert len(sandbox.requests()) == 1


def test_two_gateways_that_share_their_state_share_the_refusals(
    settings: Settings, sandbox: SandboxDriver, wrong: Mounted, valkey: Valkey, tmp_path: Path
) -> None:
    shared = with_state(with_pairs(settings, wrong), tmp_path, valkey.url)
    one, other = gateway(shared), gateway(shared)
    assert answers(40, one, other) == [(503, "UPSTREAM_ACCESS_DENIED")] * 40
    assert 2 <= len(sandbox.requests()) <= 4
    check_unlocked(sandbox)
    # A gateway that starts or restarts now does not try the key either.
    sandbox.forget_requests()
    assert code(submit(gateway(shared))) == "UPSTREAM_ACCESS_DENIED"
    assert sandbox.requests() == []


def test_eight_replicas_that_have_proven_a_pair_do_not_lock_it_together(
    settings: Settings, sandbox: SandboxDriver, valkey: Valkey, tmp_path: Path
) -> None:
    shared = with_state(settings, tmp_path, valkey.url)
    clients = [gateway(shared) for _ in range(8)]
    assert [submit(client).status_code for client in clients] == [201] * 8
    sandbox.forget_requests()
    sandbox.access_keys(**{ACCESS_KEY: {"secret_key": "changed-at-huawei"}})
    assert [code(submit(client)) for client in clients] == ["UPSTREAM_ACCESS_DENIED"] * 8
    assert len(sandbox.requests()) == 2
    check_unlocked(sandbox)


def test_two_accounts_with_the_same_pair_share_its_refusals(
    settings: Settings, sandbox: SandboxDriver, wrong: Mounted
) -> None:
    document = with_pairs(settings, wrong).model_dump(exclude_unset=True)
    document["accounts"]["second"] = document["accounts"]["default"]
    app = gateway(Settings.model_validate(document)).application
    centers = [one.partner_center for one in app.extensions["partner_gateway"].accounts.values()]
    found = together(40, lambda place: read(centers[place % 2]))
    assert found == [ErrorCode.UPSTREAM_ACCESS_DENIED] * 40
    assert 2 <= len(sandbox.requests()) <= 4


def test_a_locked_key_is_not_used_for_huaweis_window(client: Any, sandbox: SandboxDriver) -> None:
    lock_at_huawei(sandbox)
    first = submit(client)
    assert (first.status_code, code(first)) == (503, "ACCESS_KEY_LOCKED")
    assert first.headers["Retry-After"] == "300"
    assert first.get_json()["retry"] == "AFTER_DELAY"
    assert answers(40, client) == [(503, "ACCESS_KEY_LOCKED")] * 40
    later = submit(client)
    assert 250 < int(later.headers["Retry-After"]) <= 300
    assert later.get_json()["retry_after_s"] == int(later.headers["Retry-After"])
    assert signers(sandbox) == [(ACCESS_KEY, "APIGW.0301")]


def test_the_next_pair_signs_while_the_first_is_locked(
    settings: Settings, sandbox: SandboxDriver, good: Mounted, tmp_path: Path
) -> None:
    lock_at_huawei(sandbox)
    first = Mounted(tmp_path / "first").write(ACCESS_KEY, SECRET_KEY)
    client = gateway(with_pairs(settings, first, good))
    assert answers(20, client) == [(201, None)] * 20
    assert signers(sandbox).count((ACCESS_KEY, "APIGW.0301")) == 1


def test_clock_skew_is_reported_and_does_not_suspend_the_key(
    client: Any, sandbox: SandboxDriver, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.clock(1000)
    assert answers(40, client) == [(503, "CLOCK_SKEWED")] * 40
    assert "A key pair is suspended until our clock is right" in caplog.messages
    assert len(sandbox.requests()) == 2
    check_unlocked(sandbox)


def test_refusal_and_suspension_are_counted_and_logged_without_a_secret(
    settings: Settings,
    sandbox: SandboxDriver,  # noqa: ARG001 - in its start state
    wrong: Mounted,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = [events(what) for what in ("refused", "suspended")]
    client = gateway(with_pairs(settings, wrong))
    for _ in range(3):
        submit(client)
    after = [events(what) for what in ("refused", "suspended")]
    assert [new - old for new, old in zip(after, before, strict=True)] == [2, 1]
    written = [r for r in caplog.records if r.name == "gateway.credentials"]
    assert [record.levelno for record in written] == [logging.ERROR] * 3
    lines = [JsonFormatter().format(record) for record in written]
    verdicts = [json.loads(line)["verdict"] for line in lines]
    assert verdicts == ["refused", "refused", "suspended"]
    assert (
        json.loads(lines[2])["event"] == "A key pair is suspended for the length of Huawei's lock"
    )
    for line in lines:
        assert json.loads(line)["access_key"] == "SAND…01"
        assert ACCESS_KEY not in line
        assert "wrong-secret-key" not in line


def test_a_pair_that_is_both_proven_and_refused_in_the_state_is_proved_again(
    settings: Settings, sandbox: SandboxDriver, valkey: Valkey, tmp_path: Path
) -> None:
    """Two commands of two replicas can cross, or the second one of a replica is lost."""
    shared = with_state(settings, tmp_path, valkey.url)
    clients = [gateway(shared) for _ in range(2)]
    for place, client in enumerate(clients):
        assert submit(client, f"c-{place}").status_code == 201
    pair = load(shared.accounts["default"].credentials[0], valkey.state(), SEALING)
    assert valkey.value(f"pair:{pair.fingerprint}:proven")
    assert valkey.state().increase(f"pair:{pair.fingerprint}:refused", 300) == 1
    sandbox.forget_requests()
    for place, client in enumerate([*clients, gateway(shared)]):
        assert submit(client, f"c-{place}").status_code == 201
    assert len(sandbox.requests("verified-info")) == 3
