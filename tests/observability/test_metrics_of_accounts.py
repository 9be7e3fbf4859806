"""The metrics of credentials, the switch-off, quota and version."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.settings import Settings
from app.verification.switch_off import CUSTOMERS
from tests.support.accounts import Mounted, with_pairs, with_token
from tests.support.gateway import altered, code, submit
from tests.support.log import Log
from tests.support.metrics import counted, seen
from tests.support.sandbox_driver import SandboxDriver

FIRST_PAIR = {"account": "default", "pair": "0"}


def test_a_call_to_iam_is_counted_and_a_locked_user_makes_the_credentials_unusable(
    settings: Settings, sandbox: SandboxDriver, tmp_path: Path, log: Log
) -> None:
    app = create_app(with_token(settings, tmp_path, sandbox.url))
    labels = {"account": "default", "operation": "iam_token"}
    calls = "gateway_upstream_calls_total"
    denied = counted(calls, **labels, outcome="UPSTREAM_ACCESS_DENIED", code="IAM.0061")
    fine = counted(calls, **labels, outcome="OK", code="none")
    timed = counted("gateway_upstream_seconds_count", **labels)
    locked = counted("gateway_credential_events_total", account="default", event="locked")
    assert submit(app.test_client()).status_code == 201
    assert seen(app, "gateway_credentials_usable", account="default") == 1

    app = create_app(with_token(settings, tmp_path, sandbox.url))
    sandbox.fault("token", "code", code="IAM.0061", status=401)
    assert code(submit(app.test_client())) == "UPSTREAM_ACCESS_DENIED"
    assert seen(app, "gateway_credentials_usable", account="default") == 0
    assert (fine(), denied(), timed(), locked()) == (1, 1, 2, 1)
    (line,) = (one for one in log.lines if one["event"] == "IAM refused to issue a token")
    assert (line["verdict"], line["upstream_code"]) == ("locked", "IAM.0061")
    assert line["upstream_status"] == 401
    assert line["upstream_request_id"]


def test_the_expiry_of_a_temporary_pair_is_a_metric(settings: Settings, tmp_path: Path) -> None:
    temporary = Mounted(tmp_path / "temporary", temporary=True)
    temporary.write("AK", "SK", "token", "2099-01-01T00:00:00Z")
    app = create_app(with_pairs(settings, temporary))
    assert app.test_client().get("/readyz").status_code == 200
    ends = datetime(2099, 1, 1, tzinfo=UTC).timestamp()
    assert seen(app, "gateway_key_expiry_timestamp_seconds", **FIRST_PAIR) == ends


def test_a_suspended_key_pair_is_a_metric(app: Flask, sandbox: SandboxDriver) -> None:
    assert seen(app, "gateway_key_locked", **FIRST_PAIR) == 0
    assert seen(app, "gateway_credentials_usable", account="default") == 1
    sandbox.fault("verified-info", "code", code="APIGW.0301", status=401, message=LOCKED)
    assert code(submit(app.test_client())) == "ACCESS_KEY_LOCKED"
    assert seen(app, "gateway_key_locked", **FIRST_PAIR) == 1
    assert seen(app, "gateway_credentials_usable", account="default") == 0
    assert seen(app, "gateway_credentials_usable", account="second") == 1


LOCKED = "Incorrect IAM authentication information: AK access failed to reach the limit, forbidden"


def test_the_age_of_a_key_pair_is_that_of_its_files(app: Flask, settings: Settings) -> None:
    written = time.time() - 86400
    for path in settings.accounts["default"].credentials[0].model_dump(exclude_none=True).values():
        os.utime(Path(path), (written, written))
    app = create_app(settings)
    found = seen(app, "gateway_key_timestamp_seconds", **FIRST_PAIR)
    assert found == pytest.approx(written, abs=1)


def test_the_metric_of_the_retired_legacy_api_is_1_once_the_switch_off_is_believed(
    settings: Settings, sandbox: SandboxDriver
) -> None:
    app = create_app(altered(settings, verification={"backend": "auto"}))
    sandbox.settings(legacy="retired")
    for number in range(CUSTOMERS):
        assert seen(app, "gateway_legacy_retired", account="default") == 0
        response = submit(app.test_client(), f"cust-{number}")
        assert code(response) == "LEGACY_API_UNAVAILABLE"
    assert seen(app, "gateway_legacy_retired", account="default") == 1


def test_with_backend_legacy_the_metric_of_the_retired_legacy_api_stays_0(
    app: Flask, sandbox: SandboxDriver
) -> None:
    sandbox.settings(legacy="retired")
    for number in range(CUSTOMERS):
        response = submit(app.test_client(), f"cust-{number}")
        assert code(response) == "LEGACY_API_RETIRED"
    assert seen(app, "gateway_legacy_retired", account="default") == 0


def test_quota_and_version_are_metrics(app: Flask) -> None:
    assert seen(app, "gateway_quota_calls_per_second", account="default") == 1000
    assert seen(app, "gateway_build_info", version="1.2.3") == 1
