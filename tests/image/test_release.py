"""The chart's release for a test environment runs: gateway and sandbox in one pod."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.chart.helm import Helm
from tests.image.containers import IMAGE, LIMIT, execute, podman
from tests.support.programs import needed
from tests.support.timing import wait_until

POD = "gw-partner-gateway-pod-0"
# The defaults of podman can exceed the limits of the machine.
CONFIGURATION = """
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
SUBMISSION = """
import json, sys, urllib.request
request = urllib.request.Request(
    "http://127.0.0.1:8080/v1/customers/cust-0001/verifications/individual",
    headers={"Authorization": "Bearer demo-key", "Content-Type": "application/json"},
    data=sys.argv[1].encode(),
)
with urllib.request.urlopen(request, timeout=30) as answer:
    print(json.dumps({"http": answer.status, **json.load(answer)}))
"""
PERSON = {
    "full_name": "ZHANG SAN",
    "document": {"type": "PASSPORT", "number": "E1234567"},
    "partner_user_id": "shop-981",
}


@pytest.fixture
def ready(image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ...]]:
    """The command by which `helm test` checks the readiness of the release."""
    configuration = tmp_path / "containers.conf"
    configuration.write_text(CONFIGURATION)
    monkeypatch.setenv("CONTAINERS_CONF", str(configuration))
    repository, _, tag = image.partition(":")
    rendered = Helm(needed(".tools/helm4/helm"), tmp_path).rendered(
        "sandbox", f"image.repository={repository},image.tag={tag},image.pullPolicy=Never"
    )
    files = [rendered.one("ConfigMap"), rendered.one("ConfigMap", "sandbox")]
    played = [*files, rendered.one("Deployment")]
    manifest = tmp_path / "release.yaml"
    manifest.write_text(yaml.safe_dump_all(played))
    command = rendered.one("Pod", "test")["spec"]["containers"][0]["command"]
    podman("play", "kube", str(manifest))
    try:
        yield (*command[:-1], "http://127.0.0.1:8080/readyz")
    finally:
        podman("pod", "rm", "--force", POD)
        podman("volume", "rm", *(one["metadata"]["name"] for one in files))


def test_the_sandbox_release_of_the_chart_verifies_a_customer(
    ready: tuple[str, ...],
) -> None:
    gateway = f"{POD}-gateway"
    command = ("podman", "exec", gateway, *ready)
    try:
        wait_until(lambda: execute(*command, check=False).returncode == 0, LIMIT)
    except TimeoutError as error:
        error.add_note(execute("podman", "logs", gateway, check=False).stderr)
        raise
    answer = json.loads(podman("exec", gateway, "python", "-c", SUBMISSION, json.dumps(PERSON)))
    assert (answer["http"], answer["status"]) == (201, "VERIFIED")
    podman("pod", "stop", "--time=45", POD)
    for name in ("gateway", "sandbox"):
        (state,) = json.loads(podman("inspect", f"{POD}-{name}"))
        assert (state["State"]["ExitCode"], state["State"]["OOMKilled"]) == (0, False), name
        assert state["ImageName"] == IMAGE
