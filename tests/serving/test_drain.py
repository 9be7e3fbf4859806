"""The shutdown of a gateway under gunicorn: readiness ends first, and no answer is lost."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests.support.gunicorn_process import ServedGateway
from tests.support.patience import headers, path_of, patient
from tests.support.raw_client import Wire
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.verifications import INDIVIDUAL

MANY = 20


def submit(gateway: ServedGateway, customer: str) -> requests.Response:
    return gateway.request("POST", path_of(customer), json=INDIVIDUAL, headers=headers())


def refuses(gateway: ServedGateway) -> bool:
    """Whether the gateway accepts no connection of callers any more."""
    try:
        gateway.request("GET", "/livez")
    except requests.ConnectionError:
        return True
    return False


def test_on_sigterm_readiness_ends_first_and_requests_in_progress_finish(
    sandbox: SandboxDriver, tmp_path: Path
) -> None:
    document = patient(tmp_path, sandbox.url, timeouts={"read": 30.0})
    with ServedGateway(tmp_path, document) as gateway, ThreadPoolExecutor(MANY) as threads:
        assert submit(gateway, "proves-the-key").status_code == 201
        sandbox.fault("verified-info", "latency", seconds=60, count=MANY)
        under_way = [threads.submit(submit, gateway, f"c-{place}") for place in range(MANY)]
        wait_until(lambda: len(sandbox.requests("verified-info")) == MANY + 1)
        assert gateway.request("GET", "/readyz").status_code == 200

        gateway.signal(signal.SIGTERM)
        answers: list[requests.Response] = []

        def not_ready() -> bool:
            answers.append(
                gateway.request("GET", "/readyz")
            )  # the gateway still accepts connections
            return answers[-1].status_code == 503

        wait_until(not_ready)
        assert answers[-1].headers["Content-Type"] == "application/problem+json"
        assert gateway.request("GET", "/livez").status_code == 200

        wait_until(lambda: refuses(gateway))
        sandbox.clear_faults()
        finished = [one.result() for one in under_way]
        assert [one.status_code for one in finished] == [201] * MANY
        assert {one.headers["Connection"] for one in finished} == {"close"}
        assert gateway.wait() == 0
    assert sandbox.processed("verified-info") == MANY + 1
    assert "Traceback" not in gateway.text


def test_a_kept_alive_connection_is_closed_as_soon_as_the_gateway_is_not_ready(
    sandbox: SandboxDriver, tmp_path: Path
) -> None:
    with (
        ServedGateway(tmp_path, patient(tmp_path, sandbox.url)) as gateway,
        requests.Session() as session,
    ):
        session.trust_env = False
        before = session.get(f"{gateway.url}/readyz", timeout=10)
        assert before.headers["Connection"] == "keep-alive"
        gateway.signal(signal.SIGTERM)
        answers: list[requests.Response] = []

        def not_ready() -> bool:
            answers.append(session.get(f"{gateway.url}/readyz", timeout=10))
            return answers[-1].status_code == 503

        wait_until(not_ready)
        if answers[-1].headers["Connection"] != "close":
            not_ready()  # the signal arrived during that request
        assert answers[-1].headers["Connection"] == "close"


def test_idle_connections_end_with_the_gateway_and_do_not_delay_it(
    sandbox: SandboxDriver, tmp_path: Path
) -> None:
    document = patient(tmp_path, sandbox.url)
    with ServedGateway(tmp_path, document) as gateway, Wire(gateway.url) as used:
        used.send(b"GET /livez HTTP/1.1\r\nHost: gateway\r\n\r\n")
        assert b"200 OK" in used.read_some(4096)
        with Wire(gateway.url):
            begun = time.monotonic()
            gateway.signal(signal.SIGTERM)
            assert gateway.wait() == 0
            assert time.monotonic() - begun < 8  # `server.keepalive` is 75 seconds


def test_probes_and_metrics_are_answered_until_the_last_request_is_finished(
    sandbox: SandboxDriver, tmp_path: Path
) -> None:
    document = patient(tmp_path, sandbox.url, timeouts={"read": 30.0})
    with ServedGateway(tmp_path, document) as gateway, ThreadPoolExecutor() as threads:
        assert submit(gateway, "proves-the-key").status_code == 201
        sandbox.fault("verified-info", "latency", seconds=60)
        under_way = threads.submit(submit, gateway, "c-last")
        wait_until(lambda: len(sandbox.requests("verified-info")) == 2)
        gateway.signal(signal.SIGTERM)

        wait_until(lambda: refuses(gateway))
        assert gateway.operate("/livez").status_code == 200
        assert gateway.operate("/readyz").status_code == 503
        assert "gateway_requests_total" in gateway.operate("/metrics").text
        sandbox.clear_faults()
        assert under_way.result().status_code == 201
        assert gateway.wait() == 0
