"""Clock skew between Huawei and the gateway, measured by the `Date` of answers."""

from __future__ import annotations

import json
import logging
from email.utils import formatdate

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from app.huawei.credentials.clock_skew import INTERVAL, WARN_FROM, WARN_INTERVAL, ClockSkew
from app.observability.logs import JsonFormatter
from tests.support.gateway import code, submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock


def gauge(account: str) -> float | None:
    return REGISTRY.get_sample_value("gateway_clock_skew_seconds", {"account": account})


class Measured:
    """A measurement with two clocks that the test sets."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.now, self.monotonic = Clock(1_800_000_000.0), Clock(0.0)
        self.skew = ClockSkew(account, self.now, self.monotonic)

    def note(self, seconds: float) -> float | None:
        """Record an answer whose clock is that many seconds ahead. Returns the gauge."""
        self.skew.note({"date": formatdate(self.now.seconds + seconds, usegmt=True)})
        return gauge(self.account)


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measured:
    return Measured(request.node.name)


def warnings(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    found = [record for record in caplog.records if record.name == "gateway.clock"]
    assert all(record.levelno == logging.WARNING for record in found)
    return [json.loads(JsonFormatter().format(record)) for record in found]


@pytest.mark.parametrize("seconds", [0, 7, -7, 59, -59])
def test_a_small_clock_skew_is_measured_without_a_warning(
    measured: Measured, caplog: pytest.LogCaptureFixture, seconds: int
) -> None:
    assert measured.note(seconds) == seconds
    assert warnings(caplog) == []


@pytest.mark.parametrize("seconds", [60, -60, 900, -86400])
def test_clock_skew_of_a_minute_is_warned_of(
    measured: Measured, caplog: pytest.LogCaptureFixture, seconds: int
) -> None:
    assert abs(seconds) >= WARN_FROM
    assert measured.note(seconds) == seconds
    (line,) = warnings(caplog)
    assert (line["account"], line["seconds"]) == (measured.account, seconds)


def test_clock_skew_is_measured_once_per_interval_and_warned_of_less_often(
    measured: Measured, caplog: pytest.LogCaptureFixture
) -> None:
    assert measured.note(100) == 100
    assert measured.note(200) == 100
    measured.monotonic.pass_time(INTERVAL)
    assert measured.note(200) == 200
    assert len(warnings(caplog)) == 1
    measured.monotonic.pass_time(WARN_INTERVAL)
    assert measured.note(300) == 300
    assert [line["seconds"] for line in warnings(caplog)] == [100, 300]


def test_the_gauge_of_clock_skew_is_0_once_the_clock_is_right(measured: Measured) -> None:
    assert measured.note(100) == 100
    measured.monotonic.pass_time(INTERVAL)
    assert measured.note(0) == 0


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(date=st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=60))
@example("")
@example("yesterday")
@example("Mon, 31 Feb 2026 00:00:00 GMT")
@example("Mon, 01 Jan 99999999999999999999 00:00:00 GMT")
@example("Mon, 99999999999999999999 Jan 2026 00:00:00 GMT")
@example("Mon, 01 Jan 2026 00:00:00 +99999999999999")
def test_a_malformed_date_header_is_ignored(measured: Measured, date: str) -> None:
    measured.monotonic.pass_time(INTERVAL)
    assert measured.note(5) == 5
    measured.monotonic.pass_time(INTERVAL)
    measured.skew.note({"date": date})
    assert gauge(measured.account) == 5


def test_an_answer_without_a_date_header_does_not_change_the_clock_skew(measured: Measured) -> None:
    measured.skew.note({})
    assert gauge(measured.account) is None


def test_requests_succeed_despite_clock_skew_and_one_warning_is_logged(
    client: FlaskClient, sandbox: SandboxDriver, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.clock(-90)
    assert [submit(client).status_code for _ in range(5)] == [201] * 5
    assert gauge("default") == pytest.approx(-90, abs=3)
    assert len(warnings(caplog)) == 1


def test_a_signature_that_huawei_calls_expired_is_reported_as_clock_skew(
    client: FlaskClient, sandbox: SandboxDriver, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.clock(1000)
    response = submit(client)
    assert (response.status_code, code(response)) == (503, "CLOCK_SKEWED")
    assert response.get_json()["retry"] == "CONTACT_OPERATOR"
    assert response.headers["Retry-After"] == "5"
    assert gauge("default") == pytest.approx(1000, abs=3)
    assert len(warnings(caplog)) == 1
