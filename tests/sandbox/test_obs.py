"""OBS of the sandbox: it stores only requests with botocore's signature."""

from __future__ import annotations

import hashlib
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from botocore.auth import S3SigV4Auth

from tests.support.bucket import Bucket
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until

PICTURE = bytes(range(256)) * 500


def code_of(response: requests.Response) -> str:
    assert response.headers["Content-Type"] == "application/xml"
    return response.text.partition("<Code>")[2].partition("</Code>")[0]


@pytest.mark.parametrize(
    "key",
    ["download/77/licence.jpg", "download/a b+c~d.jpg", "download/身份证 (1).png", "x", "a//b"],
)
def test_an_object_can_be_put_read_described_and_deleted(
    driver: SandboxDriver, bucket: Bucket, key: str
) -> None:
    etag = f'"{hashlib.md5(PICTURE, usedforsecurity=False).hexdigest()}"'
    stored = bucket.put(key, PICTURE)
    assert (stored.status_code, stored.headers["ETag"], stored.content) == (200, etag, b"")
    assert driver.objects() == [
        {
            "bucket": "kyc",
            "key": key,
            "size": len(PICTURE),
            "sha256": hashlib.sha256(PICTURE).hexdigest(),
            "content_type": "image/jpeg",
        }
    ]
    stored = bucket.call("GET", key)
    assert (stored.content, stored.headers["Content-Type"]) == (PICTURE, "image/jpeg")
    described = bucket.call("HEAD", key)
    assert described.headers["Content-Length"] == str(len(PICTURE))
    assert (described.headers["ETag"], described.content) == (etag, b"")
    assert bucket.call("DELETE", key).status_code == 204
    assert bucket.call("DELETE", key).status_code == 204
    missing = bucket.call("GET", key)
    assert (missing.status_code, code_of(missing)) == (404, "NoSuchKey")
    assert driver.objects() == []


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ({"access_key": "NOBODY"}, 403, "InvalidAccessKeyId"),
        ({"secret_key": "wrong"}, 403, "SignatureDoesNotMatch"),
        ({"region": "cn-north-1"}, 400, "AuthorizationHeaderMalformed"),
        ({"auth": S3SigV4Auth}, 403, "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_signature_stores_nothing(
    driver: SandboxDriver, bucket: Bucket, how: dict[str, Any], status: int, code: str
) -> None:
    response = bucket.call("PUT", "download/a.jpg", body=b"x", **how)
    assert (response.status_code, code_of(response)) == (status, code)
    assert f"<RequestId>{response.headers['X-Request-Id']}</RequestId>" in response.text
    assert driver.objects() == []


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("Authorization", "Bearer x", "AccessDenied"),
        ("Authorization", "AWS4-HMAC-SHA256 nonsense", "AuthorizationHeaderMalformed"),
        ("Content-Type", "image/png", "SignatureDoesNotMatch"),
        ("X-Amz-Date", "yesterday", "AccessDenied"),
        ("x-amz-acl", "public-read", "SignatureDoesNotMatch"),
        ("Host", "elsewhere.example", "SignatureDoesNotMatch"),
    ],
)
def test_an_obs_request_with_a_changed_header_is_refused(
    bucket: Bucket, header: str, value: str, code: str
) -> None:
    prepared = bucket.sign("PUT", "a.jpg", b"x", {"Content-Type": "image/jpeg"})
    prepared.headers[header] = value
    assert code_of(bucket.send(prepared)) == code


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("host;x-amz-content-sha256;x-amz-date", "x-amz-date;host;x-amz-content-sha256"),
        ("host;x-amz-content-sha256;x-amz-date", "host;x-amz-date"),
        ("host;x-amz-content-sha256;x-amz-date", "absent;host;x-amz-content-sha256;x-amz-date"),
        ("/s3/", "/obs/"),
        ("Credential=SANDBOXOBSKEY0000001/2", "Credential=SANDBOXOBSKEY0000001/3"),
    ],
)
def test_an_obs_request_with_a_changed_authorization_is_refused(
    bucket: Bucket, old: str, new: str
) -> None:
    prepared = bucket.sign("GET", "a.jpg")
    assert old in prepared.headers["Authorization"]
    prepared.headers["Authorization"] = prepared.headers["Authorization"].replace(old, new)
    assert code_of(bucket.send(prepared)) in (
        "SignatureDoesNotMatch",
        "AuthorizationHeaderMalformed",
    )


@pytest.mark.parametrize("offset", [-1000, 1000])
def test_an_obs_signature_more_than_15_minutes_off_is_refused(
    driver: SandboxDriver, bucket: Bucket, offset: int
) -> None:
    driver.clock(offset)
    assert code_of(bucket.put("a.jpg", b"x")) == "RequestTimeTooSkewed"


def test_an_unknown_bucket_does_not_exist(driver: SandboxDriver, session: requests.Session) -> None:
    response = Bucket(driver.url, session, "other").put("a.jpg", b"x")
    assert (response.status_code, code_of(response)) == (404, "NoSuchBucket")


STYLES = [("virtual-host", {False}), ("path", {True}), ("both", {False, True})]


@pytest.mark.parametrize(("setting", "accepted"), STYLES)
@pytest.mark.parametrize("in_path", [False, True])
def test_only_the_addressing_of_the_setting_is_accepted(
    driver: SandboxDriver,
    session: requests.Session,
    setting: str,
    accepted: set[bool],
    in_path: bool,
) -> None:
    driver.settings(obs_addressing=setting)
    response = Bucket(driver.url, session, in_path=in_path).put("download/a.jpg", b"x")
    if in_path in accepted:
        assert response.status_code == 200
        assert [one["key"] for one in driver.objects()] == ["download/a.jpg"]
        return
    refused = (403, "VirtualHostDomainRequired") if in_path else (404, "NoSuchBucket")
    assert (response.status_code, code_of(response)) == refused
    assert driver.objects() == []


def test_the_bucket_is_read_from_the_host_in_any_case_and_on_any_port(
    bucket: Bucket,
) -> None:
    for host in ("KYC.LocalHost:8090", "kyc.localhost"):
        assert bucket.call("PUT", "a.jpg", body=b"x", headers={"Host": host}).status_code == 200


def test_other_calls_on_a_bucket_are_refused(bucket: Bucket) -> None:
    assert code_of(bucket.call("POST", "a.jpg", body=b"x")) == "MethodNotAllowed"
    assert code_of(bucket.call("GET", "")) == "MethodNotAllowed"
    assert code_of(bucket.call("GET", "a.jpg", query="?acl=")) == "NotImplemented"


def test_an_object_without_a_content_length_is_refused(
    driver: SandboxDriver, bucket: Bucket
) -> None:
    prepared = bucket.sign("PUT", "a.jpg", headers={"Content-Type": "image/jpeg"})
    prepared.body = iter((b"one", b"two"))  # type: ignore[assignment]
    del prepared.headers["Content-Length"]
    prepared.headers["Transfer-Encoding"] = "chunked"
    response = bucket.send(prepared)
    assert (response.status_code, code_of(response)) == (411, "MissingContentLength")
    assert driver.objects() == []


@pytest.mark.parametrize("reset", [False, True])
def test_a_truncated_upload_stores_nothing(
    driver: SandboxDriver, bucket: Bucket, reset: bool
) -> None:
    prepared = bucket.sign("PUT", "a.jpg", b"x" * 1000)
    host = urlsplit(driver.url)
    with socket.create_connection((host.hostname, host.port), timeout=10) as connection:
        head = "".join(f"{name}: {value}\r\n" for name, value in prepared.headers.items())
        connection.sendall(f"PUT /a.jpg HTTP/1.1\r\n{head}\r\n".encode() + b"x" * 500)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        else:
            connection.shutdown(socket.SHUT_WR)
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
    wait_until(lambda: driver.requests("obs"))
    assert driver.objects() == []
    assert driver.processed() == 0
    assert bucket.put("a.jpg", b"x" * 1000).status_code == 200
