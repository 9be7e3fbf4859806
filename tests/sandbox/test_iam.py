"""IAM of the sandbox: tokens, locks, agencies and temporary access keys."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import requests

from tests.support.partner import V2, VERIFIED_INFO, Partner, verified_info
from tests.support.sandbox_driver import SandboxDriver

PASSWORD = "sandbox-password-not-a-secret"
RIGHT: dict[str, Any] = {
    "auth": {
        "identity": {
            "methods": ["password"],
            "password": {
                "user": {"name": "partner", "password": PASSWORD, "domain": {"name": "partner"}}
            },
        },
        "scope": {"domain": {"name": "partner"}},
    }
}
AGENCY: dict[str, Any] = {
    "auth": {
        "identity": {
            "methods": ["assume_role"],
            "assume_role": {"domain_name": "their-account", "agency_name": "PARTNER01"},
        },
        "scope": {"project": {"name": "ap-southeast-1"}},
    }
}
TEMPORARY: dict[str, Any] = {"auth": {"identity": {"methods": ["token"]}}}


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one value changed, or removed if the new value is None."""
    whole = copy.deepcopy(document)
    *way, last = path.split(".")
    part = whole
    for name in way:
        part = part[name]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return whole


class Iam:
    """A client of the sandbox's IAM."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self.url = url
        self.session = session

    def post(self, path: str, document: Any, token: str | None = None) -> requests.Response:
        """Send one call."""
        headers = {} if token is None else {"X-Auth-Token": token}
        return self.session.post(f"{self.url}{path}", json=document, headers=headers, timeout=10)

    def ask(self, document: Any = RIGHT, token: str | None = None) -> requests.Response:
        """Request a token."""
        return self.post("/v3/auth/tokens", document, token)

    def token(self) -> str:
        """Return a new token of the partner."""
        return self.ask().headers["X-Subject-Token"]

    def temporary(self, document: Any, token: str | None) -> requests.Response:
        """Request a temporary access key."""
        return self.post("/v3.0/OS-CREDENTIAL/securitytokens", document, token)

    def verify(self, token: str) -> requests.Response:
        """Send a verified-info with a token."""
        return self.session.put(
            f"{self.url}{VERIFIED_INFO}",
            json=verified_info(),
            headers={"X-Auth-Token": token},
            timeout=10,
        )


@pytest.fixture
def iam(driver: SandboxDriver, session: requests.Session) -> Iam:
    return Iam(driver.url, session)


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
    ("setting", "told"),
    [
        ("both", {"issued_at", "expires_at"}),
        ("expires_at", {"expires_at"}),
        ("none", set()),
    ],
)
def test_a_token_has_the_issue_and_expiry_times_of_the_setting(
    driver: SandboxDriver, iam: Iam, setting: str, told: set[str]
) -> None:
    driver.settings(times_shown=setting)
    answered = iam.ask()
    assert answered.json()["token"].keys() & {"issued_at", "expires_at"} == told
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


@pytest.mark.parametrize(
    ("document", "status"),
    [
        (changed(AGENCY, "auth.identity.assume_role.agency_name", "OTHER"), 404),
        (changed(AGENCY, "auth.identity.assume_role.agency_name", None), 400),
        (changed(AGENCY, "auth.identity.assume_role.domain_name", None), 400),
        (changed(AGENCY, "auth.identity.assume_role.more", "x"), 400),
        (changed(AGENCY, "auth.identity.assume_role", "x"), 400),
        (changed(AGENCY, "auth.scope", {}), 400),
        (changed(AGENCY, "auth.scope", {"system": {}}), 400),
        (changed(AGENCY, "auth.scope", {"domain": "x"}), 400),
        (changed(AGENCY, "auth.scope", {"domain": {"name": "their-account"}}), 201),
    ],
)
def test_an_agency_is_found_by_the_platform_id(
    iam: Iam, document: dict[str, Any], status: int
) -> None:
    assert iam.ask(document, iam.token()).status_code == status


def test_a_temporary_key_of_an_agency_needs_a_token(iam: Iam) -> None:
    assert iam.ask(AGENCY).json()["error"]["code"] == 401
    assert iam.ask(AGENCY, "nonsense").json()["error_code"] == "IAM.0067"


def test_a_temporary_key_signs_with_its_security_token_until_it_expires(
    driver: SandboxDriver, iam: Iam, partner: Partner
) -> None:
    response = iam.temporary(TEMPORARY, iam.token())
    credential = response.json()["credential"]
    assert response.status_code == 201
    how: dict[str, Any] = {
        "access_key": credential["access"],
        "secret_key": credential["secret"],
        "query": [("customer_id", "c")],
    }
    assert partner.call("GET", f"{V2}/result", **how).status_code == 401
    how["headers"] = {"X-Security-Token": credential["securitytoken"]}
    assert partner.call("GET", f"{V2}/result", **how).status_code == 200
    assert driver.state()["access_keys"][credential["access"]]["temporary"]
    driver.clock(900)
    refused = partner.call("GET", f"{V2}/result", **how)
    assert refused.json()["error_msg"].endswith("signature expired")


def test_a_customers_temporary_key_is_refused_by_partner_calls(iam: Iam, partner: Partner) -> None:
    token = iam.ask(AGENCY, iam.token()).headers["X-Subject-Token"]
    credential = iam.temporary(TEMPORARY, token).json()["credential"]
    response = partner.call(
        "GET",
        f"{V2}/result",
        access_key=credential["access"],
        secret_key=credential["secret"],
        headers={"X-Security-Token": credential["securitytoken"]},
    )
    assert response.json()["error_code"] == "CBC.0151"


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"duration_seconds": 900}, 201),
        ({"duration_seconds": 86400}, 201),
        ({"duration_seconds": 899}, 400),
        ({"duration_seconds": 86401}, 400),
        ({"duration_seconds": "900"}, 400),
        ({"id": "x"}, 400),
        ("x", 400),
    ],
)
def test_the_lifetime_of_a_temporary_key_is_between_15_minutes_and_a_day(
    iam: Iam, wanted: Any, status: int
) -> None:
    document = changed(TEMPORARY, "auth.identity.token", wanted)
    assert iam.temporary(document, iam.token()).status_code == status


@pytest.mark.parametrize(
    "document",
    [
        changed(TEMPORARY, "auth.scope", {}),
        changed(TEMPORARY, "auth.identity.methods", ["assume_role"]),
        changed(TEMPORARY, "auth.identity.policy", {}),
    ],
)
def test_unsupported_requests_for_temporary_keys_are_refused(
    iam: Iam, document: dict[str, Any]
) -> None:
    assert iam.temporary(document, iam.token()).status_code == 400
