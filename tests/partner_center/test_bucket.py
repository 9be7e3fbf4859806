"""Storing in an account's OBS bucket: the signature, and what each refusal means."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.errors import ErrorCode, GatewayError
from tests.gateway import CUSTOMER, altered, code
from tests.raw_upstream import RawUpstream, answer
from tests.sandbox.bucket import OBS_ACCESS_KEY, OBS_SECRET_KEY, REGION, UnsignedPayload
from tests.sandbox_driver import SandboxDriver
from tests.verification.gateways import configured, upload, with_bucket

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 100
Build = Callable[..., FlaskClient]


@pytest.fixture
def gateway(tmp_path: Path, sandbox: SandboxDriver) -> Build:
    """Builds a gateway whose bucket has some settings changed."""

    def build(*, read_timeout: float = 15, **bucket: Any) -> FlaskClient:
        settings = with_bucket(configured(tmp_path, sandbox.url), tmp_path, **bucket)
        return create_app(altered(settings, timeouts={"read": read_timeout})).test_client()

    return build


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> FlaskClient:
    return create_app(configured(tmp_path_factory.mktemp("common"), sandbox_url)).test_client()


@pytest.fixture
def client(common: FlaskClient, sandbox: SandboxDriver) -> FlaskClient:  # noqa: ARG001 - behind it
    return common


def file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "other-key"
    path.write_text(text)
    return str(path)


def signed_again(url: str, entry: dict[str, Any]) -> str:
    """The signature that botocore makes of a request as it was received."""
    headers = {name.lower(): value for name, value in entry["headers"].items()}
    names = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest(
        method=entry["method"],
        url=url + entry["target"],
        headers={name: headers[name] for name in names},
    )
    request.context["timestamp"] = headers["x-amz-date"]
    judge = UnsignedPayload(Credentials(OBS_ACCESS_KEY, OBS_SECRET_KEY), "s3", REGION)
    to_sign = judge.string_to_sign(request, judge.canonical_request(request))
    signature: str = judge.signature(to_sign, request)
    return signature


@pytest.mark.parametrize("name", ["page.jpg", "-_.jpg", "A.b-c_d.JPG", "x" * 124 + ".jpg"])
def test_botocore_makes_the_same_signature(
    client: FlaskClient, sandbox: SandboxDriver, name: str
) -> None:
    assert upload(client, name, JPEG).status_code == 201
    (entry,) = sandbox.requests("obs")
    headers = {key.lower(): value for key, value in entry["headers"].items()}
    assert headers["authorization"].endswith(f"Signature={signed_again(sandbox.url, entry)}")
    assert headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert headers["content-length"] == str(len(JPEG))
    assert "transfer-encoding" not in headers
    assert entry["target"] == f"/kyc/download/{CUSTOMER}/{name}"
    assert {"content-type", "host", "x-amz-content-sha256", "x-amz-date"} <= set(
        headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    )


def refused(sandbox: SandboxDriver, response: TestResponse, status: int, ours: str) -> None:
    problem = response.get_json()
    assert (response.status_code, problem["code"]) == (status, ours)
    assert sandbox.objects() == []


def test_a_wrong_access_key_is_the_operators_fault(
    gateway: Build, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    response = upload(gateway(access_key_file=file(tmp_path, "WRONG")), "a.jpg", JPEG)
    refused(sandbox, response, 503, "UPSTREAM_ACCESS_DENIED")
    upstream = response.get_json()["upstream"]
    assert (upstream["code"], upstream["status"]) == ("InvalidAccessKeyId", 403)
    assert "WRONG" not in response.text


def test_a_wrong_secret_key_is_the_operators_fault(
    gateway: Build, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    response = upload(gateway(secret_key_file=file(tmp_path, "WRONG")), "a.jpg", JPEG)
    refused(sandbox, response, 503, "UPSTREAM_ACCESS_DENIED")
    assert response.get_json()["upstream"]["code"] == "SignatureDoesNotMatch"
    assert response.get_json()["retry"] == "CONTACT_OPERATOR"


@pytest.mark.parametrize("offset", [-1000, 1000])
def test_a_clock_that_is_off_is_named(
    client: FlaskClient, sandbox: SandboxDriver, offset: int
) -> None:
    sandbox.clock(offset)
    refused(sandbox, upload(client, "a.jpg", JPEG), 503, "CLOCK_SKEWED")
    sandbox.clock(offset // 2)
    assert upload(client, "a.jpg", JPEG).status_code == 201


def test_a_bucket_that_is_not_there_is_not_enabled(gateway: Build, sandbox: SandboxDriver) -> None:
    response = upload(gateway(bucket="elsewhere"), "a.jpg", JPEG)
    refused(sandbox, response, 503, "PARTNER_NOT_ENABLED")
    assert response.get_json()["upstream"]["code"] == "NoSuchBucket"


@pytest.mark.parametrize("text", ["", "  \n", "two\nlines", "ümlaut"])
def test_key_files_that_hold_no_key_send_nothing(
    gateway: Build, sandbox: SandboxDriver, tmp_path: Path, text: str
) -> None:
    response = upload(gateway(access_key_file=file(tmp_path, text)), "a.jpg", JPEG)
    refused(sandbox, response, 503, "UPSTREAM_ACCESS_DENIED")
    assert sandbox.requests() == []


def test_a_key_pair_that_was_replaced_is_used(
    gateway: Build, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    client = gateway(access_key_file=file(tmp_path, "WRONG"))
    refused(sandbox, upload(client, "a.jpg", JPEG), 503, "UPSTREAM_ACCESS_DENIED")
    file(tmp_path, OBS_ACCESS_KEY)
    assert upload(client, "a.jpg", JPEG).status_code == 201


class _Dripping:
    """A picture that somebody sends a byte at a time, and never whole."""

    def read(self, size: int = -1, /) -> bytes:
        threading.Event().wait(0.05)
        return b"x"[:size]


def test_an_upload_that_takes_too_long_is_given_up(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    bucket = client.application.extensions["partner_gateway"].buckets["default"]
    begun = time.monotonic()
    with pytest.raises(GatewayError) as failed:
        bucket.store("c-1/page.jpg", "image/jpeg", 1000, _Dripping(), within=0.5)
    assert time.monotonic() - begun < 3
    assert failed.value.code is ErrorCode.DEADLINE_EXCEEDED
    assert sandbox.objects() == []


FAULTS: list[tuple[str, dict[str, Any], int, str]] = [
    ("reset", {}, 502, "UPSTREAM_ERROR"),
    ("refuse", {}, 502, "UPSTREAM_ERROR"),
    ("hang", {}, 502, "UPSTREAM_ERROR"),
    ("html", {"status": 502}, 502, "UPSTREAM_MALFORMED"),
    ("redirect", {}, 502, "UPSTREAM_MALFORMED"),
    ("status", {"status": 500}, 502, "UPSTREAM_MALFORMED"),
    ("throttled", {}, 503, "UPSTREAM_THROTTLED"),
]


@pytest.mark.parametrize(("kind", "parameters", "status", "ours"), FAULTS)
def test_a_fault_stores_nothing_for_sure_and_the_upload_may_be_repeated(
    gateway: Build,
    sandbox: SandboxDriver,
    kind: str,
    parameters: dict[str, Any],
    status: int,
    ours: str,
) -> None:
    client = gateway(read_timeout=0.5)
    sandbox.fault("obs", kind, count=1, **parameters)
    response = upload(client, "a.jpg", JPEG)
    assert (response.status_code, code(response)) == (status, ours)
    assert response.get_json()["retry"] == "AFTER_DELAY"
    assert len(sandbox.requests("obs")) == 1
    sandbox.clear_faults()
    assert upload(client, "a.jpg", JPEG).status_code == 201


@pytest.mark.parametrize("length", [64 * 1024 + 100, 2 * 1024 * 1024])
def test_an_answer_that_is_too_long_does_not_spoil_the_next_upload(
    gateway: Build, length: int
) -> None:
    with RawUpstream(answer(502, "x" * length)) as obs:
        client = gateway(endpoint=obs.url)
        assert code(upload(client, "a.jpg", JPEG)) == "UPSTREAM_MALFORMED"
        obs.reply = answer(200)
        assert upload(client, "b.jpg", JPEG).status_code == 201


# OBS's own codes, which the sandbox does not all answer by itself.
CODES = {
    "AccessDenied": (403, 503, "UPSTREAM_ACCESS_DENIED"),
    "EntityTooLarge": (400, 413, "PAYLOAD_TOO_LARGE"),
    "InternalError": (500, 502, "UPSTREAM_ERROR"),
    "InvalidAccessKeyId": (403, 503, "UPSTREAM_ACCESS_DENIED"),
    "NoSuchBucket": (404, 503, "PARTNER_NOT_ENABLED"),
    "RequestTimeTooSkewed": (403, 503, "CLOCK_SKEWED"),
    "ServiceUnavailable": (503, 503, "UPSTREAM_THROTTLED"),
    "SignatureDoesNotMatch": (403, 503, "UPSTREAM_ACCESS_DENIED"),
    "SlowDown": (503, 503, "UPSTREAM_THROTTLED"),
    "NobodyHeardOfIt": (400, 502, "UPSTREAM_UNMAPPED"),
}


@pytest.mark.parametrize("upstream", CODES)
def test_each_code_of_obs_has_its_problem(
    client: FlaskClient, sandbox: SandboxDriver, upstream: str
) -> None:
    theirs, status, ours = CODES[upstream]
    document = f"<Error><Code>{upstream}</Code><Message>about my-secret</Message></Error>"
    sandbox.fault("obs", "status", status=theirs, body=document)
    response = upload(client, "a.jpg", JPEG)
    refused(sandbox, response, status, ours)
    assert response.get_json()["upstream"]["code"] == upstream
    assert "my-secret" not in response.text
    waits = response.get_json()["retry"] == "AFTER_DELAY"
    assert ("Retry-After" in response.headers) is waits


def test_a_refusal_that_closes_the_connection_is_understood(gateway: Build) -> None:
    refusal = answer(403, "<Error><Code>AccessDenied</Code></Error>", "Connection: close")
    with RawUpstream(refusal) as obs:
        response = upload(gateway(endpoint=obs.url), "a.jpg", JPEG)
        assert code(response) == "UPSTREAM_ACCESS_DENIED"
        assert [len(request.body) for request in obs.requests] == [len(JPEG)]


def test_nobody_there_is_unreachable(gateway: Build) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    response = upload(gateway(endpoint=url), "a.jpg", JPEG)
    assert (response.status_code, code(response)) == (503, "UPSTREAM_UNREACHABLE")
