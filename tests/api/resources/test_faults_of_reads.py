"""The faults of Huawei on the reads of bills, orders and resources: never a success or a text."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.declared_billing import ROWS
from tests.support.declared_reads import get
from tests.support.declared_row import Row
from tests.support.sandbox_driver import SandboxDriver

SAID = "QANARY Huawei's words"
FINE = (200, None)
MALFORMED = (502, "UPSTREAM_MALFORMED")
ERROR = (502, "UPSTREAM_ERROR")
FAULTS: list[tuple[str, dict[str, Any], tuple[int, str | None]]] = [
    ("latency", {"seconds": 0.1}, FINE),
    ("content_type", {}, FINE),
    ("damaged_text", {}, FINE),
    ("reset", {}, ERROR),
    ("refuse", {}, ERROR),
    ("truncated", {}, ERROR),
    ("html", {}, MALFORMED),
    ("empty", {}, MALFORMED),
    ("bad_json", {}, MALFORMED),
    ("not_object", {}, MALFORMED),
    ("huge", {}, MALFORMED),
    ("redirect", {"location": "/elsewhere"}, MALFORMED),
    ("status", {"status": 500, "body": SAID}, MALFORMED),
    ("status", {"status": 200, "body": {"message": SAID}}, MALFORMED),
    ("code", {"code": "CBC.0999", "message": SAID}, ERROR),
    ("code", {"code": "CBC.99424242", "message": SAID}, (502, "UPSTREAM_UNMAPPED")),
    ("code", {"code": "CBC.0151", "message": SAID}, (503, "UPSTREAM_ACCESS_DENIED")),
    ("throttled", {}, (503, "UPSTREAM_THROTTLED")),
]


@pytest.fixture
def stocked(sandbox: SandboxDriver) -> SandboxDriver:
    sandbox.customer("cust-1", name="shop_1")
    sandbox.order("CS1", customer_id="cust-1", refunds=["-1"])
    sandbox.resource("vm-1", customer_id="cust-1")
    return sandbox


@pytest.mark.parametrize("row", ROWS, ids=[row.operation for row in ROWS])
def test_a_fault_of_huawei_on_a_read_becomes_its_problem(
    reads: FlaskClient, stocked: SandboxDriver, row: Row, subtests: pytest.Subtests
) -> None:
    for kind, parameters, expected in FAULTS:
        with subtests.test(f"{kind} {parameters}"):
            stocked.clear_faults()
            stocked.fault(row.operation, kind, **parameters)
            answer = get(reads, row.path)
            assert (answer.status_code, answer.json.get("code")) == expected
            assert "QANARY" not in answer.text
