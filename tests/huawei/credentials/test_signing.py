"""Signatures, compared with Huawei's own SDK and its published results."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from app.huawei.credentials.signing import SdkHmacAuth, canonical_query

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/sign_vectors.json").read_text())
ACCESS_KEY, SECRET_KEY = VECTORS["access_key"], VECTORS["secret_key"]
HOST = "bss-intl.myhuaweicloud.com"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def prepared(
    method: str, url: str, headers: dict[str, str] | None = None, body: bytes | None = None
) -> PreparedRequest:
    request = PreparedRequest()
    request.method, request.url, request.body = method, url, body
    request.headers = CaseInsensitiveDict(headers or {})
    return request


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_a_published_request_gets_the_published_signature(vector: dict[str, Any]) -> None:
    request = prepared(
        vector["method"], vector["url"], vector["headers"], vector["body"].encode() or None
    )
    SdkHmacAuth(ACCESS_KEY, SECRET_KEY)(request)
    assert request.headers["Authorization"] == (
        f"SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders={vector['signed_headers']}, "
        f"Signature={vector['signature']}"
    )


SPECIAL = "aZ09-._~!$&'()*+,;=:@ %/\\\"é証ß🙂"
words = st.text(SPECIAL, max_size=6) | st.text(st.characters(codec="utf-8"), max_size=6)
header_names = st.sampled_from(["X-A", "x-b", "X-Auth-Token", "X_Skipped", "Accept", "X-Domain-Id"])
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=6)
content_types = st.sampled_from(
    [
        "application/json",
        "application/json;charset=utf8",
        "application/bson",
        "text/plain",
        "application/octet-stream",
        "application/jsonp",
        "APPLICATION/JSON",
    ]
)


@st.composite
def signed_requests(draw: st.DrawFn) -> dict[str, Any]:
    """A request in its wire form, and the parsed parameters of its query."""
    path = "/" + "/".join(
        quote(segment, safe=draw(st.sampled_from(["", "!$&'()*+,;=:@", "~"])))
        for segment in draw(st.lists(words, max_size=3))
    )
    parameters = draw(st.lists(st.tuples(words, words), max_size=3))
    parameters += draw(st.lists(st.sampled_from(parameters), max_size=1)) if parameters else []
    encode = draw(st.sampled_from([quote, quote_plus]))
    query = "&".join(f"{encode(name)}={encode(value)}" for name, value in parameters)
    names = draw(st.lists(header_names, max_size=2, unique=True))
    headers = {name: draw(header_values) for name in names}
    if draw(st.booleans()):
        headers["Content-Type"] = draw(content_types)
    return {
        "method": draw(st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"])),
        "path": path,
        "url": f"https://{HOST}{path}" + (f"?{query}" if query else ""),
        "parameters": parameters,
        "headers": headers,
        "body": draw(st.none() | st.just(b"") | st.binary(max_size=8)),
        "token": draw(st.none() | st.sampled_from(["a-token", "MII+/=", " spaced "])),
        "date": draw(st.none() | st.just("20260101T000000Z")),
    }


def oracle(case: dict[str, Any], access_key: str, secret_key: str) -> str:
    """The Authorization header that Huawei's SDK computes."""
    headers = {**case["headers"], "X-Sdk-Date": f"{NOW:%Y%m%dT%H%M%SZ}"}
    if case["token"]:
        headers["X-Security-Token"] = case["token"]
    request = SdkRequest(
        method=case["method"],
        schema="https",
        host=HOST,
        resource_path=case["path"],
        query_params=list(case["parameters"]),
        header_params=headers,
        body=case["body"],
    )
    Signer(SimpleNamespace(ak=access_key, sk=secret_key)).sign(request)
    return str(headers["Authorization"])


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(case=signed_requests())
def test_every_request_is_signed_as_the_sdk_signs_it(case: dict[str, Any]) -> None:
    headers = dict(case["headers"])
    if case["date"]:
        headers["x-sdk-date"] = case["date"]
    request = prepared(case["method"], case["url"], headers, case["body"])
    SdkHmacAuth(ACCESS_KEY, SECRET_KEY, case["token"], now=NOW.timestamp)(request)
    assert request.headers["Authorization"] == oracle(case, ACCESS_KEY, SECRET_KEY)
    assert request.headers["X-Sdk-Date"] == "20260101T000000Z"
    assert request.headers.get("X-Security-Token") == case["token"]
    assert request.url == case["url"]


@given(parameters=st.lists(st.tuples(words, words), max_size=6))
def test_the_query_is_sent_as_the_sdk_sends_it(
    parameters: list[tuple[str, str]],
) -> None:
    request = SdkRequest(query_params=list(parameters), resource_path="/")
    Signer.process_request_uri(request)
    assert f"/?{canonical_query(parameters)}".removesuffix("?") == request.uri


def test_signing_keeps_and_signs_an_existing_header() -> None:
    request = prepared("GET", f"https://{HOST}/v2/x", {"host": "elsewhere.example", "X-A": " b "})
    SdkHmacAuth(ACCESS_KEY, SECRET_KEY, now=NOW.timestamp)(request)
    assert request.headers["Host"] == "elsewhere.example"
    assert "SignedHeaders=host;x-a;x-sdk-date," in request.headers["Authorization"]


def test_the_signing_clock_is_the_current_time_in_utc() -> None:
    request = prepared("GET", f"https://{HOST}/v2/x")
    before = datetime.now(UTC).replace(microsecond=0)
    SdkHmacAuth(ACCESS_KEY, SECRET_KEY)(request)
    signed = datetime.strptime(request.headers["X-Sdk-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert before <= signed <= datetime.now(UTC)


def test_one_signer_can_be_shared_by_threads() -> None:
    signer = SdkHmacAuth(ACCESS_KEY, SECRET_KEY, "a-token", now=NOW.timestamp)
    before = dict(vars(signer))
    cases = [
        {
            "method": "PUT",
            "path": f"/v1.0/{number}/x",
            "url": f"https://{HOST}/v1.0/{number}/x?n={number}",
            "parameters": [("n", str(number))],
            "headers": {"Content-Type": "application/json", "X-Number": str(number)},
            "body": f'{{"number": {number}}}'.encode(),
            "token": "a-token",
        }
        for number in range(400)
    ]

    def sign(case: dict[str, Any]) -> str:
        request = prepared(case["method"], case["url"], case["headers"], case["body"])
        return str(signer(request).headers["Authorization"])

    with ThreadPoolExecutor(8) as threads:
        signed = list(threads.map(sign, cases))
    assert signed == [oracle(case, ACCESS_KEY, SECRET_KEY) for case in cases]
    assert len(set(signed)) == len(cases)
    assert vars(signer) == before


def test_the_repr_of_a_signer_holds_no_secret() -> None:
    token = "MII-a-token"
    signer = SdkHmacAuth(ACCESS_KEY, SECRET_KEY, token)
    for text in (repr(signer), str(signer), f"{signer}", f"{[signer]}"):
        assert SECRET_KEY not in text
        assert token not in text
        assert ACCESS_KEY not in text
