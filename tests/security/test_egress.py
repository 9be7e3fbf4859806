"""Calls to upstreams: whom the gateway trusts, and which answers it accepts."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator
from werkzeug.test import TestResponse

from app import create_app
from app.settings import Settings
from tests.api.test_contract import OPERATIONS, SPEC
from tests.support.gateway import CUSTOMER, altered, bearer, code, submit
from tests.support.raw_upstream import SUCCESS, RawUpstream, answer
from tools.contract_diff import resolved

JPEG = b"\xff\xd8\xff\xe0" + bytes(64)
UPLOAD_PATH = f"/v1/customers/{CUSTOMER}/attachments/a.jpg"


Ask = Callable[[FlaskClient], TestResponse]


def read(client: FlaskClient) -> TestResponse:
    return client.get(f"/v1/customers/{CUSTOMER}/verification", headers=bearer())


def upload(client: FlaskClient) -> TestResponse:
    return client.put(UPLOAD_PATH, data=JPEG, headers=bearer())


def speaking_to(settings: Settings, folder: Path, url: str, whom: str, **more: Any) -> FlaskClient:
    """A gateway with this URL as Partner Center, IAM or OBS."""
    (folder / "password").write_text("a-password")
    pair = (
        settings.accounts["default"]
        .credentials[0]
        .model_dump(include={"access_key_file", "secret_key_file"})
    )
    place: dict[str, dict[str, Any]] = {
        "Partner Center": {"endpoint": url},
        "IAM": {
            "authentication": "token",
            "credentials": (),
            "iam": {
                "endpoint": url,
                "domain": "partner",
                "user": "partner",
                "password_file": folder / "password",
            },
        },
        "OBS": {
            "attachments": {
                "endpoint": url.replace("127.0.0.1", "localhost"),
                "bucket": "kyc",
                "region": "r",
                **pair,
            }
        },
    }
    document = altered(settings, **place[whom], **more).model_dump(exclude_unset=True)
    document["callers"]["writer"]["scopes"] = ["attachments:write", "verifications:read"]
    return create_app(Settings.model_validate(document)).test_client()


ASKED: dict[str, Ask] = {"Partner Center": read, "IAM": read, "OBS": upload}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("whom", ASKED)
def test_a_redirect_is_upstream_malformed_and_not_followed(
    settings: Settings, tmp_path: Path, whom: str, status: int
) -> None:
    with RawUpstream() as other:
        reply = answer(status, "<html>", f"Location: {other.url}/", "Content-Type: text/html")
        with RawUpstream(reply) as upstream:
            client = speaking_to(settings, tmp_path, upstream.url, whom)
            response = ASKED[whom](client)
    assert (response.status_code, code(response)) == (502, "UPSTREAM_MALFORMED")
    assert (len(upstream.requests), other.connections) == (1, 0)


@pytest.mark.parametrize("whom", ASKED)
def test_an_untrusted_upstream_is_sent_nothing(
    settings: Settings, tmp_path: Path, tls: ssl.SSLContext, whom: str
) -> None:
    with RawUpstream(tls=tls) as upstream:
        client = speaking_to(settings, tmp_path, upstream.url, whom)
        assert code(ASKED[whom](client)) == "UPSTREAM_UNREACHABLE"
    assert upstream.requests == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_session_keys_are_not_written_to_a_file(
    settings: Settings,
    tmp_path: Path,
    authority: trustme.CA,
    tls: ssl.SSLContext,
    version: ssl.TLSVersion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tls.minimum_version = tls.maximum_version = version
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    with RawUpstream(tls=tls) as upstream:
        changed = altered(settings, endpoint=upstream.url, ca_file=tmp_path / "ca.pem")
        assert submit(create_app(changed).test_client()).status_code == 201
    logged = (tmp_path / "keys").read_text() if (tmp_path / "keys").exists() else ""
    assert [line for line in logged.splitlines() if not line.startswith("#")] == []


def test_a_compressed_answer_is_not_decompressed(settings: Settings) -> None:
    _, body = SUCCESS.split(b"\r\n\r\n")
    packed = gzip.compress(body)
    for header in ("Content-Encoding: gzip", "Content-Encoding: deflate, gzip", "X: x"):
        with RawUpstream(answer(200, packed, header)) as upstream:
            client = create_app(altered(settings, endpoint=upstream.url)).test_client()
            assert code(submit(client)) == "OUTCOME_UNKNOWN"
        assert upstream.requests[0].headers["Accept-Encoding"] == "identity"


def test_endless_1xx_answers_end_within_the_read_timeout(settings: Settings) -> None:
    def announce(connection: socket.socket) -> None:
        while True:  # until the gateway closes the connection
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    with RawUpstream(announce) as upstream:
        changed = altered(settings, endpoint=upstream.url, timeouts={"read": 0.5})
        begun = time.monotonic()
        assert code(submit(create_app(changed).test_client())) == "OUTCOME_UNKNOWN"
        assert time.monotonic() - begun < 10


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
KNOWN = [
    "error_code",
    "error_msg",
    "review_result",
    "opinion",
    "is_review",
    "request_id",
    "errorCode",
]
ANSWERS = st.dictionaries(st.sampled_from(KNOWN), VALUES) | VALUES
CONTENT = {
    status: resolved(response, SPEC)["content"]
    for status, response in OPERATIONS["getVerification"]["responses"].items()
}


@effort(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=ANSWERS, status=st.sampled_from([200, 200, 200, 201, 204, 400, 404, 500, 503]))
def test_any_answer_of_huawei_leads_to_an_answer_of_the_contract(
    reading: tuple[RawUpstream, FlaskClient], document: Any, status: int
) -> None:
    upstream, client = reading
    upstream.reply = answer(status, json.dumps(document), "Connection: close")
    response = read(client)
    assert response.status_code != 500
    documented = CONTENT[str(response.status_code)]
    content = documented[response.headers["Content-Type"]]
    OAS30Validator(content["schema"]).validate(response.get_json())


@pytest.fixture
def reading(settings: Settings) -> Iterator[tuple[RawUpstream, FlaskClient]]:
    with RawUpstream() as upstream:
        changed = altered(settings, endpoint=upstream.url, verification={"backend": "review"})
        yield upstream, create_app(changed).test_client()
