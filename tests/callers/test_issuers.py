"""Authentication by a signed token, and each reason for a refusal."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.callers.conftest import OIDC_ISSUER
from tests.support.gateway import INDIVIDUAL_PATH, PERSON, bearer, code
from tests.support.issuer import (
    EC,
    ED,
    RSA,
    STRANGER,
    SUBJECT,
    claims,
    public_pem,
    token,
)
from tests.support.sandbox_driver import SandboxDriver


def submit(
    client: FlaskClient, credential: str, path: str = INDIVIDUAL_PATH, **headers: str
) -> TestResponse:
    return client.post(path, json=PERSON, headers={**bearer(credential), **headers})


def part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def unsigned() -> str:
    return f"{part({'alg': 'none', 'kid': 'one'})}.{part(claims())}."


def signed_with_the_public_key() -> str:
    """HS256 with the published key as the secret: key confusion."""
    text = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(claims())}"
    digest = hmac.new(public_pem(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def tampered() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{part(claims(sub='system:serviceaccount:monitoring:observer'))}.{signature}"


def now() -> int:
    return int(time.time())


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(RSA, "RS256", "one"), (EC, "ES256", "two"), (ED, "EdDSA", "three")],
)
def test_a_token_of_a_service_account_authenticates(
    tokens: FlaskClient, key: Any, algorithm: str, kid: str
) -> None:
    assert submit(tokens, token(key, algorithm, kid)).status_code == 201


def test_a_token_of_the_identity_provider_authenticates(tokens: FlaskClient) -> None:
    credential = token(iss=OIDC_ISSUER, sub="a-uuid", azp="shop-client")
    path = "/v1/customers/shop-1/verifications/individual"
    assert submit(tokens, credential, path).status_code == 201


def test_a_key_still_authenticates_where_tokens_are_configured(tokens: FlaskClient) -> None:
    assert submit(tokens, "writer-key").status_code == 201


def test_clock_skew_of_thirty_seconds_is_tolerated(tokens: FlaskClient) -> None:
    assert submit(tokens, token(exp=now() - 20)).status_code == 201
    assert submit(tokens, token(nbf=now() + 20, iat=now() + 20)).status_code == 201


REFUSALS: dict[str, tuple[Callable[[], str], str]] = {
    "no token": (lambda: "", "Send your key"),
    "no such key": (lambda: "neither.key-nor-token", "The key is unknown"),
    "no token inside": (lambda: "not.a.token", "cannot be verified"),
    "expired": (lambda: token(exp=now() - 40), "has expired"),
    "not yet valid": (lambda: token(nbf=now() + 40), "not valid yet"),
    "issued in the future": (lambda: token(iat=now() + 40), "not valid yet"),
    "wrong audience": (lambda: token(aud="somebody-else"), "another audience"),
    "wrong issuer": (lambda: token(iss="https://evil.example.com"), "issuer is not trusted"),
    "no audience": (lambda: token(aud=...), "lacks a required claim"),
    "no expiry": (lambda: token(exp=...), "lacks a required claim"),
    "no issuer": (lambda: token(iss=...), "issuer is not trusted"),
    "no subject": (lambda: token(sub=...), "lacks a required claim"),
    "a subject that is not a text": (lambda: token_of({"sub": ["a"]}), "cannot be verified"),
    "an unknown subject": (
        lambda: token(sub="system:serviceaccount:billing:other"),
        "subject is unknown",
    ),
    "the provider's subject from the cluster": (
        lambda: token(sub="shop-client"),
        "subject is unknown",
    ),
    "the cluster's subject from the provider": (
        lambda: token(iss=OIDC_ISSUER, azp=SUBJECT),
        "subject is unknown",
    ),
    "alg none": (unsigned, "algorithm"),
    "HS256 with the public key": (signed_with_the_public_key, "algorithm"),
    "an algorithm that is not the key's": (lambda: token(RSA, "PS256", "one"), "algorithm"),
    "an unknown kid": (lambda: token(kid="four"), "does not publish"),
    "no kid where there are several keys": (lambda: token(kid=None), "does not publish"),
    "a stranger's key": (lambda: token(STRANGER), "cannot be verified"),
    "another's claims": (tampered, "cannot be verified"),
    "a signature cut off": (lambda: token()[:-20], "cannot be verified"),
    "endless nesting": (lambda: f"{nested()}.{nested()}.x", "cannot be verified"),
}


def nested() -> str:
    return base64.urlsafe_b64encode(b"[" * 3000).decode().rstrip("=")


def token_of(changes: dict[str, Any]) -> str:
    """A signed token whose claims the library would not encode."""
    payload = json.dumps(claims() | changes).encode()
    return jwt.api_jws.encode(payload, RSA, algorithm="RS256", headers={"kid": "one"})


@pytest.mark.parametrize("why", REFUSALS)
def test_a_bad_token_is_unauthenticated_and_nothing_is_sent(
    tokens: FlaskClient, sandbox: SandboxDriver, why: str
) -> None:
    make, words = REFUSALS[why]
    credential = make()
    response = submit(tokens, credential)
    assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
    assert words in response.get_json()["detail"]
    assert response.headers["WWW-Authenticate"] == "Bearer"
    if credential:
        assert credential not in response.text
    assert sandbox.requests() == []


FORBIDDEN: dict[str, tuple[Callable[[], str], str, dict[str, str], str]] = {
    "scope missing": (
        lambda: token(sub="system:serviceaccount:monitoring:observer"),
        INDIVIDUAL_PATH,
        {},
        "verifications:write",
    ),
    "other account": (token, INDIVIDUAL_PATH, {"Partner-Account": "second"}, "accounts"),
    "customer not allowed": (
        lambda: token(iss=OIDC_ISSUER, azp="shop-client"),
        "/v1/customers/crm-1/verifications/individual",
        {},
        "customer",
    ),
    "customer that only begins well": (
        lambda: token(iss=OIDC_ISSUER, azp="shop-client"),
        "/v1/customers/shop-1-2/verifications/individual",
        {},
        "customer",
    ),
}


@pytest.mark.parametrize("why", FORBIDDEN)
def test_a_caller_with_a_valid_token_is_forbidden_what_is_not_granted(
    tokens: FlaskClient, sandbox: SandboxDriver, why: str
) -> None:
    make, path, headers, words = FORBIDDEN[why]
    response = submit(tokens, make(), path, **headers)
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    assert words in response.get_json()["detail"]
    assert sandbox.requests() == []


def test_attachments_of_another_customer_cannot_be_submitted(
    tokens: FlaskClient, sandbox: SandboxDriver
) -> None:
    credential = token(iss=OIDC_ISSUER, azp="shop-client")
    for query in ("", "?validate_only=true"):
        path = f"/v1/customers/shop-1/verifications/individual{query}"
        body = {**PERSON, "attachments": ["shop-1/data-page.jpg", "shop-11/holding.jpg"]}
        response = tokens.post(path, json=body, headers=bearer(credential))
        assert (response.status_code, code(response)) == (403, "FORBIDDEN")
        body["attachments"] = ["shop-1/data-page.jpg", "shop-1/holding.jpg"]
        assert tokens.post(path, json=body, headers=bearer(credential)).status_code < 300
    assert len(sandbox.requests()) == 1


def test_a_caller_limited_to_some_customers_uploads_for_those_only(tokens: FlaskClient) -> None:
    credential = token(iss=OIDC_ISSUER, azp="shop-client")
    answered = tokens.put("/v1/customers/crm-1/attachments/a.png", headers=bearer(credential))
    assert code(answered) == "FORBIDDEN"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    head=st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), st.text() | st.none()
    ),
    said=st.dictionaries(
        st.sampled_from(["iss", "aud", "sub", "exp", "nbf", "iat"]),
        st.integers() | st.text() | st.none() | st.lists(st.text(), max_size=2),
    ),
    signature=st.text(st.characters(codec="ascii", categories=["L", "N"])),
)
def test_any_malformed_token_is_unauthenticated_without_a_crash(
    tokens: FlaskClient, head: dict[str, Any], said: dict[str, Any], signature: str
) -> None:
    known = {"alg": "RS256", "kid": "one"} | head
    response = submit(tokens, f"{part(known)}.{part(claims() | said)}.{signature}")
    assert code(response) == "UNAUTHENTICATED"
