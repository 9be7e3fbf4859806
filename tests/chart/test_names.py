"""Names and labels are checked as the API server checks them, before the installation."""

from __future__ import annotations

import pytest

from tests.chart.helm import CHART, VALUES, Helm

REFUSED = [
    "nameOverride=Gateway",
    "nameOverride=-gateway",
    "fullnameOverride=1gateway",
    "fullnameOverride=gate.way",
    "fullnameOverride=gateway-",
    "secrets.default.existingSecret=Partner_Key",
    "serviceAccount.name=Gateway",
    "priorityClassName=Very High",
    "imagePullSecrets[0].name=pull_secret",
    "serviceMonitor.namespace=Monitoring",
    "podLabels.team=a team",
    "commonLabels.a b=team",
    "commonAnnotations.a/b/c=x",
    "nodeSelector.disk=a/b",
    "service.type=LoadBalancer,service.loadBalancerSourceRanges={office}",
    "service.type=LoadBalancer,service.loadBalancerClass=a b",
    "networkPolicy.egress.state.to[0].ipBlock.cidr=redis",
]
OURS = [
    r"podAnnotations.checksum/config=mine",
    r"commonAnnotations.checksum/config=mine",
    r"commonAnnotations.helm\.sh/hook=test",
    r"podLabels.app\.kubernetes\.io/name=mine",
    r"commonLabels.app\.kubernetes\.io/component=mine",
]


@pytest.mark.parametrize("setting", REFUSED)
def test_a_name_that_the_api_server_refuses_is_refused_before(helm: Helm, setting: str) -> None:
    said = helm.refusal("minimal", setting)
    assert "does not match pattern" in said
    assert setting.rpartition("=")[2].strip("{}") in said or "'a b'" in said or "'a/b/c'" in said


@pytest.mark.parametrize("setting", OURS)
def test_the_labels_and_annotations_that_the_release_depends_on_cannot_be_set(
    helm: Helm, setting: str
) -> None:
    assert "not' failed" in helm.refusal("minimal", setting)


@pytest.mark.parametrize("name", ["1gw", "gw.test"])
def test_a_release_whose_name_no_service_can_have_is_refused_in_words(
    helm: Helm, name: str
) -> None:
    values = ("--values", VALUES / "minimal.yaml")
    done = helm.run("template", name, CHART, *values)
    assert done.returncode != 0
    assert "cannot be the name of a Service" in done.stderr
    assert "set fullnameOverride" in done.stderr
    assert not helm.run("template", name, CHART, *values, "--set", "fullnameOverride=gw").returncode


def test_a_long_name_is_cut_to_a_valid_name(helm: Helm) -> None:
    name = f"{'a' * 47}-b-c"
    done = helm.run("template", name, CHART, "--values", VALUES / "minimal.yaml")
    assert done.returncode == 0, done.stderr
    assert f"name: {'a' * 47}-b\n" in done.stdout


def test_common_labels_and_annotations_are_on_every_object_and_pod(helm: Helm) -> None:
    settings = ("commonLabels.team=partners", "commonAnnotations.owner=shop")
    rendered = helm.rendered("production", *settings)
    workloads = [*rendered.of("Deployment"), *rendered.of("Job")]
    described = [one["metadata"] for one in rendered]
    described += [one["spec"]["template"]["metadata"] for one in workloads]
    for metadata in described:
        assert metadata["labels"]["team"] == "partners", metadata
        assert metadata["annotations"]["owner"] == "shop", metadata
    assert "team" not in rendered.one("Deployment")["spec"]["selector"]["matchLabels"]
