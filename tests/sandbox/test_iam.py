"""IAM of the sandbox: tokens and locks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.iam import AGENCY, RIGHT, TEMPORARY, Iam, changed
from tests.support.sandbox_driver import SandboxDriver


def test_a_password_gets_a_long_token_that_partner_center_accepts(
    driver: SandboxDriver, iam: Iam
) -> None:
    response = iam.ask()
    token, document = response.headers["X-Subject-Token"], response.json()["token"]
    assert response.status_code == 201
    assert token.startswith("MII")
    assert 1900 < len(token) < 2100
    assert document["issued_at"].endswith("Z")
    assert len(document["expires_at"]) == len("2020-01-04T09:08:49.965000Z")
    assert document["methods"] == ["password"]
    assert "catalog" in document
    assert iam.verify(token).status_code == 200
    assert driver.state()["tokens_issued"] == 1


def test_nocatalog_shortens_the_answer_with_a_token(iam: Iam) -> None:
    response = iam.post("/v3/auth/tokens?nocatalog=true", RIGHT)
    assert "catalog" not in response.json()["token"]
    assert iam.post("/v3/auth/tokens?nocatalog=", RIGHT).status_code == 400
    assert iam.post("/v3/auth/tokens?other=1", RIGHT).status_code == 400


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"auth": []},
        changed(RIGHT, "more", 1),
        changed(RIGHT, "auth.more", 1),
        changed(RIGHT, "auth.scope", None),
        changed(RIGHT, "auth.scope", {"project": {"name": "ap-southeast-1"}}),
        changed(RIGHT, "auth.scope.domain", "partner"),
        changed(RIGHT, "auth.scope.domain.name", 1),
        changed(RIGHT, "auth.identity", []),
        changed(RIGHT, "auth.identity.methods", "password"),
        changed(RIGHT, "auth.identity.methods", ["hw_ak_sk"]),
        changed(RIGHT, "auth.identity.more", {}),
        changed(RIGHT, "auth.identity.password", {}),
        changed(RIGHT, "auth.identity.password", []),
        changed(RIGHT, "auth.identity.password.user", "partner"),
        changed(RIGHT, "auth.identity.password.user.domain", None),
        changed(RIGHT, "auth.identity.password.user.password", 5),
        changed(RIGHT, "auth.identity.password.user.more", 5),
    ],
)
def test_a_malformed_token_request_is_refused(iam: Iam, document: Any) -> None:
    response = iam.ask(document)
    assert response.status_code == 400
    assert response.json()["error"]["message"] == "The request body is invalid"
    assert response.json()["error"]["code"] == 400


def test_a_token_request_that_is_not_json_is_refused(iam: Iam) -> None:
    for body, media_type in ((b"{", "application/json"), (b"{}", "text/plain")):
        response = iam.session.post(
            f"{iam.url}/v3/auth/tokens", body, headers={"Content-Type": media_type}, timeout=10
        )
        assert response.status_code == 400


def test_five_wrong_passwords_lock_the_user_for_900_seconds(
    driver: SandboxDriver, iam: Iam
) -> None:
    wrong = changed(RIGHT, "auth.identity.password.user.password", "wrong")
    for _ in range(5):
        response = iam.ask(wrong)
        assert (response.status_code, response.json()["error"]["title"]) == (401, "Unauthorized")
        assert response.json()["error"]["message"] == "The username or password is wrong."
    response = iam.ask()
    assert (response.status_code, response.json()["error_code"]) == (401, "IAM.0061")
    assert driver.state()["user_locked"]
    driver.clock(901)
    assert iam.ask().status_code == 201


def test_the_number_of_wrong_passwords_can_be_set_and_a_success_resets_the_count(
    driver: SandboxDriver, iam: Iam
) -> None:
    driver.settings(password_tries=2)
    wrong = changed(RIGHT, "auth.identity.password.user.name", "somebody")
    for _ in range(3):
        assert iam.ask(wrong).status_code == 401
        assert iam.ask().status_code == 201


def test_a_token_of_the_sandbox_expires(driver: SandboxDriver, iam: Iam) -> None:
    driver.settings(token_seconds=60)
    token = iam.token()
    driver.clock(61)
    response = iam.verify(token)
    assert (response.status_code, response.json()["error_code"]) == (401, "APIGW.0301")
    assert "token expires, expires_at:" in response.json()["error_msg"]
    assert iam.temporary(TEMPORARY, token).json()["error_code"] == "IAM.0066"
    assert iam.verify(iam.token()).status_code == 200


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ("both", {"issued_at", "expires_at"}),
        ("expires_at", {"expires_at"}),
        ("none", set()),
    ],
)
def test_a_token_has_the_issue_and_expiry_times_of_the_setting(
    driver: SandboxDriver, iam: Iam, setting: str, shown: set[str]
) -> None:
    driver.settings(times_shown=setting)
    answered = iam.ask()
    assert answered.json()["token"].keys() & {"issued_at", "expires_at"} == shown
    assert iam.verify(answered.headers["X-Subject-Token"]).status_code == 200


def test_an_unknown_token_is_refused(iam: Iam) -> None:
    assert iam.verify("MIInonsense").json()["error_msg"].endswith("decrypt token fail")


@pytest.mark.parametrize(
    ("reason", "code", "words"),
    [
        ("expired", "APIGW.0301", "token expires"),
        ("decrypt", "APIGW.0301", "decrypt token fail"),
        ("APIGW.0307", "APIGW.0307", "The token must be updated"),
        ("CBC.0154", "CBC.0154", ""),
        ("IAM.0066", "IAM.0066", ""),
        ("IAM.0067", "IAM.0067", ""),
    ],
)
def test_revoked_tokens_are_refused_with_the_chosen_code(
    driver: SandboxDriver, iam: Iam, reason: str, code: str, words: str
) -> None:
    token = iam.token()
    driver.revoke_tokens(reason)
    response = iam.verify(token)
    assert (response.status_code, response.json()["error_code"]) == (401, code)
    assert words in response.json()["error_msg"]
    assert iam.temporary(TEMPORARY, token).status_code == 401
    assert iam.verify(iam.token()).status_code == 200


def test_all_tokens_share_one_throttling_window(iam: Iam) -> None:
    statuses = [iam.verify(iam.token()).status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]


def test_a_customers_token_is_refused_by_partner_calls(iam: Iam) -> None:
    response = iam.ask(AGENCY, iam.token())
    assert response.status_code == 201
    assert response.json()["token"]["methods"] == ["assume_role"]
    token = response.headers["X-Subject-Token"]
    refused = iam.verify(token)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "CBC.0151")
    again = iam.ask(AGENCY, token)
    assert (again.status_code, again.json()["error"]["code"]) == (403, 403)
