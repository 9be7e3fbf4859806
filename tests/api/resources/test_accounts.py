"""GET /v1/accounts: the condition of each account's credentials."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.settings import Settings
from sandbox.server import SandboxServer
from tests.support.accounts import (
    PAIR,
    PASSWORD,
    Mounted,
    gateway,
    replace,
    token_on_requests,
    with_pairs,
    with_token,
)
from tests.support.gateway import (
    ACCESS_KEY,
    INDIVIDUAL_PATH,
    PERSON,
    altered,
    bearer,
    code,
    submit,
)
from tests.support.sandbox_driver import SandboxDriver

LOCK_TEXT = (
    "Incorrect IAM authentication information: AK access failed to reach the limit,forbidden."
)


def listed(client: FlaskClient, name: str = "default") -> dict[str, Any]:
    """One account, as GET /v1/accounts shows it."""
    response = client.get("/v1/accounts", headers=bearer("operator-key"))
    assert response.status_code == 200
    accounts = {one["account"]: one for one in response.get_json()["accounts"]}
    assert set(accounts) == {"default", "second"}
    found: dict[str, Any] = accounts[name]
    return found


def condition(client: FlaskClient) -> str:
    (pair,) = listed(client)["key_pairs"]
    found: str = pair["condition"]
    return found


def test_an_account_is_shown_with_its_key_shortened(
    client: FlaskClient, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    account = listed(client)
    (pair,) = account.pop("key_pairs")
    expected = {"account": "default", "endpoint": sandbox.url, "authentication": "signature"}
    assert account == expected
    assert pair == {
        "access_key": "SAND…01",
        "condition": "UNPROVEN",
        "files": "CURRENT",
        "written_at": pair["written_at"],
        "loaded_at": pair["loaded_at"],
    }
    written = max((tmp_path / name).stat().st_mtime for name in ("default-ak", "default-sk"))
    shown = datetime.fromisoformat(pair["written_at"]).timestamp()
    assert shown == int(written)
    assert pair["written_at"] <= pair["loaded_at"]
    assert sandbox.requests() == []

    assert submit(client).status_code == 201
    (pair,) = listed(client)["key_pairs"]
    assert pair["condition"] == "PROVEN"
    assert pair["loaded_at"] <= pair["last_success"]
    assert pair["last_success"].endswith("Z")


def test_the_accounts_show_a_pair_refused_twice_as_refused(
    settings: Settings, mounted: Mounted, sandbox: SandboxDriver
) -> None:
    client = gateway(with_pairs(settings, mounted.write(ACCESS_KEY, "wrong-secret")))
    for expected in ("UNPROVEN", "REFUSED", "REFUSED"):
        assert code(submit(client)) == "UPSTREAM_ACCESS_DENIED"
        assert condition(client) == expected
    assert len(sandbox.requests()) == 2


def test_the_accounts_show_a_locked_pair_as_locked(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    sandbox.fault("verified-info", "code", code="APIGW.0301", message=LOCK_TEXT)
    assert code(submit(client)) == "ACCESS_KEY_LOCKED"
    assert condition(client) == "LOCKED"


def test_the_accounts_show_when_a_temporary_pair_expires(
    settings: Settings, tmp_path: Path
) -> None:
    mounted = Mounted(tmp_path / "temporary", temporary=True)
    mounted.write(*PAIR, "a-security-token", "2099-01-02T03:04:05Z")
    client = gateway(with_pairs(settings, mounted))
    assert condition(client) == "UNPROVEN"
    assert listed(client)["key_pairs"][0]["expires_at"].startswith("2099-01-02T03:04:05")
    replace(mounted.folder / "expires", "2020-01-01T00:00:00Z")
    assert condition(gateway(with_pairs(settings, mounted))) == "EXPIRED"


def test_the_accounts_show_each_configured_pair_even_if_its_files_are_missing(
    settings: Settings, mounted: Mounted, tmp_path: Path
) -> None:
    client = gateway(with_pairs(settings, mounted, Mounted(tmp_path / "nowhere")))
    found = [pair["condition"] for pair in listed(client)["key_pairs"]]
    assert found == ["UNPROVEN", "MISSING"]
    assert listed(client)["key_pairs"][1] == {"condition": "MISSING", "files": "MISSING"}


def test_the_accounts_show_how_the_files_look_at_the_time_of_the_question(
    settings: Settings, mounted: Mounted, tmp_path: Path
) -> None:
    late = Mounted(tmp_path / "late")
    client = gateway(with_pairs(settings, mounted, late))
    assert [pair["files"] for pair in listed(client)["key_pairs"]] == ["CURRENT", "MISSING"]
    replace(mounted.folder / "sk", "another-secret")
    late.write(*PAIR)
    first, second = listed(client)["key_pairs"]
    assert (first["files"], second["condition"], second["files"]) == (
        "CHANGED",
        "UNPROVEN",
        "CURRENT",
    )


def test_the_accounts_name_the_replica_that_answers(client: FlaskClient) -> None:
    answer = client.get("/v1/accounts", headers=bearer("operator-key")).get_json()
    assert answer["replica"] == socket.gethostname()


def test_the_accounts_show_no_token_before_the_first_request_and_a_held_one_after(
    settings: Settings, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    client = gateway(with_token(settings, tmp_path, sandbox.url))
    account = listed(client)
    assert account["authentication"] == "token"
    assert "key_pairs" not in account
    assert account["token"] == {"condition": "NONE"}
    assert submit(client).status_code == 201
    token = listed(client)["token"]
    assert token["condition"] == "HELD"
    assert token["issued_at"] <= token["last_success"] < token["expires_at"]


def test_the_accounts_show_a_refused_password_as_refused(
    settings: Settings, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    token_settings = with_token(settings, tmp_path, sandbox.url)
    (tmp_path / "password").write_text("wrong-password")
    client = gateway(token_settings)
    submit(client)
    assert listed(client)["token"] == {"condition": "REFUSED"}


@pytest.mark.parametrize("key", ["writer-key", "reader-key", "nobody-key"])
def test_only_operators_see_the_accounts(client: FlaskClient, key: str) -> None:
    response = client.get("/v1/accounts", headers=bearer(key))
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")


def test_the_accounts_are_hidden_from_unauthenticated_callers(client: FlaskClient) -> None:
    assert code(client.get("/v1/accounts")) == "UNAUTHENTICATED"


def test_the_accounts_show_no_secret(
    settings: Settings, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    client = gateway(with_token(settings, tmp_path, sandbox.url))
    assert submit(client).status_code == 201
    (token,) = token_on_requests(sandbox)
    headers = bearer() | {"Partner-Account": "second"}
    assert client.post(INDIVIDUAL_PATH, json=PERSON, headers=headers).status_code == 201
    shown = client.get("/v1/accounts", headers=bearer("operator-key")).get_data(as_text=True)
    for secret in (token, PASSWORD, "secret-key", "SANDBOXACCESSKEY0002", str(tmp_path)):
        assert secret not in shown


@pytest.fixture
def european() -> Iterator[SandboxDriver]:
    """A second sandbox as another Huawei site with other keys."""
    with SandboxServer() as server:
        driver = SandboxDriver(server.url)
        driver.access_keys(EUROPEANACCESSKEY={"secret_key": "european-secret"})
        yield driver


def test_each_account_has_its_own_site_and_the_caller_chooses(
    settings: Settings, sandbox: SandboxDriver, european: SandboxDriver, tmp_path: Path
) -> None:
    Mounted(tmp_path / "eu").write("EUROPEANACCESSKEY", "european-secret")
    document = altered(settings).model_dump(exclude_unset=True)
    document["accounts"]["second"] |= {
        "endpoint": european.url,
        "partner_id": "0123456789abcdef0123456789abcdef",
        "credentials": (Mounted(tmp_path / "eu").settings,),
    }
    client = gateway(Settings.model_validate(document))
    answers = []
    for account in ({}, {"Partner-Account": "default"}, {"Partner-Account": "second"}):
        answers.append(client.post(INDIVIDUAL_PATH, json=PERSON, headers=bearer() | account))
    assert [one.status_code for one in answers[:2]] == [201, 201]
    assert len(sandbox.requests("verified-info")) == 2
    (sent,) = european.requests()
    assert "Access=EUROPEANACCESSKEY," in sent["headers"]["Authorization"]
    assert "/0123456789abcdef0123456789abcdef/" in sent["target"]
    assert listed(client, "second")["endpoint"] == european.url
    assert listed(client)["endpoint"] == sandbox.url

    # A failure of one account does not affect the other.
    european.access_keys(EUROPEANACCESSKEY={"secret_key": "another"})
    for _ in range(3):
        headers = bearer() | {"Partner-Account": "second"}
        refused = client.post(INDIVIDUAL_PATH, json=PERSON, headers=headers)
        assert code(refused) == "UPSTREAM_ACCESS_DENIED"
    assert submit(client).status_code == 201
