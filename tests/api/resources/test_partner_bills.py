"""The partner's bill: which months have one, and what the others answer."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from app.errors import ErrorCode
from tests.support.declared_reads import get
from tests.support.gateway import check_problem
from tests.support.sandbox_driver import SandboxDriver


def test_a_bill_is_answered_in_our_words(reads: FlaskClient, sandbox: SandboxDriver) -> None:
    sandbox.bill("2020-12", consumed="0.00000001", refunded="-2.10", adjusted="0", tax="0.5")
    assert get(reads, "/v1/partner/bills/2020-12").json == {
        "month": "2020-12",
        "due": "-2.09999999",
        "consumed": "0.00000001",
        "refunded": "-2.10",
        "adjusted": "0",
        "tax": "0.5",
        "currency": "USD",
    }


def test_the_bill_of_the_present_month_is_ready_on_the_5th_of_the_next(
    reads: FlaskClient, sandbox: SandboxDriver
) -> None:
    now = time.time()
    beijing = datetime.fromtimestamp(now, UTC) + timedelta(hours=8)
    answer = get(reads, f"/v1/partner/bills/{beijing:%Y-%m}")
    problem = check_problem(answer, ErrorCode.BILL_NOT_READY)
    following = (beijing.replace(day=1) + timedelta(days=31)).replace(day=5)
    ready = following.replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(hours=8)
    pause = int(answer.headers["Retry-After"])
    assert problem["retry_after_s"] == pause
    assert now + pause == pytest.approx(ready.timestamp(), abs=10)
    assert f"{ready:%Y-%m-%dT%H:%M:%SZ}" in problem["detail"]
    assert problem["retry"] == "AFTER_DELAY"
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    ("month", "rule"),
    [("2999-12", "FUTURE_MONTH"), ("2026-13", "MONTH"), ("202610", "MONTH"), ("..", "MONTH")],
)
def test_a_text_that_is_no_past_month_is_refused_before_huawei_is_asked(
    reads: FlaskClient, sandbox: SandboxDriver, month: str, rule: str
) -> None:
    answer = get(reads, f"/v1/partner/bills/{month}")
    problem = check_problem(answer, ErrorCode.VALIDATION_FAILED)
    assert [(one["parameter"], one["code"]) for one in problem["errors"]] == [("month", rule)]
    assert f'"{month}"' not in answer.text
    assert sandbox.requests() == []
