"""The image verifies customers, restricted as in production, and ends in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from demo.demo import PERSON, picture
from demo.local import free_port
from tests.image.conftest import gateway_container
from tests.image.containers import GRACE, Container, call
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until

MANY = 300
Figure = Callable[[str, str], None]


@pytest.fixture(scope="module")
def metrics_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def gateway(
    sandbox_container: SandboxDriver,
    tmp_path_factory: pytest.TempPathFactory,
    metrics_port: int,
) -> Iterator[Container]:
    folder = tmp_path_factory.mktemp("served")
    with gateway_container(folder, sandbox_container.url, metrics_port) as container:
        yield container


def submit(gateway: Container, customer: str, **changes: Any) -> Any:
    path = f"{gateway.url}/v1/customers/{customer}/verifications/individual"
    return call("POST", path, json={**PERSON, **changes}, headers={"Prefer": "wait=25"})


@pytest.mark.usefixtures("sandbox")
def test_a_container_verifies_a_customer(gateway: Container, figure: Figure) -> None:
    answer = submit(gateway, "cust-0001")
    assert (answer.status_code, answer.json()["status"]) == (201, "VERIFIED")
    figure("start, to the first answer", f"{gateway.seconds_to_first_answer:.1f} s")
    figure("memory after a first request", gateway.memory)


@pytest.mark.usefixtures("sandbox")
def test_a_container_reports_a_refusal_of_huawei(gateway: Container) -> None:
    answer = submit(gateway, "code-CBC-5002")
    assert (answer.status_code, answer.json()["code"]) == (404, "CUSTOMER_NOT_FOUND")


@pytest.mark.parametrize(
    ("customer", "end"), [("cust-0003", "VERIFIED"), ("review-reject-0004", "REJECTED")]
)
def test_a_container_uploads_attachments_and_reports_the_result_of_the_review(
    gateway: Container, sandbox: SandboxDriver, customer: str, end: str
) -> None:
    # Larger than any buffer in memory; there is no /tmp for a temporary file.
    content = picture() + bytes(8_000_000)
    names = [f"{customer}/data-page.png", f"{customer}/holding.png"]
    for name in names:
        path = f"{gateway.url}/v1/customers/{customer}/attachments/{name.partition('/')[2]}"
        answer = call("PUT", path, data=content, headers={"Content-Type": "image/png"})
        assert (answer.status_code, answer.json()["attachment"]) == (201, name)
    assert {one["size"] for one in sandbox.objects()} == {len(content)}

    assert submit(gateway, customer, attachments=names).status_code == 202
    path = f"{gateway.url}/v1/customers/{customer}/verification"
    answer = call("GET", path, headers={"Prefer": "wait=20"})
    assert (answer.status_code, answer.json()["status"]) == (200, end)


def test_a_container_serves_metrics_on_their_own_port(
    gateway: Container, metrics_port: int
) -> None:
    answer = call("GET", f"http://127.0.0.1:{metrics_port}/metrics")
    assert answer.status_code == 200
    assert "# TYPE gateway_" in answer.text
    assert call("GET", f"{gateway.url}/metrics").status_code == 404


def test_a_container_with_three_hundred_waiting_requests_stays_far_below_its_memory_limit(
    gateway: Container, sandbox: SandboxDriver, figure: Figure
) -> None:
    sandbox.settings(requests_per_second=None)
    sandbox.fault("verified-info", "latency", seconds=5, count=None)
    with ThreadPoolExecutor(MANY) as threads:
        begun = [threads.submit(submit, gateway, f"many-{place}") for place in range(MANY)]
        wait_until(lambda: len(sandbox.requests("verified-info")) > 20)
        assert call("GET", f"{gateway.url}/livez").status_code == 200
        figure(f"memory while {MANY} requests wait", gateway.memory)
        statuses = {one.result().status_code for one in begun}
    assert statuses <= {201, 503, 504}  # at ten calls a second some are not sent in time
    assert 201 in statuses
    assert not gateway.state["OOMKilled"]
    assert gateway.state["Running"]


def test_a_container_works_with_a_writable_tmp_too(sandbox: SandboxDriver, tmp_path: Path) -> None:
    with gateway_container(tmp_path, sandbox.url, free_port(), "--tmpfs=/tmp") as gateway:
        assert submit(gateway, "cust-0005").status_code == 201
        assert "Traceback" not in gateway.log


def test_a_container_answers_a_request_in_progress_on_sigterm_and_exits_with_0(
    sandbox: SandboxDriver, tmp_path: Path, figure: Figure
) -> None:
    with gateway_container(tmp_path, sandbox.url, free_port()) as gateway:
        assert submit(gateway, "proves-the-key").status_code == 201
        sandbox.forget_requests()
        sandbox.fault("verified-info", "latency", seconds=5)
        with ThreadPoolExecutor(2) as threads:
            under_way = threads.submit(submit, gateway, "cust-0006")
            wait_until(lambda: bool(sandbox.requests("verified-info")))
            begin = time.monotonic()
            threads.submit(gateway.stop).result()
            seconds = time.monotonic() - begin
            assert under_way.result().status_code == 201
        assert gateway.state["ExitCode"] == 0
        assert not gateway.state["OOMKilled"]
        assert "Traceback" not in gateway.log
    assert 1 < seconds < GRACE
    figure("end, with a request of 5 s under way", f"{seconds:.1f} s")


@pytest.mark.usefixtures("image")
def test_a_container_of_the_sandbox_exits_with_0_on_sigterm() -> None:
    port = free_port()
    command = ("python", "-m", "sandbox", "--port", str(port))
    with Container(f"http://127.0.0.1:{port}", "/_sandbox/state", command) as container:
        container.end()
        assert container.state["ExitCode"] == 0
