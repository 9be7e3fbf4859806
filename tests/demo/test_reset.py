"""POST /_reset of `make run`: the gateway and its sandbox forget, and no other gateway has it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from app import create_app
from app.gateway import Gateway
from app.settings import Settings
from demo.processes import PROJECT
from demo.resettable import PATH, Resettable
from tests.support.gateway import PERSON, bearer, code
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until

RATE = 2  # requests an hour of the caller `rotating`
FAILURES = 3  # that open the circuit


@pytest.fixture
def document(config: dict[str, Any]) -> dict[str, Any]:
    account = config["accounts"]["default"]
    account["verification"] = {"backend": "auto"}
    account["reliability"] |= {"breaker_failures": FAILURES, "breaker_pause": 60}
    config["callers"]["rotating"]["rate"] = f"{RATE}/hour"
    return config


@pytest.fixture
def application(document: dict[str, Any]) -> Resettable:
    settings = Settings.model_validate(document)
    return Resettable(lambda: create_app(settings))


@pytest.fixture
def client(application: Resettable, sandbox: SandboxDriver) -> Client:  # noqa: ARG001 - behind it
    return Client(application)


def submit(
    client: Client, customer: str = "cust-1", key: str = "writer-key", **headers: str
) -> TestResponse:
    path = f"/v1/customers/{customer}/verifications/individual"
    return client.post(path, json=PERSON, headers=bearer(key) | headers)


def ask(client: Client, path: str) -> Any:
    return client.get(path, headers=bearer("operator-key")).get_json()


def reset(client: Client) -> None:
    assert client.post(PATH).status_code == 204


def test_a_reset_forgets_idempotency_keys_and_what_the_sandbox_knows(
    client: Client, sandbox: SandboxDriver
) -> None:
    once = {"Idempotency-Key": "order-1"}
    assert submit(client, **once).status_code == 201
    assert "Idempotent-Replayed" in submit(client, **once).headers
    sandbox.settings(is_review=0)
    reset(client)
    assert sandbox.requests() == []
    assert sandbox.state()["settings"]["is_review"] == 1
    again = submit(client, **once)
    assert again.status_code == 201
    assert "Idempotent-Replayed" not in again.headers


def test_a_reset_forgets_open_locks(client: Client, sandbox: SandboxDriver) -> None:
    sandbox.fault("verified-info", "hang")
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(submit, client)
        wait_until(lambda: sandbox.received("verified-info"))
        assert code(submit(client)) == "CUSTOMER_WRITE_IN_PROGRESS"
        reset(client)
        assert submit(client).status_code == 201
        first.result()


def test_a_reset_forgets_the_switch_off(client: Client, sandbox: SandboxDriver) -> None:
    def retired() -> bool:
        accounts = ask(client, "/v1/migration")["accounts"]
        return any(one["legacy_retired"] for one in accounts)

    sandbox.settings(legacy="retired")
    for number in range(3):
        submit(client, f"cust-{number}")
    assert retired()
    reset(client)
    assert not retired()
    assert submit(client).status_code == 201


def test_a_reset_forgets_which_key_pairs_are_proven(client: Client) -> None:
    def condition() -> Any:
        account = ask(client, "/v1/accounts")["accounts"][0]
        return account["key_pairs"][0]["condition"]

    assert submit(client).status_code == 201
    assert condition() == "PROVEN"
    reset(client)
    assert condition() == "UNPROVEN"


def test_a_reset_closes_circuits(client: Client, sandbox: SandboxDriver) -> None:
    sandbox.fault("*", "html")
    for number in range(FAILURES):
        submit(client, f"cust-{number}")
    assert code(submit(client)) == "CIRCUIT_OPEN"
    reset(client)
    assert submit(client).status_code == 201


def test_a_reset_begins_the_rates_of_callers_again(client: Client) -> None:
    for number in range(RATE):
        assert submit(client, f"cust-{number}", "old-rotating-key").status_code == 201
    assert code(submit(client, key="old-rotating-key")) == "RATE_LIMITED"
    reset(client)
    assert submit(client, key="old-rotating-key").status_code == 201


def test_a_reset_ends_waits_for_a_review(application: Resettable, client: Client) -> None:
    gateway: Gateway = application.extensions["partner_gateway"]
    reset(client)
    assert gateway.draining.is_set()
    assert not application.extensions["partner_gateway"].draining.is_set()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_a_post_resets(client: Client, sandbox: SandboxDriver, method: str) -> None:
    assert submit(client).status_code == 201
    assert client.open(PATH, method=method).status_code == 405
    assert sandbox.requests() != []


def test_a_gateway_whose_state_is_in_redis_is_not_resettable(
    document: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "state.key").write_bytes(bytes(32))
    state = {"url": "redis://127.0.0.1:9/0", "key_file": str(tmp_path / "state.key")}
    settings = Settings.model_validate(document | {"state": state})
    with pytest.raises(TypeError, match="outside this process"):
        Resettable(lambda: create_app(settings))


def test_a_gateway_in_production_has_no_reset(settings: Settings) -> None:
    plain = create_app(settings)
    assert plain.test_client().post(PATH, headers=bearer()).status_code == 404
    # The module that adds it is not in the image.
    assert "demo" not in (PROJECT / "Dockerfile").read_text()
    assert "demo" not in (PROJECT / ".dockerignore").read_text()
