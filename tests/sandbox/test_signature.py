"""The sandbox's SDK-HMAC-SHA256, compared with Huawei's own signer and vectors."""

from __future__ import annotations

import http.client
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.partner import ACCESS_KEY, V2, VERIFIED_INFO, WRONG, Partner, verified_info
from tests.support.sandbox_driver import SandboxDriver

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "sign_vectors.json").read_text())
VECTOR_TIME = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def send_raw(prepared: requests.PreparedRequest) -> tuple[int, dict[str, Any]]:
    """Send a prepared call without the client's normalization of its path."""
    url = str(prepared.url)
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.putrequest(str(prepared.method), "/" + url.split("/", 3)[3], skip_host=True)
    for name, value in prepared.headers.items():
        connection.putheader(name, value)
    connection.endheaders(prepared.body if isinstance(prepared.body, bytes) else None)
    response = connection.getresponse()
    document = json.loads(response.read())
    connection.close()
    return response.status, document


def tampered(prepared: requests.PreparedRequest, header: str, value: str | None) -> None:
    if value is None:
        del prepared.headers[header]
    else:
        prepared.headers[header] = value


@pytest.mark.parametrize(
    "path",
    [
        "/v2/plain",
        "/v2/with/slash/",
        "/v2//two//slashes",
        "//v2/begins/with/two",
        "/v2/a%20b/%C3%BC/%E4%BD%A0",
        "/v2/~tilde/-dash_dot.x",
        "/v2/a+b;c=1,d(e)!*'",
        "/v2/50%25/%2Fslash",
        "/v2/lower%c3%bc",
        "/v2/../x/./y",
        "/",
    ],
)
def test_a_path_signed_by_the_sdk_is_accepted(partner: Partner, path: str) -> None:
    status, document = send_raw(partner.sign("GET", path))
    assert (status, document["error_code"]) == (404, "APIGW.0101")


@pytest.mark.parametrize(
    "query",
    [
        [("b", "2"), ("a", "1")],
        [("a", ["z", "y", "x"]), ("a-b", "1")],
        [("blank", ""), ("flag", True), ("n", 10)],
        [("name", "张三 & Söhne"), ("order_id", "CS 20/1~x+y=z")],
        [("a", "}"), ("A", "{"), ("a|b", "c%d")],
    ],
)
def test_a_query_signed_by_the_sdk_is_accepted(
    partner: Partner, query: list[tuple[str, Any]]
) -> None:
    response = partner.call("GET", "/v2/of-no-operation", query=query)
    assert response.json()["error_code"] == "APIGW.0101"


def test_a_unicode_customer_id_reaches_the_operation(partner: Partner) -> None:
    response = partner.result("客户 1/2+3")
    assert (response.status_code, response.json()) == (200, {})


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_a_published_signature_vector_is_accepted_and_an_altered_one_refused(
    driver: SandboxDriver, session: requests.Session, vector: dict[str, Any]
) -> None:
    token = vector["headers"].get("X-Security-Token")
    driver.clock(VECTOR_TIME - time.time())
    driver.access_keys(
        **{
            VECTORS["access_key"]: {
                "secret_key": VECTORS["secret_key"],
                **({"security_token": token} if token else {}),
            }
        }
    )
    parts = urlsplit(vector["url"])
    head = f"{VECTORS['algorithm']} Access={VECTORS['access_key']}"
    signature = vector["signature"]
    statuses = []
    for tried in (signature, signature[:-1] + ("0" if signature[-1] != "0" else "1")):
        prepared = requests.Request(
            vector["method"], driver.url, data=vector["body"].encode() or None
        ).prepare()
        prepared.url = f"{driver.url}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        prepared.headers.update(vector["headers"])
        prepared.headers["Host"] = parts.netloc
        prepared.headers["Authorization"] = (
            f"{head}, SignedHeaders={vector['signed_headers']}, Signature={tried}"
        )
        statuses.append(session.send(prepared, timeout=10).status_code)
    assert statuses[0] != 401
    assert statuses[1] == 401


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Sdk-Date", "20260101T000000X"),
        ("X-Sdk-Date", "20261301T000000Z"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("X-Domain-Id", "somebody-else"),
        ("X-Security-Token", "unsigned"),
        ("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD"),
        ("X-Sdk-Date", None),
        ("Host", "elsewhere.example"),
    ],
)
def test_a_request_with_a_changed_or_unsigned_header_is_refused(
    partner: Partner, header: str, value: str | None
) -> None:
    prepared = partner.sign(
        "PUT",
        VERIFIED_INFO,
        body=json.dumps(verified_info()).encode(),
        headers={"Content-Type": "application/json"},
    )
    tampered(prepared, header, value)
    response = partner.send(prepared)
    assert response.status_code == 401
    assert WRONG in response.json()["error_msg"]


def test_a_request_with_a_changed_body_path_or_query_is_refused(partner: Partner) -> None:
    prepared = partner.sign("GET", f"{V2}/result", query=[("customer_id", "a b")])
    for url in (
        str(prepared.url).replace("a%20b", "a%20c"),
        str(prepared.url).replace("a%20b", "a+b"),
        str(prepared.url).replace("/result", "/results"),
    ):
        prepared.url = url
        assert partner.send(prepared).status_code == 401
    signed = partner.sign("PUT", VERIFIED_INFO, body=b"{}", headers={"Content-Type": "text/x"})
    signed.body = b"[]"
    # The SDK leaves a body that is not JSON unsigned, so only the media type is at fault here.
    assert partner.send(signed).json()["error_code"] == "CBC.0100"


def test_a_payload_hash_in_the_header_must_be_that_of_the_body(partner: Partner) -> None:
    how: dict[str, Any] = {"headers": {"X-Sdk-Content-Sha256": "0" * 64}}
    response = partner.call("PUT", VERIFIED_INFO, verified_info(), **how)
    assert WRONG in response.json()["error_msg"]


@pytest.mark.parametrize(
    "authorization",
    [
        "SDK-HMAC-SHA256",
        "SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=zz",
        "SDK-HMAC-SHA256, Access=a, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 64,
    ],
)
def test_a_malformed_authorization_is_refused(partner: Partner, authorization: str) -> None:
    prepared = partner.sign("GET", f"{V2}/result")
    prepared.headers["Authorization"] = authorization
    assert WRONG in partner.send(prepared).json()["error_msg"]


@pytest.mark.parametrize(
    "signed_headers",
    ["x-sdk-date;host", "host", "host;x-absent;x-sdk-date", "host;host;x-sdk-date"],
)
def test_the_signed_headers_must_be_complete_sorted_and_sent(
    partner: Partner, signed_headers: str
) -> None:
    prepared = partner.sign("GET", f"{V2}/result")
    prepared.headers["Authorization"] = prepared.headers["Authorization"].replace(
        "host;x-sdk-date", signed_headers
    )
    assert WRONG in partner.send(prepared).json()["error_msg"]


def test_a_wrong_signature_is_refused_with_the_canonical_request_in_the_text(
    partner: Partner,
) -> None:
    response = partner.verify_with("wrong-secret")
    document = response.json()
    assert document["error_code"] == "APIGW.0301"
    assert document["request_id"] == response.headers["X-Request-Id"]
    assert (
        f"canonicalRequest:PUT|{VERIFIED_INFO}/||content-type:application/json|host:"
        in (document["error_msg"])
    )
    assert f"|authorization:SDK-HMAC-SHA256 Access={ACCESS_KEY}, " in document["error_msg"]
    assert "\n" not in document["error_msg"]


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_signature_more_than_15_minutes_off_has_expired(partner: Partner, minutes: int) -> None:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    response = partner.call("GET", f"{V2}/result", at=at)
    assert response.status_code == 401
    assert response.json()["error_msg"].endswith("signature expired")


def test_the_clock_of_the_sandbox_decides_whether_a_signature_has_expired(
    driver: SandboxDriver, partner: Partner
) -> None:
    driver.clock(3600)
    assert "signature expired" in partner.result("c").json()["error_msg"]
    at = datetime.now(UTC) + timedelta(minutes=50)
    response = partner.call("GET", f"{V2}/result", query=[("customer_id", "c")], at=at)
    assert response.status_code == 200
    moved = datetime.strptime(response.headers["Date"], "%a, %d %b %Y %H:%M:%S GMT")
    assert moved.replace(tzinfo=UTC) - datetime.now(UTC) > timedelta(minutes=59)
