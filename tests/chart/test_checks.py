"""The pods that run one command: the check before an installation, and those of `helm test`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from demo.local import PROJECT, Local
from tests.chart.helm import MATRIX, Helm, Manifest

EVENTS = "pre-install,pre-upgrade"


def hook(one: Manifest, name: str) -> str:
    return str(one["metadata"]["annotations"].get(f"helm.sh/hook{name}"))


def pod_of_the_job(helm: Helm, name: str = "production", *settings: str) -> dict[str, Any]:
    job = helm.rendered(name, *settings).one("Job", "check")
    spec: dict[str, Any] = job["spec"]["template"]["spec"]
    return spec


def test_all_that_the_check_of_the_configuration_needs_exists_before_the_release(
    helm: Helm,
) -> None:
    rendered = helm.rendered("production")
    job = rendered.one("Job", "check")
    before = [rendered.one(kind, "check") for kind in ("ConfigMap", "NetworkPolicy")]
    for one in (job, *before):
        assert hook(one, "") == EVENTS
        assert hook(one, "-delete-policy") == "before-hook-creation,hook-succeeded"
    assert all(int(hook(one, "-weight")) < int(hook(job, "-weight")) for one in before)
    pod = job["spec"]["template"]["spec"]
    assert pod["volumes"][0]["configMap"]["name"] == before[0]["metadata"]["name"]
    assert pod["serviceAccountName"] == "default"
    assert (job["spec"]["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    assert before[0]["data"] == rendered.one("ConfigMap")["data"]


@pytest.mark.parametrize("name", MATRIX)
def test_the_check_of_the_configuration_waits_for_no_file(helm: Helm, name: str) -> None:
    """A Secret of the release, and one that an operator creates, may not exist yet."""
    for volume in pod_of_the_job(helm, name)["volumes"]:
        (kind,) = volume.keys() - {"name"}
        assert kind in ("secret", "configMap", "projected"), "a claim may be in use elsewhere"
        assert volume["name"] == "config" or kind == "projected" or volume[kind]["optional"] is True
    mounts = pod_of_the_job(helm, name)["containers"][0]["volumeMounts"]
    volumes = {volume["name"] for volume in pod_of_the_job(helm, name)["volumes"]}
    assert {mount["name"] for mount in mounts} == volumes


def test_a_given_service_account_runs_the_check_of_the_configuration(helm: Helm) -> None:
    given = ("serviceAccount.create=false", "serviceAccount.name=runner")
    assert pod_of_the_job(helm, "minimal", *given)["serviceAccountName"] == "runner"


def test_the_checks_can_be_switched_off(helm: Helm) -> None:
    rendered = helm.rendered(
        "minimal", "checks.config.enabled=false", "checks.credentials.enabled=false"
    )
    assert not rendered.of("Job")
    assert [one["metadata"]["name"] for one in rendered.of("Pod")] == ["gw-partner-gateway-test"]
    assert len(rendered.of("ConfigMap")) == 1


def test_the_checks_run_where_the_gateway_runs_with_resources_of_their_own(helm: Helm) -> None:
    settings = (
        "nodeSelector.disk=ssd",
        "tolerations[0].key=dedicated",
        "priorityClassName=high",
        "checks.resources.limits.memory=200Mi",
        "imagePullSecrets[0].name=pull",
    )
    _, *pods = helm.rendered("minimal", *settings).pods
    assert len(pods) == 3
    for pod in pods:
        assert pod["nodeSelector"] == {"disk": "ssd"}
        assert pod["tolerations"] == [{"key": "dedicated"}]
        assert pod["priorityClassName"] == "high"
        assert pod["imagePullSecrets"] == [{"name": "pull"}]
        assert pod["containers"][0]["resources"]["limits"]["memory"] == "200Mi"


def test_the_second_helm_test_checks_the_credentials_after_the_readiness(
    helm: Helm, served: Local
) -> None:
    rendered = helm.rendered("minimal")
    readiness, credentials = rendered.one("Pod", "test"), rendered.one("Pod", "credentials")
    assert (hook(readiness, ""), hook(credentials, "")) == ("test", "test")
    assert (hook(readiness, "-weight"), hook(credentials, "-weight")) == ("None", "1")
    (container,) = credentials["spec"]["containers"]
    assert container["env"][0]["name"] == "GATEWAY_CONFIG"
    done = subprocess.run(  # noqa: S603 - the chart's own command
        [sys.executable, "-m", *container["command"]],
        cwd=PROJECT,
        env={**os.environ, "GATEWAY_CONFIG": str(served.folder / "config.yaml")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "accepted" in done.stdout


def test_the_release_of_a_test_environment_checks_no_credentials(helm: Helm) -> None:
    """Its account is the sandbox's, which listens on the loopback of the gateway's pod."""
    names = [one["metadata"]["name"] for one in helm.rendered("sandbox").of("Pod")]
    assert names == ["gw-partner-gateway-test"]


def test_a_check_fits_into_its_memory_and_into_that_of_the_gateway_beside_it(
    helm: Helm, tmp_path: Path
) -> None:
    program = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)\n"
    )
    command = ("-m", "flask", "--app", "app", "credentials", "check")
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", program, sys.executable, *command],
        cwd=PROJECT,
        env={**os.environ, "GATEWAY_CONFIG": str(tmp_path / "none.yaml")},
        capture_output=True,
        text=True,
        check=True,
    )
    used = int(done.stdout)
    limits = [pod["containers"][0]["resources"]["limits"] for pod in helm.rendered("minimal").pods]
    gateway, *checks = [int(one["memory"].removesuffix("Mi")) for one in limits]
    assert all(used * 2 <= limit for limit in checks), used
    assert 256 + used <= gateway
