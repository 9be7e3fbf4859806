"""The number of pods: the autoscaler, its start, and disruptions."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.chart.cluster import running
from tests.chart.helm import CHART, VALUES, Helm, Manifests


@pytest.mark.parametrize(("pods", "kept"), [(3, 3), (7, 7), (1, 2)])
def test_an_upgrade_with_an_autoscaler_keeps_the_running_pods(
    helm3: Helm, tmp_path: Path, pods: int, kept: int
) -> None:
    """Without `replicas`, the first upgrade with an autoscaler would leave one pod."""
    with running(pods, tmp_path) as cluster:
        options = ("--kubeconfig", cluster, "--dry-run=server")
        values = ("--values", VALUES / "production.yaml")
        done = helm3.run("template", "gw", CHART, *values, *options)
    assert done.returncode == 0, done.stderr
    deployment = Manifests(one for one in yaml.safe_load_all(done.stdout) if one).one("Deployment")
    assert deployment["spec"]["replicas"] == kept


def test_the_deployment_sets_no_replicas_where_only_the_autoscaler_knows_them(helm: Helm) -> None:
    rendered = helm.rendered("production")
    deployment = rendered.one("Deployment")
    assert "replicas" not in deployment["spec"]
    scaler = rendered.one("HorizontalPodAutoscaler")["spec"]
    assert scaler["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert {
        one["resource"]["name"]: one["resource"]["target"]["averageUtilization"]
        for one in scaler["metrics"]
    } == {"cpu": 70, "memory": 80}
    assert "behavior" not in scaler


def test_the_behaviour_of_the_autoscaler_can_be_set(helm: Helm) -> None:
    window = "autoscaling.behavior.scaleDown.stabilizationWindowSeconds=600"
    scaler = helm.rendered("production", window).one("HorizontalPodAutoscaler")["spec"]
    assert scaler["behavior"] == {"scaleDown": {"stabilizationWindowSeconds": 600}}


def test_one_pod_has_no_disruption_budget_and_several_have(helm: Helm) -> None:
    assert not helm.rendered("minimal").of("PodDisruptionBudget")
    assert not helm.rendered("minimal").of("HorizontalPodAutoscaler")
    budget = helm.rendered("production").one("PodDisruptionBudget")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert budget["selector"] == helm.rendered("production").one("Deployment")["spec"]["selector"]
    assert not helm.rendered("production", "podDisruptionBudget.enabled=false").of(
        "PodDisruptionBudget"
    )


def test_kubernetes_before_1_27_gets_no_eviction_policy_that_it_does_not_know(helm: Helm) -> None:
    budget = helm.rendered("production", kubernetes="1.26.0").one("PodDisruptionBudget")["spec"]
    assert budget.keys() == {"maxUnavailable", "selector"}
