"""Reading a key set over HTTP: authority and token, and malformed answers."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from app import create_app
from app.callers.key_set import MAX_BYTES, KeySet, key_set
from app.errors import ErrorCode, GatewayError
from app.settings import IssuerSettings, Settings
from tests.callers.conftest import trusting
from tests.support import issuer
from tests.support.gateway import bearer, check_problem
from tests.support.raw_upstream import RawUpstream, Script, answer
from tests.support.sandbox_driver import SandboxDriver


def served(upstream: RawUpstream, **settings: Any) -> KeySet:
    return key_set(
        "tests",
        IssuerSettings(
            issuer="me",
            audience="you",
            jwks_url=f"{upstream.url.replace('127.0.0.1', 'localhost')}/openid/v1/jwks?x=1",
            **settings,
        ),
    )


JSON = "Content-Type: application/json"


def test_the_key_set_of_a_cluster_is_read_with_its_authority_and_token(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    ca_file, token_file = tmp_path / "ca.crt", tmp_path / "token"
    authority.cert_pem.write_to_path(str(ca_file))
    token_file.write_text("the-pods-token\n")
    with RawUpstream(answer(200, issuer.published(), JSON), tls=context) as upstream:
        keys = served(upstream, ca_file=ca_file, token_file=token_file)
        assert keys.key("one") is not None
        assert upstream.requests[0].line == "GET /openid/v1/jwks?x=1 HTTP/1.1"
        assert upstream.requests[0].headers["Authorization"] == "Bearer the-pods-token"
        stranger = trustme.CA()
        stranger.cert_pem.write_to_path(str(ca_file))
        with pytest.raises(GatewayError):
            served(upstream, ca_file=ca_file).key("one")


def test_a_key_set_is_read_without_a_token_where_no_token_file_is_configured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login me password not-for-them\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with RawUpstream(answer(200, issuer.published(), JSON)) as upstream:
        assert served(upstream).key("one") is not None
        assert "Authorization" not in upstream.requests[0].headers


def _endless(connection: Any) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    for _ in range(MAX_BYTES // 65536 + 2):
        connection.sendall(b" " * 65536)


def _cut_short(connection: Any) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{")


@pytest.mark.parametrize(
    "reply",
    [
        answer(500, "{}"),
        answer(200, "not gzip", "Content-Encoding: gzip"),
        _cut_short,
        answer(302, "", "Location: http://127.0.0.1:9/elsewhere"),
        answer(200, "<html>"),
        _endless,
    ],
)
def test_a_malformed_key_set_is_not_adopted(reply: bytes | Script) -> None:
    with RawUpstream(reply) as upstream:
        with pytest.raises(GatewayError) as failure:
            served(upstream).key("one")
        assert failure.value.code is ErrorCode.IDENTITY_UNAVAILABLE
        assert len(upstream.requests) == 1


def test_a_caller_gets_a_503_while_no_key_set_can_be_read(
    config: dict[str, Any], tmp_path: Path, sandbox: SandboxDriver
) -> None:
    missing = tmp_path / "not-there-yet.json"
    client = create_app(
        Settings.model_validate(trusting(config, jwks_file=str(missing)))
    ).test_client()
    response = client.get("/v1/capabilities", headers=bearer(issuer.token()))
    problem = check_problem(response, ErrorCode.IDENTITY_UNAVAILABLE)
    assert response.headers["Retry-After"] == str(problem["retry_after_s"]) == "1"
    assert client.get("/v1/capabilities", headers=bearer()).status_code == 200
    assert sandbox.requests() == []
