"""Setting faults in the sandbox: how often, for whom, and malformed ones."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.faults import KINDS
from tests.support.bucket import Bucket
from tests.support.partner import SUCCESS, Partner
from tests.support.sandbox_driver import SandboxDriver


def test_a_fault_applies_to_its_operation_as_often_as_requested(
    driver: SandboxDriver, partner: Partner, bucket: Bucket
) -> None:
    driver.fault("verified-info", "html", count=2)
    assert driver.faults() == [
        {
            "operation": "verified-info",
            "kind": "html",
            "customer": None,
            "count": 2,
            "processed": False,
            "status": 502,
        }
    ]
    assert partner.result("c").status_code == 200
    assert [partner.verify().status_code for _ in range(3)] == [502, 502, 200]
    driver.fault("obs", "html", status=503)
    assert bucket.put("a.jpg", b"x").status_code == 503
    driver.fault("*", "empty")
    assert partner.verify().content == b""
    driver.clear_faults()
    assert driver.faults() == []
    assert partner.verify().json() == SUCCESS


def test_a_fault_for_one_customer_does_not_apply_to_others(
    driver: SandboxDriver, partner: Partner, bucket: Bucket
) -> None:
    driver.fault("*", "html", customer="c-1")
    assert partner.result("c-1").status_code == 502
    assert partner.result("c-10").status_code == 200
    assert partner.verify(domainId="c-1").status_code == 502
    assert partner.verify(domainId="c-10").status_code == 200
    assert bucket.put("download/c-1/a.jpg", b"x").status_code == 502
    assert bucket.put("download/c-10/a.jpg", b"x").status_code == 200


def test_every_kind_of_fault_can_be_set(driver: SandboxDriver) -> None:
    for kind in KINDS:
        driver.fault("change", kind)
    assert [fault["kind"] for fault in driver.faults()] == list(KINDS)


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"operation": "nothing", "kind": "html"},
        {"operation": "result"},
        {"operation": "result", "kind": "nothing"},
        {"operation": "result", "kind": "html", "count": 0},
        {"operation": "result", "kind": "html", "customer": 1},
        {"operation": "result", "kind": "damaged_text", "damage": "none"},
        {"operation": "result", "kind": "html", "count": True},
        {"operation": "result", "kind": "html", "processed": 1},
        {"operation": "result", "kind": "refuse", "processed": True},
        {"operation": "result", "kind": "html", "status": 99},
        {"operation": "result", "kind": "html", "seconds": 1},
        {"operation": "result", "kind": "hang", "seconds": -1},
        {"operation": "result", "kind": "code", "code": "XYZ.1"},
        {"operation": "result", "kind": "throttled", "retry_after": "soon"},
    ],
)
def test_a_malformed_fault_is_refused(driver: SandboxDriver, document: Any) -> None:
    response = requests.post(f"{driver.url}/_sandbox/faults", json=document, timeout=10)
    assert response.status_code == 400
    assert response.json()["error"]
    assert driver.faults() == []
