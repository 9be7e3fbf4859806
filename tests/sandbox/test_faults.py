"""Every kind of fault: the answer to the caller, and whether the sandbox processed the call."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
import requests

from sandbox import create_sandbox
from sandbox.faults import DAMAGES
from sandbox.injection import HUGE_BYTES
from tests.support.partner import SUCCESS, VERIFIED_INFO, Partner, verified_info
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until


@pytest.mark.parametrize(
    ("kind", "processed"), [("reset", True), ("reset", False), ("refuse", False)]
)
def test_the_fault_reset_breaks_the_connection_before_or_after_processing(
    driver: SandboxDriver, partner: Partner, kind: str, processed: bool
) -> None:
    driver.fault("verified-info", kind, count=1, processed=processed)
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        partner.verify()
    assert driver.processed() == int(processed)
    assert driver.requests()[0]["status"] is None
    assert partner.verify().json() == SUCCESS


def test_the_fault_hang_processes_the_call_and_never_answers(
    driver: SandboxDriver, partner: Partner
) -> None:
    driver.fault("verified-info", "hang")
    with pytest.raises(requests.ReadTimeout):
        partner.call("PUT", VERIFIED_INFO, verified_info(), timeout=0.2)
    assert driver.processed("verified-info") == 1
    driver.clear_faults()
    assert partner.result("customer-1").json()["review_result"] == 2


@pytest.mark.parametrize("count", [None, 1])
@pytest.mark.parametrize("way", ["clear_faults", "reset"])
def test_a_hanging_call_ends_with_its_fault(
    driver: SandboxDriver, partner: Partner, way: str, count: int | None
) -> None:
    driver.fault("result", "hang", count=count)
    failures: list[requests.RequestException] = []

    def ask() -> None:
        try:
            partner.result("c")
        except requests.ConnectionError as error:
            failures.append(error)

    caller = threading.Thread(target=ask)
    caller.start()
    wait_until(lambda: driver.processed("result"))
    getattr(driver, way)()
    caller.join(5)
    assert len(failures) == 1


def test_the_fault_hang_ends_after_its_seconds(driver: SandboxDriver, partner: Partner) -> None:
    driver.fault("result", "hang", seconds=0.01)
    with pytest.raises(requests.ConnectionError):
        partner.result("c")


def test_the_fault_latency_delays_the_correct_answer(
    driver: SandboxDriver, partner: Partner
) -> None:
    driver.fault("verified-info", "latency", seconds=0.2)
    start = time.monotonic()
    assert partner.verify().json() == SUCCESS
    assert time.monotonic() - start >= 0.2


def test_the_fault_slow_body_delivers_the_whole_answer(
    driver: SandboxDriver, partner: Partner
) -> None:
    driver.fault("verified-info", "slow_body", seconds=0.2)
    start = time.monotonic()
    assert partner.verify().json() == SUCCESS
    assert time.monotonic() - start >= 0.2


def test_the_fault_truncated_answer_is_shorter_than_its_content_length(
    driver: SandboxDriver, partner: Partner
) -> None:
    driver.fault("verified-info", "truncated", count=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        partner.verify()
    assert driver.processed() == 1
    assert partner.verify().json() == SUCCESS


@pytest.mark.parametrize(
    ("kind", "parameters", "status", "media_type", "body", "processed"),
    [
        ("html", {}, 502, "text/html", None, 0),
        ("html", {"status": 503, "processed": True}, 503, "text/html", None, 1),
        ("empty", {}, 200, None, "", 1),
        ("empty", {"status": 500, "processed": False}, 500, None, "", 0),
        ("content_type", {}, 200, "text/plain; charset=utf-8", None, 1),
        ("status", {}, 500, "text/plain; charset=utf-8", "", 0),
        ("status", {"status": 418, "body": "tea"}, 418, "text/plain; charset=utf-8", "tea", 0),
        ("status", {"status": 403, "body": {"a": 1}}, 403, "application/json", '{"a": 1}', 0),
        ("status", {"status": 299, "body": [], "processed": True}, 299, None, "[]", 1),
        ("redirect", {"location": "http://x.invalid/"}, 302, None, "", 0),
        ("throttled", {"code": None}, 429, None, "", 0),
    ],
)
def test_the_faults_html_and_empty_answer_as_a_proxy_would(
    driver: SandboxDriver,
    partner: Partner,
    kind: str,
    parameters: dict[str, Any],
    status: int,
    media_type: str | None,
    body: str | None,
    processed: int,
) -> None:
    driver.fault("verified-info", kind, count=1, **parameters)
    response = partner.verify()
    assert response.status_code == status
    assert media_type in (None, response.headers.get("Content-Type"))
    assert body in (None, response.text)
    assert driver.processed() == processed
    assert driver.requests()[0]["status"] == status
    assert response.headers.get("Location") == parameters.get("location")
    assert partner.verify().json() == SUCCESS


def test_the_faults_bad_json_and_array_contain_the_correct_answer(
    driver: SandboxDriver, partner: Partner
) -> None:
    driver.fault("verified-info", "bad_json", count=1)
    with pytest.raises(requests.JSONDecodeError):
        partner.verify().json()
    driver.fault("verified-info", "not_object", count=1)
    assert partner.verify().json() == [SUCCESS]


def test_the_fault_huge_answers_correctly_with_over_2_megabytes(
    driver: SandboxDriver, partner: Partner
) -> None:
    driver.fault("*", "huge")
    response = partner.verify()
    assert len(response.content) > HUGE_BYTES
    assert response.json()["error_code"] == "CBC.0000"
    assert list(partner.result("nobody").json()) == ["padding"]


@pytest.mark.parametrize(
    ("kind", "parameters", "status", "code"),
    [
        ("code", {}, 500, "CBC.0999"),
        ("code", {"code": "CBC.5002", "status": 500}, 500, "CBC.5002"),
        ("code", {"code": "APIGW.0301", "message": "decrypt token fail"}, 401, "APIGW.0301"),
        ("throttled", {}, 429, "APIGW.0308"),
        ("throttled", {"code": "CBC.0250", "retry_after": 3}, 429, "CBC.0250"),
    ],
)
def test_the_fault_code_answers_in_the_shape_of_its_family(
    driver: SandboxDriver,
    partner: Partner,
    kind: str,
    parameters: dict[str, Any],
    status: int,
    code: str,
) -> None:
    driver.fault("verified-info", kind, **parameters)
    response = partner.verify()
    assert (response.status_code, response.json()["error_code"]) == (status, code)
    assert parameters.get("message", response.json()["error_msg"]) == response.json()["error_msg"]
    retry_after = parameters.get("retry_after")
    assert response.headers.get("Retry-After") == (retry_after and str(retry_after))
    assert driver.requests()[0]["code"] == code
    assert driver.processed() == 0


@pytest.mark.parametrize(("damage", "text"), DAMAGES.items())
def test_the_fault_damaged_text_leaves_the_surrounding_json_intact(
    driver: SandboxDriver, partner: Partner, damage: str, text: bytes
) -> None:
    driver.fault("*", "damaged_text", damage=damage)
    answer = partner.verify()
    assert answer.content.count(text) == 1
    code = b'"error_code": "CBC.0000"'
    assert answer.content.replace(text, b"x").count(code) == 1


def test_without_a_socket_a_cut_connection_is_a_plain_500() -> None:
    client = create_sandbox().test_client()
    client.post("/_sandbox/faults", data=json.dumps({"operation": "*", "kind": "refuse"}))
    assert client.get("/anything").status_code == 500
