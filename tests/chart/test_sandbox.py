"""The release of a test environment: gateway and sandbox end together."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from tempfile import TemporaryFile
from urllib.parse import urlsplit

import pytest
import requests

from demo.local import KEY, Local
from demo.processes import answers, end, start
from tests.chart.helm import Helm
from tests.support.gateway import PERSON
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until

LIMIT = 30.0  # seconds


def program(helm: Helm, *settings: str) -> str:
    """What the container of the sandbox runs before it ends."""
    _, sandbox = helm.rendered("sandbox", *settings).pod["containers"]
    python, option, text = sandbox["lifecycle"]["preStop"]["exec"]["command"]
    assert (python, option) == ("python", "-c")
    return str(text)


def test_the_sandbox_has_a_readiness_probe(helm: Helm) -> None:
    _, sandbox = helm.rendered("sandbox").pod["containers"]
    assert "http://127.0.0.1:8090/" in sandbox["readinessProbe"]["exec"]["command"][-1]


@pytest.mark.parametrize("pause", [0, 60])
def test_the_sandbox_waits_longer_than_a_gateway_ends_and_less_than_the_grace_of_the_pod(
    helm: Helm, pause: int
) -> None:
    changed = f"preStopSeconds={pause}"
    limit = re.search(r"monotonic\(\) \+ (\d+)", program(helm, changed))
    assert limit is not None
    grace = helm.rendered("sandbox", changed).pod["terminationGracePeriodSeconds"]
    assert pause + 31 < int(limit[1]) < grace  # DRAIN_PAUSE and graceful_timeout


@pytest.mark.slow
def test_the_sandbox_ends_as_soon_as_the_gateway_of_its_pod_has_ended(helm: Helm) -> None:
    with (
        TemporaryFile() as log,
        Local(log=log) as local,
        ThreadPoolExecutor() as threads,
        requests.Session() as session,
    ):
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {KEY}"
        sandbox = SandboxDriver(local.sandbox_url)
        path = f"{local.url}/v1/customers/c-1/verifications/individual"
        assert session.post(path, json=PERSON, timeout=LIMIT).status_code == 201
        sandbox.fault("verified-info", "latency", seconds=60)
        again = path.replace("c-1", "c-2")
        under_way = threads.submit(session.post, again, json=PERSON, timeout=LIMIT)
        wait_until(lambda: len(sandbox.requests("verified-info")) == 2)

        text = program(helm).replace("9090", str(urlsplit(local.metrics_url).port))
        waiting = start([sys.executable, "-c", text], log)
        (gateway,) = local.gateways
        gateway.send_signal(signal.SIGTERM)
        wait_until(lambda: not answers(f"{local.url}/livez"))
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(1)  # the gateway still needs the sandbox
        sandbox.clear_faults()
        assert under_way.result().status_code == 201
        assert end(gateway) == [0]
        assert waiting.wait(5) == 0
