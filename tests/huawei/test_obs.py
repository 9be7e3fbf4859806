"""Storing in an account's OBS bucket: the signature, and what each refusal means."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.errors import ErrorCode, GatewayError
from app.huawei import obs as bucket
from tests.support.bucket import OBS_ACCESS_KEY, OBS_SECRET_KEY, REGION, UnsignedPayload
from tests.support.connect_proxy import ConnectProxy
from tests.support.gateway import CUSTOMER, altered, code
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import configured, upload, with_bucket

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 100
Build = Callable[..., FlaskClient]


@pytest.fixture
def gateway(tmp_path: Path, sandbox: SandboxDriver) -> Build:
    """Builds a gateway whose bucket has some settings changed."""

    def build(
        *,
        read_timeout: float = 15,
        ca_file: str | None = None,
        proxy: str | None = None,
        **changes: Any,
    ) -> FlaskClient:
        settings = with_bucket(configured(tmp_path, sandbox.url), tmp_path, **changes)
        account = {"timeouts": {"read": read_timeout}, "ca_file": ca_file, "proxy": proxy}
        return create_app(altered(settings, **account)).test_client()

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


def signed_again(entry: dict[str, Any]) -> str:
    """The signature of botocore for a received request."""
    headers = {name.lower(): value for name, value in entry["headers"].items()}
    names = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest(
        method=entry["method"],
        url=f"http://{headers['host']}{entry['target']}",
        headers={name: headers[name] for name in names},
    )
    request.context["timestamp"] = headers["x-amz-date"]
    judge = UnsignedPayload(Credentials(OBS_ACCESS_KEY, OBS_SECRET_KEY), "s3", REGION)
    to_sign = judge.string_to_sign(request, judge.canonical_request(request))
    signature: str = judge.signature(to_sign, request)
    return signature


# addressing -> host and path prefix of a request
PLACES = {
    "virtual-host": ("kyc.localhost:{port}", "/download"),
    "path": ("127.0.0.1:{port}", "/kyc/download"),
}


@pytest.mark.parametrize("addressing", PLACES)
@pytest.mark.parametrize("name", ["page.jpg", "-_.jpg", "A.b-c_d.JPG", "x" * 124 + ".jpg"])
def test_the_obs_signature_equals_that_of_botocore(
    gateway: Build, sandbox: SandboxDriver, addressing: str, name: str
) -> None:
    sandbox.settings(obs_addressing=addressing)
    assert upload(gateway(addressing=addressing), name, JPEG).status_code == 201
    (entry,) = sandbox.requests("obs")
    headers = {key.lower(): value for key, value in entry["headers"].items()}
    assert headers["authorization"].endswith(f"Signature={signed_again(entry)}")
    assert headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert headers["content-length"] == str(len(JPEG))
    assert "transfer-encoding" not in headers
    host, folder = PLACES[addressing]
    assert headers["host"] == host.format(port=urlsplit(sandbox.url).port)
    assert entry["target"] == f"{folder}/{CUSTOMER}/{name}"
    assert {"content-type", "host", "x-amz-content-sha256", "x-amz-date"} <= set(
        headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    )


def test_the_bucket_is_a_subdomain_of_the_endpoint_unless_configured_otherwise(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    assert upload(client, "a.jpg", JPEG).status_code == 201
    (entry,) = sandbox.requests("obs")
    assert entry["headers"]["Host"].startswith("kyc.localhost:")


@pytest.mark.parametrize(
    ("addressing", "other", "upstream"),
    [
        ("path", "virtual-host", "VirtualHostDomainRequired"),
        ("virtual-host", "path", "NoSuchBucket"),
    ],
)
def test_a_wrong_addressing_of_the_bucket_is_reported_to_the_operator(
    gateway: Build, sandbox: SandboxDriver, addressing: str, other: str, upstream: str
) -> None:
    sandbox.settings(obs_addressing=other)
    response = upload(gateway(addressing=addressing), "a.jpg", JPEG)
    refused(sandbox, response, 503, "PARTNER_NOT_ENABLED")
    assert response.get_json()["upstream"]["code"] == upstream
    assert response.get_json()["retry"] == "CONTACT_OPERATOR"


@pytest.mark.parametrize("certificate", ["kyc.localhost", "localhost"])
def test_the_certificate_is_verified_for_the_host_with_the_buckets_name(
    gateway: Build, authority: trustme.CA, ca_file: str, certificate: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    authority.issue_cert(certificate).configure_cert(context)
    with RawUpstream(answer(200), tls=context) as obs:
        client = gateway(ca_file=ca_file, endpoint=obs.url)
        stored = upload(client, "a.jpg", JPEG)
    assert asked == ["kyc.localhost"]
    if certificate == "kyc.localhost":
        assert stored.status_code == 201
        assert obs.requests[0].headers["Host"] == f"kyc.localhost:{obs.port}"
    else:
        assert code(stored) == "UPSTREAM_UNREACHABLE"
        assert obs.requests == []


def test_a_proxy_tunnels_to_the_host_with_the_buckets_name(gateway: Build) -> None:
    with ConnectProxy(refuse=403) as proxy:
        client = gateway(proxy=proxy.url, endpoint="https://obs.example.com")
        assert code(upload(client, "a.jpg", JPEG)) == "UPSTREAM_UNREACHABLE"
    assert proxy.asked == ["kyc.obs.example.com:443"]


def refused(sandbox: SandboxDriver, response: TestResponse, status: int, ours: str) -> None:
    problem = response.get_json()
    assert (response.status_code, problem["code"]) == (status, ours)
    assert sandbox.objects() == []


def test_a_wrong_access_key_of_the_bucket_is_reported_to_the_operator(
    gateway: Build, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    response = upload(gateway(access_key_file=file(tmp_path, "WRONG")), "a.jpg", JPEG)
    refused(sandbox, response, 503, "UPSTREAM_ACCESS_DENIED")
    upstream = response.get_json()["upstream"]
    assert (upstream["code"], upstream["status"]) == ("InvalidAccessKeyId", 403)
    assert "WRONG" not in response.text


def test_a_wrong_secret_key_of_the_bucket_is_reported_to_the_operator(
    gateway: Build, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    response = upload(gateway(secret_key_file=file(tmp_path, "WRONG")), "a.jpg", JPEG)
    refused(sandbox, response, 503, "UPSTREAM_ACCESS_DENIED")
    assert response.get_json()["upstream"]["code"] == "SignatureDoesNotMatch"
    assert response.get_json()["retry"] == "CONTACT_OPERATOR"


@pytest.mark.parametrize("offset", [-1000, 1000])
def test_clock_skew_on_an_upload_is_reported(
    client: FlaskClient, sandbox: SandboxDriver, offset: int
) -> None:
    sandbox.clock(offset)
    refused(sandbox, upload(client, "a.jpg", JPEG), 503, "CLOCK_SKEWED")
    sandbox.clock(offset // 2)
    assert upload(client, "a.jpg", JPEG).status_code == 201


def test_a_missing_bucket_is_reported_as_not_enabled(
    gateway: Build, sandbox: SandboxDriver
) -> None:
    response = upload(gateway(bucket="elsewhere"), "a.jpg", JPEG)
    refused(sandbox, response, 503, "PARTNER_NOT_ENABLED")
    assert response.get_json()["upstream"]["code"] == "NoSuchBucket"


@pytest.mark.parametrize("text", ["", "  \n", "two\nlines", "ümlaut"])
def test_nothing_is_uploaded_where_the_key_files_hold_no_key(
    gateway: Build, sandbox: SandboxDriver, tmp_path: Path, text: str
) -> None:
    response = upload(gateway(access_key_file=file(tmp_path, text)), "a.jpg", JPEG)
    refused(sandbox, response, 503, "UPSTREAM_ACCESS_DENIED")
    assert sandbox.requests() == []


def test_an_upload_is_signed_with_a_replaced_key_pair(
    gateway: Build, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    client = gateway(access_key_file=file(tmp_path, "WRONG"))
    refused(sandbox, upload(client, "a.jpg", JPEG), 503, "UPSTREAM_ACCESS_DENIED")
    file(tmp_path, OBS_ACCESS_KEY)
    assert upload(client, "a.jpg", JPEG).status_code == 201


class _Dripping:
    """A picture that arrives byte by byte and never ends."""

    def read(self, size: int = -1, /) -> bytes:
        threading.Event().wait(0.05)
        return b"x"[:size]


def test_an_upload_ends_at_its_deadline(client: FlaskClient, sandbox: SandboxDriver) -> None:
    obs = client.application.extensions["partner_gateway"].buckets["default"]
    begun = time.monotonic()
    with pytest.raises(GatewayError) as failed:
        obs.store("c-1/page.jpg", "image/jpeg", 1000, _Dripping(), within=0.5)
    assert time.monotonic() - begun < 3
    assert failed.value.code is ErrorCode.DEADLINE_EXCEEDED
    assert sandbox.objects() == []


FAULTS: list[tuple[str, dict[str, Any], int, str]] = [
    ("reset", {}, 502, "UPSTREAM_ERROR"),
    ("refuse", {}, 502, "UPSTREAM_ERROR"),
    ("hang", {}, 502, "UPSTREAM_ERROR"),
    ("html", {"status": 502}, 502, "UPSTREAM_MALFORMED"),
    # Only an empty 200 says that the object is stored.
    ("html", {"status": 200}, 502, "UPSTREAM_MALFORMED"),
    ("status", {"status": 200, "body": {}}, 502, "UPSTREAM_MALFORMED"),
    ("empty", {"status": 201, "processed": False}, 502, "UPSTREAM_MALFORMED"),
    ("empty", {"status": 202, "processed": False}, 502, "UPSTREAM_MALFORMED"),
    ("empty", {"status": 204, "processed": False}, 502, "UPSTREAM_MALFORMED"),
    ("empty", {"status": 304, "processed": False}, 502, "UPSTREAM_MALFORMED"),
    ("redirect", {}, 502, "UPSTREAM_MALFORMED"),
    ("status", {"status": 500}, 502, "UPSTREAM_MALFORMED"),
    ("throttled", {}, 503, "UPSTREAM_THROTTLED"),
]


@pytest.mark.parametrize(("kind", "parameters", "status", "ours"), FAULTS)
def test_an_upload_that_failed_by_a_fault_may_be_repeated(
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
def test_an_oversized_answer_does_not_affect_the_next_upload(gateway: Build, length: int) -> None:
    with RawUpstream(answer(502, "x" * length)) as obs:
        client = gateway(endpoint=obs.url)
        assert code(upload(client, "a.jpg", JPEG)) == "UPSTREAM_MALFORMED"
        obs.reply = answer(200)
        assert upload(client, "b.jpg", JPEG).status_code == 201


DENIED = (503, "UPSTREAM_ACCESS_DENIED", "GATEWAY", "CONTACT_OPERATOR")
NOT_ENABLED = (503, "PARTNER_NOT_ENABLED", "GATEWAY", "CONTACT_OPERATOR")
FAILED = (502, "UPSTREAM_ERROR", "UPSTREAM", "AFTER_DELAY")
THROTTLED = (503, "UPSTREAM_THROTTLED", "UPSTREAM", "AFTER_DELAY")

# OBS's own codes with their documented statuses (obs_04_0115, obs_28_1601); the sandbox does not
# produce all of them by itself. Status, code, fault and `retry` of our problem.
CODES = {
    "AccessDenied": (403, DENIED),
    "AccountProblem": (403, NOT_ENABLED),
    "AllAccessDisabled": (403, NOT_ENABLED),
    "AuthorizationHeaderMalformed": (400, DENIED),
    "BadDomainName": (400, NOT_ENABLED),
    "DeregisterUserId": (403, NOT_ENABLED),
    "EntityTooLarge": (400, (413, "PAYLOAD_TOO_LARGE", "CALLER", "AFTER_FIX")),
    "FrozenUserId": (403, NOT_ENABLED),
    "InArrearOrInsufficientBalance": (403, NOT_ENABLED),
    "IncompleteBody": (400, FAILED),
    "InsufficientStorageSpace": (403, NOT_ENABLED),
    "InternalError": (500, FAILED),
    "InvalidAccessKeyId": (403, DENIED),
    "InvalidBucket": (400, NOT_ENABLED),
    "InvalidBucketName": (400, NOT_ENABLED),
    "KMS.DisabledException": (400, NOT_ENABLED),
    "KMS.NotFoundException": (400, NOT_ENABLED),
    "NoSuchBucket": (404, NOT_ENABLED),
    "NotSignedUp": (403, NOT_ENABLED),
    "OperationAborted": (409, FAILED),
    "PermanentRedirect": (301, NOT_ENABLED),
    "RequestPayerDenied": (403, NOT_ENABLED),
    "RequestTimeTooSkewed": (403, (503, "CLOCK_SKEWED", "GATEWAY", "CONTACT_OPERATOR")),
    "RequestTimeout": (408, FAILED),
    "ServiceUnavailable": (503, THROTTLED),
    "SignatureDoesNotMatch": (403, DENIED),
    "SlowDown": (503, THROTTLED),
    "TemporaryRedirect": (307, FAILED),
    "TooManyRequests": (429, THROTTLED),
    "TooManyWrongSignature": (400, DENIED),
    "Unauthorized": (403, NOT_ENABLED),
    "VirtualHostDomainRequired": (403, NOT_ENABLED),
    "NobodyHeardOfIt": (400, (502, "UPSTREAM_UNMAPPED", "UPSTREAM", "AFTER_DELAY")),
}


def test_every_error_code_of_the_obs_table_is_tested() -> None:
    assert CODES.keys() - bucket.CODES.keys() == {"NobodyHeardOfIt"}
    assert bucket.CODES.keys() <= CODES.keys()


@pytest.mark.parametrize("upstream", CODES)
def test_each_error_code_of_obs_has_its_problem(
    client: FlaskClient, sandbox: SandboxDriver, upstream: str
) -> None:
    theirs, (status, ours, fault, retry) = CODES[upstream]
    document = f"<Error><Code>{upstream}</Code><Message>about my-secret</Message></Error>"
    sandbox.fault("obs", "status", status=theirs, body=document)
    response = upload(client, "a.jpg", JPEG)
    refused(sandbox, response, status, ours)
    problem = response.get_json()
    assert (problem["upstream"]["code"], problem["upstream"]["status"]) == (upstream, theirs)
    assert (problem["fault"], problem["retry"]) == (fault, retry)
    assert "my-secret" not in response.text
    waits = response.get_json()["retry"] == "AFTER_DELAY"
    assert ("Retry-After" in response.headers) is waits


def test_a_refusal_that_closes_the_connection_during_an_upload_is_read(gateway: Build) -> None:
    refusal = answer(403, "<Error><Code>AccessDenied</Code></Error>", "Connection: close")
    with RawUpstream(refusal) as obs:
        response = upload(gateway(endpoint=obs.url), "a.jpg", JPEG)
        assert code(response) == "UPSTREAM_ACCESS_DENIED"
        assert [len(request.body) for request in obs.requests] == [len(JPEG)]


def test_an_obs_endpoint_that_refuses_connections_is_unreachable(gateway: Build) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    response = upload(gateway(endpoint=url), "a.jpg", JPEG)
    assert (response.status_code, code(response)) == (503, "UPSTREAM_UNREACHABLE")
