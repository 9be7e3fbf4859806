"""The pod: security, probes, termination, volumes and scheduling."""

from __future__ import annotations

import re
from typing import Any

import pytest

from demo.local import PROJECT
from tests.chart.helm import MATRIX, Helm

DIGEST = "sha256:" + "0" * 64


def containers(helm: Helm, name: str) -> list[dict[str, Any]]:
    return [container for pod in helm.rendered(name).pods for container in pod["containers"]]


@pytest.mark.parametrize("name", MATRIX)
def test_every_container_meets_the_restricted_pod_security_standard(helm: Helm, name: str) -> None:
    for container in containers(helm, name):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"
    for pod in helm.rendered(name).pods:
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] > 0
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}


def test_the_containers_run_as_the_user_of_the_image(helm: Helm) -> None:
    user = re.search(r"^USER (\d+):(\d+)$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
    assert user is not None
    context = helm.rendered("minimal").pod["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (int(user[1]), int(user[2]))


def test_the_gateway_container_has_memory_for_itself_and_for_a_command(helm: Helm) -> None:
    assert helm.rendered("minimal").gateway["resources"]["limits"] == {"memory": "384Mi"}


def test_startup_and_liveness_probe_livez_and_readiness_probes_readyz(helm: Helm) -> None:
    gateway = helm.rendered("minimal").gateway
    asked = {
        probe: gateway[probe]["httpGet"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert asked == {
        "startupProbe": {"path": "/livez", "port": "metrics"},
        "readinessProbe": {"path": "/readyz", "port": "metrics"},
        "livenessProbe": {"path": "/livez", "port": "metrics"},
    }


@pytest.mark.parametrize("pause", [0, 5, 60])
def test_the_termination_grace_is_longer_than_the_shutdown_of_a_pod(helm: Helm, pause: int) -> None:
    rendered = helm.rendered("minimal", f"preStopSeconds={pause}")
    command = rendered.gateway["lifecycle"]["preStop"]["exec"]["command"]
    assert command == ["python", "-c", f"import time; time.sleep({pause})"]
    files = ("gunicorn.conf.py", "app/serving/worker.py")
    served = "".join((PROJECT / name).read_text() for name in files)
    needed: float = pause
    for setting in ("graceful_timeout", "DRAIN_PAUSE"):
        value = re.search(rf"^{setting} = ([\d.]+)", served, re.MULTILINE)
        assert value is not None
        needed += float(value[1])
    assert rendered.pod["terminationGracePeriodSeconds"] > needed


@pytest.mark.parametrize(
    ("name", "settings", "kind"),
    [
        ("production", (), "RollingUpdate"),
        ("minimal", (), "Recreate"),
        ("minimal", ("config.state.url=memory://",), "Recreate"),
        ("minimal", ("acknowledgeUnsharedState=true",), "RollingUpdate"),
        ("minimal", ("strategy=RollingUpdate",), "RollingUpdate"),
        ("production", ("strategy=Recreate",), "Recreate"),
    ],
)
def test_pods_with_shared_state_are_replaced_by_a_rolling_update_and_others_recreated(
    helm: Helm, name: str, settings: tuple[str, ...], kind: str
) -> None:
    strategy = helm.rendered(name, *settings).one("Deployment")["spec"]["strategy"]
    assert strategy["type"] == kind
    if kind == "RollingUpdate":
        assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


@pytest.mark.parametrize(
    ("settings", "image"),
    [
        ((), "partner-gateway:0.2.0"),
        (("image.repository=r/g", "image.tag=v7"), "r/g:v7"),
        (("image.tag=v7", f"image.digest={DIGEST}"), f"partner-gateway@{DIGEST}"),
    ],
)
def test_the_image_digest_overrides_the_tag_and_the_tag_overrides_the_version(
    helm: Helm, settings: tuple[str, ...], image: str
) -> None:
    rendered = helm.rendered("minimal", *settings)
    assert rendered.gateway["image"] == image
    assert rendered.one("Pod", "test")["spec"]["containers"][0]["image"] == image


def test_a_changed_configuration_replaces_the_pods_and_an_unchanged_one_does_not(
    helm: Helm,
) -> None:
    def checksum(*settings: str) -> str:
        template = helm.rendered("minimal", *settings).one("Deployment")["spec"]["template"]
        found: str = template["metadata"]["annotations"]["checksum/config"]
        return found

    assert checksum() == checksum("podLabels.team=partners")
    assert checksum() != checksum("config.accounts.default.platform_id=OTHER")
    assert checksum() != checksum("defaultEndpoint=https://bss.example.com")


@pytest.mark.parametrize("name", MATRIX)
def test_every_volume_is_mounted_as_a_directory(helm: Helm, name: str) -> None:
    mounts = helm.rendered(name).gateway["volumeMounts"]
    volumes = {volume["name"] for volume in helm.rendered(name).pod["volumes"]}
    assert {mount["name"] for mount in mounts} == volumes
    assert not any("subPath" in mount or "subPathExpr" in mount for mount in mounts)


@pytest.mark.parametrize("name", MATRIX)
def test_no_service_account_token_is_mounted_by_default(helm: Helm, name: str) -> None:
    rendered = helm.rendered(name)
    pods = [*rendered.pods, rendered.one("ServiceAccount")]
    assert all(one["automountServiceAccountToken"] is False for one in pods)
    projected = [volume for volume in rendered.pod["volumes"] if "projected" in volume]
    assert bool(projected) is (name == "service-account-callers")


def test_the_projected_token_and_authority_are_mounted_where_the_configuration_reads_them(
    helm: Helm,
) -> None:
    rendered = helm.rendered("service-account-callers")
    (volume,) = (one for one in rendered.pod["volumes"] if "projected" in one)
    token, authority = volume["projected"]["sources"]
    (mount,) = (one for one in rendered.gateway["volumeMounts"] if one["name"] == volume["name"])
    folder = mount["mountPath"]
    kubernetes = rendered.config["kubernetes"]
    assert kubernetes["token_file"] == f"{folder}/{token['serviceAccountToken']['path']}"
    assert kubernetes["ca_file"] == f"{folder}/{authority['configMap']['items'][0]['path']}"


def test_scheduling_and_extra_values_reach_the_pod(helm: Helm) -> None:
    pod = helm.rendered(
        "minimal",
        "nodeSelector.disk=ssd",
        "tolerations[0].key=dedicated",
        "affinity.nodeAffinity.x=y",
        "priorityClassName=high",
        "topologySpreadConstraints[0].topologyKey=rack",
        "extraEnv[0].name=TZ,extraEnv[0].value=UTC",
        "imagePullSecrets[0].name=pull",
    ).pod
    assert pod["nodeSelector"] == {"disk": "ssd"}
    assert pod["tolerations"] == [{"key": "dedicated"}]
    assert pod["affinity"] == {"nodeAffinity": {"x": "y"}}
    assert pod["priorityClassName"] == "high"
    (spread,) = pod["topologySpreadConstraints"]
    assert spread["topologyKey"] == "rack"
    assert spread["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == "gateway"
    assert {"name": "TZ", "value": "UTC"} in pod["containers"][0]["env"]
    assert pod["imagePullSecrets"] == [{"name": "pull"}]


def test_an_empty_list_of_spread_constraints_means_none(helm: Helm) -> None:
    pod = helm.rendered("minimal", "topologySpreadConstraints=[]").pod
    assert "topologySpreadConstraints" not in pod


def test_pods_are_spread_over_nodes_and_zones_by_preference(helm: Helm) -> None:
    deployment = helm.rendered("minimal").one("Deployment")["spec"]
    spread = deployment["template"]["spec"]["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in spread] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    for one in spread:
        assert one["labelSelector"] == deployment["selector"]
        assert one["whenUnsatisfiable"] == "ScheduleAnyway"
