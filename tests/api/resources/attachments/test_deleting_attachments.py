"""Deleting attachments: what is deleted in the bucket, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.errors import ErrorCode
from tests.support.gateway import CUSTOMER, bearer, check_problem
from tests.support.sandbox_driver import SandboxDriver
from tests.support.verifications import upload

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(100)
KEY = f"download/{CUSTOMER}/page.jpg"


def delete(client: FlaskClient, name: str = "page.jpg", **more: str) -> TestResponse:
    path = f"/v1/customers/{more.pop('customer', CUSTOMER)}/attachments/{name}"
    return client.delete(path, headers=bearer(more.pop("key", "writer-key")) | more)


def stored(sandbox: SandboxDriver) -> list[str]:
    return [one["key"] for one in sandbox.objects()]


def test_a_deleted_attachment_is_gone_and_the_other_attachments_stay(
    client: FlaskClient, sandbox: SandboxDriver
) -> None:
    upload(client, "page.jpg", JPEG)
    upload(client, "holding.jpg", JPEG)
    upload(client, "page.jpg", JPEG, customer="other")
    response = delete(client)
    assert (response.status_code, response.data) == (204, b"")
    assert "Content-Type" not in response.headers
    assert stored(sandbox) == [
        f"download/{CUSTOMER}/holding.jpg",
        "download/other/page.jpg",
    ]
    sent = sandbox.requests()[-1]
    assert (sent["method"], sent["target"], sent["body"]) == ("DELETE", f"/{KEY}", "")


def test_deleting_what_is_not_there_succeeds_as_in_obs(client: FlaskClient) -> None:
    assert [delete(client).status_code for _ in range(2)] == [204, 204]


@pytest.mark.parametrize("name", ["..", "%2e%2e", "a%2Fb.jpg", ".a.jpg", ""])
def test_a_malformed_name_deletes_nothing(
    client: FlaskClient, sandbox: SandboxDriver, name: str
) -> None:
    check_problem(delete(client, name), ErrorCode.NOT_FOUND)
    assert sandbox.requests() == []


@pytest.mark.parametrize("key", ["reader-key", "operator-key"])
def test_a_deletion_needs_the_scope_attachments_write(
    client: FlaskClient, sandbox: SandboxDriver, key: str
) -> None:
    check_problem(delete(client, key=key), ErrorCode.FORBIDDEN)
    assert sandbox.requests() == []


def test_a_deletion_at_an_account_without_a_bucket_is_refused(client: FlaskClient) -> None:
    response = delete(client, **{"Partner-Account": "second"})
    check_problem(response, ErrorCode.PARTNER_NOT_ENABLED)


@pytest.mark.parametrize(
    ("fault", "options", "code"),
    [
        ("status", {"status": 200, "body": ""}, ErrorCode.UPSTREAM_MALFORMED),
        ("html", {}, ErrorCode.UPSTREAM_MALFORMED),
        ("status", {"status": 503, "body": ""}, ErrorCode.UPSTREAM_MALFORMED),
        ("reset", {}, ErrorCode.UPSTREAM_ERROR),
    ],
)
def test_a_failed_deletion_is_a_problem_and_may_be_repeated(
    client: FlaskClient,
    sandbox: SandboxDriver,
    fault: str,
    options: dict[str, Any],
    code: ErrorCode,
) -> None:
    sandbox.fault("obs", fault, count=1, **options)
    problem = check_problem(delete(client), code)
    assert problem["retry"] == "AFTER_DELAY"
    assert delete(client).status_code == 204


def test_a_deletion_is_in_the_audit_trail_without_the_name(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert delete(client, "mustermann.jpg").status_code == 204
    lines = [vars(one) for one in caplog.records if one.name.endswith("audit")]
    assert [line["msg"] for line in lines] == ["sending", "write"]
    assert all("delete_attachment" in repr(line) for line in lines)
    assert "mustermann" not in repr([vars(one) for one in caplog.records])
