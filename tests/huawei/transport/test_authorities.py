"""Replaced certificate authorities and untrusted certificates."""

from __future__ import annotations

import logging
import os
import ssl
from pathlib import Path

import pytest
import trustme

from app.errors import ErrorCode, GatewayError
from app.huawei.transport import Endpoint
from app.settings import Settings
from tests.support.gateway import altered
from tests.support.raw_upstream import RawUpstream


def serving(authority: trustme.CA, host: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


def trust(path: Path, *authorities: trustme.CA) -> None:
    """Replace the file as a rotation does: by a new file of the same name."""
    new = path.with_suffix(".new")
    new.write_bytes(b"".join(authority.cert_pem.bytes() for authority in authorities))
    os.replace(new, path)


def send(endpoint: Endpoint) -> int:
    return endpoint.send("POST", "/", {}, b"{}", writes=True).status


def refused(endpoint: Endpoint) -> bool:
    with pytest.raises(GatewayError) as failed:
        send(endpoint)
    return failed.value.code is ErrorCode.UPSTREAM_UNREACHABLE


@pytest.mark.parametrize("place", ["ca_file", "machine"])
def test_certificate_authorities_are_reread_when_their_file_changes(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    old, new = trustme.CA(), trustme.CA()
    file = tmp_path / "authorities.pem"
    trust(file, old)
    if place == "machine":
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    account = altered(settings, **({"ca_file": str(file)} if place == "ca_file" else {}))
    with RawUpstream(tls=serving(new)) as upstream:
        endpoint = Endpoint(upstream.url, account.accounts["default"])
        assert refused(endpoint)
        trust(file, new)
        assert [send(endpoint) for _ in range(2)] == [200, 200]
        assert upstream.connections == 2
        trust(file, old)  # another authority than that of the idle connection
        assert refused(endpoint)
        assert len(upstream.requests) == 2


def test_the_old_certificate_authorities_stay_in_use_where_the_new_file_is_unreadable(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority, file = trustme.CA(), tmp_path / "authorities.pem"
    trust(file, authority)
    account = altered(settings, ca_file=str(file)).accounts["default"]
    with RawUpstream(tls=serving(authority)) as upstream:
        endpoint = Endpoint(upstream.url, account)
        file.write_text("half of a fi")
        assert [send(endpoint) for _ in range(2)] == [200, 200]
        file.unlink()
        assert send(endpoint) == 200
    broken = "Changed certificate authorities cannot be read; the old ones stay in use"
    assert [line.msg for line in caplog.records if line.levelno == logging.ERROR] == [broken] * 2


@pytest.mark.parametrize(("host", "code"), [("127.0.0.1", 20), ("elsewhere.example", 64)])
def test_an_untrusted_certificate_is_named_in_the_log(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture, host: str, code: int
) -> None:
    known, file = trustme.CA(), tmp_path / "authorities.pem"
    trust(file, known)
    account = altered(settings, ca_file=str(file)).accounts["default"]
    server = known if host == "elsewhere.example" else trustme.CA()
    with RawUpstream(tls=serving(server, host)) as upstream:
        assert refused(Endpoint(upstream.url, account, name="default"))
        assert upstream.requests == []
    (line,) = [record for record in caplog.records if record.name == "gateway.transport"]
    assert line.msg == "Upstream's certificate is not trusted; nothing was sent"
    assert line.gateway_fields == {  # type: ignore[attr-defined]
        "account": "default",
        "host": upstream.authority,
        "reason": "certificate verify failed",
        "verify_code": code,
    }


def test_a_host_is_trusted_by_its_alternative_names_and_not_by_its_common_name(
    settings: Settings, tmp_path: Path
) -> None:
    authority, file = trustme.CA(), tmp_path / "authorities.pem"
    trust(file, authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", common_name="upstream.localhost").configure_cert(context)
    account = altered(settings, ca_file=str(file)).accounts["default"]
    with RawUpstream(tls=context) as upstream:
        assert send(Endpoint(upstream.url, account)) == 200
        assert refused(Endpoint(f"https://upstream.localhost:{upstream.port}", account))
