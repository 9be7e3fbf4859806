"""Failed uploads to an account's OBS bucket: the meaning of each fault and code."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.errors import ErrorCode, GatewayError
from app.huawei import obs_answers
from tests.huawei.obs.conftest import JPEG, Build, refused
from tests.support.bucket import OBS_ACCESS_KEY
from tests.support.gateway import code
from tests.support.raw_upstream import RawUpstream, answer
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import upload


def file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "other-key"
    path.write_text(text)
    return str(path)


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


def test_nothing_is_uploaded_while_a_key_file_is_missing(
    gateway: Build, sandbox: SandboxDriver, tmp_path: Path
) -> None:
    client = gateway(secret_key_file=str(tmp_path / "missing"))
    refused(sandbox, upload(client, "a.jpg", JPEG), 503, "UPSTREAM_ACCESS_DENIED")
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
    obs = client.application.extensions["partner_gateway"].accounts["default"].bucket
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
    client = gateway(fault=kind)
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
    assert CODES.keys() - obs_answers.CODES.keys() == {"NobodyHeardOfIt"}
    assert obs_answers.CODES.keys() <= CODES.keys()


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
    waits = problem["retry"] == "AFTER_DELAY" or ours == "CLOCK_SKEWED"
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
