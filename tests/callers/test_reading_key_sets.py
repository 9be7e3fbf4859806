"""Reading a key set over HTTP: authority and token, and malformed answers."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme

from app import create_app
from app.callers.key_set import KeySet
from app.callers.sources import ACCEPT, DEADLINE, from_url, source
from app.errors import ErrorCode, GatewayError
from app.huawei.transport import Reply, reach
from app.huawei.transport.response import MAX_CONTENT
from app.settings import IssuerSettings, Settings
from tests.callers.conftest import trusting
from tests.support import issuer
from tests.support.gateway import bearer, check_problem
from tests.support.issuer import CLUSTER, EC, PROVIDER, KeySetServer, public
from tests.support.raw_upstream import RawUpstream, Script, answer
from tests.support.sandbox_driver import SandboxDriver


def served(url: str, **settings: Any) -> KeySet:
    described = IssuerSettings(issuer="me", audience="you", jwks_url=url, **settings)
    return KeySet("tests", source(described, reach))


def test_the_key_set_of_a_cluster_is_read_with_its_authority_and_token(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    ca_file, token_file = tmp_path / "ca.crt", tmp_path / "token"
    authority.cert_pem.write_to_path(str(ca_file))
    token_file.write_text("the-pods-token\n")
    with KeySetServer(token="the-pods-token", tls=context) as server:
        keys = served(server.jwks_url, ca_file=ca_file, token_file=token_file)
        assert keys.key("one") is not None
        assert server.requests[0].line == "GET /openid/v1/jwks?x=1 HTTP/1.1"
        stranger = trustme.CA()
        stranger.cert_pem.write_to_path(str(ca_file))
        with pytest.raises(GatewayError):
            served(server.jwks_url, ca_file=ca_file, token_file=token_file).key("one")


def test_the_key_set_of_a_provider_is_verified_by_the_machines_authorities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, ca_file = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with KeySetServer(PROVIDER, tls=context) as server:
        with pytest.raises(GatewayError):
            served(server.jwks_url).key("one")
        monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
        assert served(server.jwks_url).key("one") is not None


@pytest.mark.parametrize("media_type", [CLUSTER, PROVIDER])
def test_a_service_account_authenticates_by_a_key_set_of_either_type(
    config: dict[str, Any], sandbox: SandboxDriver, media_type: str
) -> None:
    with KeySetServer(media_type) as server:
        trusted = Settings.model_validate(trusting(config, jwks_url=server.jwks_url))
        client = create_app(trusted).test_client()
        response = client.get("/v1/capabilities", headers=bearer(issuer.token()))
        assert response.status_code == 200
        assert server.requests[0].headers["Accept"] == ACCEPT
    assert sandbox.requests() == []


def test_a_key_set_is_read_without_a_token_where_no_token_file_is_configured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login me password not-for-them\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with KeySetServer() as server:
        assert served(server.jwks_url).key("one") is not None
        assert "Authorization" not in server.requests[0].headers


def test_the_log_names_url_and_status_and_whether_keys_stay_in_use(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with KeySetServer("text/plain") as server:
        with pytest.raises(GatewayError):
            served(server.jwks_url).key("one")
        (line,) = caplog.records
        assert line.msg == "The keys of an issuer cannot be read; its tokens cannot be checked"
        fields = line.gateway_fields  # type: ignore[attr-defined]
        place = server.jwks_url.removesuffix("?x=1")
        assert (fields["issuer"], fields["url"], fields["status"]) == ("tests", place, 406)
    caplog.clear()
    shown: list[Reply] = [Reply(200, {}, issuer.published().encode()), Reply(503, {}, b"")]
    moment = [1000.0]
    replies = iter(shown)
    keys = KeySet(
        "tests",
        from_url("https://me.example/keys", None, lambda *_: next(replies)),
        lambda: moment[0],
    )
    assert keys.key("one") is not None
    moment[0] += 31
    with pytest.raises(GatewayError):
        keys.key("new")
    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert line.msg == "The keys of an issuer cannot be read; the last keys stay in use"
    assert line.gateway_fields["status"] == 503  # type: ignore[attr-defined]


def test_the_fetch_of_a_key_set_has_one_deadline() -> None:
    seen: list[float] = []

    def get(target: str, headers: Mapping[str, str], within: float) -> Reply:
        assert (target, headers) == ("/keys?x=1", {"Accept": ACCEPT})
        seen.append(within)
        return Reply(200, {}, b"{}")

    assert from_url("https://me.example/keys?x=1", None, get).load() == b"{}"
    assert seen == [DEADLINE]


def _slow_head(connection: Any) -> None:
    for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 100:
        connection.sendall(bytes([letter]))
        time.sleep(0.05)


def _slow_body(connection: Any) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    for _ in range(100):
        connection.sendall(b" ")
        time.sleep(0.05)


@pytest.mark.parametrize("script", [_slow_head, _slow_body])
def test_a_document_that_arrives_byte_by_byte_is_cut_off_at_the_deadline(script: Script) -> None:
    with RawUpstream(script) as upstream:
        begun = time.monotonic()
        with pytest.raises(GatewayError):
            reach(upstream.url, None)("/", {}, 0.4)
        assert 0.3 < time.monotonic() - begun < 4


def test_a_key_that_an_issuer_publishes_later_is_a_503_with_retry_after_and_never_a_401(
    config: dict[str, Any],
) -> None:
    with KeySetServer() as server:
        trusted = Settings.model_validate(trusting(config, jwks_url=server.jwks_url))
        client = create_app(trusted).test_client()

        def asked(**how: Any) -> Any:
            credential = issuer.token(**how)
            return client.get("/v1/capabilities", headers=bearer(credential))

        assert asked().status_code == 200
        server.document = issuer.key_set(public(EC, "new"))
        response = asked(key=EC, algorithm="ES256", kid="new")
        problem = check_problem(response, ErrorCode.IDENTITY_UNAVAILABLE)
        assert 25 <= problem["retry_after_s"] <= 30
        assert response.headers["Retry-After"] == str(problem["retry_after_s"])


def _endless(connection: Any) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    for _ in range(MAX_CONTENT // 65536 + 2):
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
            served(upstream.url).key("one")
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
