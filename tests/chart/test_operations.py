"""Scaling, disruption, monitoring, secrets, and the test of a release."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
import yaml

from demo.local import Local
from tests.chart.custom_resources import SPECS
from tests.chart.helm import CHART, MATRIX, Helm, Manifest


def matched(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return bool(selector["matchLabels"].items() <= labels.items())


@pytest.mark.parametrize("name", MATRIX)
def test_every_object_is_labelled(helm: Helm, name: str) -> None:
    for one in helm.rendered(name):
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "partner-gateway"
        assert labels["app.kubernetes.io/instance"] == "gw"


def test_the_service_selects_the_gateways_pods_and_not_the_test_pod(helm: Helm) -> None:
    rendered = helm.rendered("minimal")
    service = rendered.one("Service")["spec"]
    named = {port["name"]: port["containerPort"] for port in rendered.gateway["ports"]}
    metrics = rendered.one("Service", "metrics")["spec"]
    assert [port["targetPort"] for port in service["ports"]] == ["http"]
    assert [port["targetPort"] for port in metrics["ports"]] == ["metrics"]
    assert metrics["selector"] == service["selector"]
    assert named.keys() == {"http", "metrics"}
    template = rendered.one("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= template.items()
    test = rendered.one("Pod", "test")["metadata"]["labels"]
    assert not service["selector"].items() <= test.items()


def test_the_service_monitor_selects_the_service_and_its_metrics_port(helm: Helm) -> None:
    rendered = helm.rendered("production")
    monitor, service = rendered.one("ServiceMonitor"), rendered.one("Service", "metrics")
    other = rendered.one("Service")["metadata"]["labels"]
    assert not matched(monitor["spec"]["selector"], other)
    assert matched(monitor["spec"]["selector"], service["metadata"]["labels"])
    assert monitor["spec"]["endpoints"][0]["port"] in {
        port["name"] for port in service["spec"]["ports"]
    }
    assert monitor["metadata"]["labels"]["release"] == "prometheus"


def test_alerts_and_dashboard_are_rendered_unchanged_but_for_the_name_of_the_release(
    helm: Helm,
) -> None:
    rendered = helm.rendered("production")
    text = (CHART / "files" / "alerts.yaml").read_text()
    named = 'namespace="partner", job="gateway"'
    assert text.count(named) == 4
    alerts = yaml.safe_load(text.replace(named, 'namespace="default", job="gw"'))
    assert rendered.one("PrometheusRule")["spec"] == alerts
    board = rendered.one("ConfigMap", "dashboard")
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(board["data"]["partner-gateway.json"]) == json.loads(
        (CHART / "files" / "dashboard.json").read_text()
    )


def test_a_load_balancer_does_not_expose_the_metrics_port(helm: Helm) -> None:
    rendered = helm.rendered("minimal", "service.type=LoadBalancer")
    balanced, metrics = rendered.one("Service")["spec"], rendered.one("Service", "metrics")["spec"]
    assert balanced["type"] == "LoadBalancer"
    assert "metrics" not in str(balanced["ports"])
    assert metrics["clusterIP"] == "None"
    assert "type" not in metrics


def test_the_service_can_be_annotated_and_limited_to_clients(helm: Helm) -> None:
    rendered = helm.rendered(
        "minimal",
        "service.type=LoadBalancer",
        r"service.annotations.example\.com/internal=yes",
        "service.loadBalancerClass=example.com/internal",
        "service.loadBalancerSourceRanges={10.1.0.0/16}",
    )
    service = rendered.one("Service")
    assert service["metadata"]["annotations"] == {"example.com/internal": "yes"}
    assert service["spec"]["loadBalancerClass"] == "example.com/internal"
    assert service["spec"]["loadBalancerSourceRanges"] == ["10.1.0.0/16"]
    assert "annotations" not in rendered.one("Service", "metrics")["metadata"]


@pytest.mark.parametrize(
    "setting", ["service.loadBalancerClass=internal", "service.loadBalancerSourceRanges={::/0}"]
)
def test_settings_of_a_load_balancer_are_refused_without_one(helm: Helm, setting: str) -> None:
    assert "/service/loadBalancer" in helm.refusal("minimal", setting)


def test_the_objects_of_the_operators_can_be_in_other_namespaces_and_relabel(helm: Helm) -> None:
    rendered = helm.rendered(
        "production",
        "serviceMonitor.namespace=monitoring",
        "serviceMonitor.scrapeTimeout=5s",
        "serviceMonitor.relabelings[0].action=labeldrop,serviceMonitor.relabelings[0].regex=pod",
        "serviceMonitor.metricRelabelings[0].action=drop",
        "prometheusRule.namespace=monitoring",
        "dashboard.namespace=grafana",
    )
    monitor = rendered.one("ServiceMonitor")
    jsonschema.validate(monitor["spec"], SPECS[("monitoring.coreos.com/v1", "ServiceMonitor")])
    assert monitor["metadata"]["namespace"] == "monitoring"
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["default"]}
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["scrapeTimeout"] == "5s"
    assert endpoint["relabelings"] == [{"action": "labeldrop", "regex": "pod"}]
    assert endpoint["metricRelabelings"] == [{"action": "drop"}]
    assert rendered.one("PrometheusRule")["metadata"]["namespace"] == "monitoring"
    assert rendered.one("ConfigMap", "dashboard")["metadata"]["namespace"] == "grafana"
    assert "namespace" not in rendered.one("Deployment")["metadata"]


def test_the_deployment_can_be_annotated_and_have_more_containers(helm: Helm) -> None:
    deployment = helm.rendered(
        "minimal",
        "deploymentAnnotations.owner=shop",
        "podAnnotations.note=pods",
        "extraContainers[0].name=beside",
        "initContainers[0].name=before",
    ).one("Deployment")
    assert deployment["metadata"]["annotations"] == {"owner": "shop"}
    template = deployment["spec"]["template"]
    assert template["metadata"]["annotations"].keys() == {"checksum/config", "note"}
    assert [one["name"] for one in template["spec"]["containers"]] == ["gateway", "beside"]
    assert template["spec"]["initContainers"] == [{"name": "before"}]


@pytest.mark.parametrize("base", ["https://git.example.com/main", "https://git.example.com/main/"])
def test_the_runbook_url_of_the_alerts_exists(helm: Helm, base: str) -> None:
    rendered = helm.rendered("production", f"prometheusRule.runbookBaseUrl={base}")
    links = {
        rule["annotations"]["runbook_url"]
        for group in rendered.one("PrometheusRule")["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    assert len(links) > 10
    start = "https://git.example.com/main/docs/runbook.md#gateway"
    assert all(link.startswith(start) for link in links)


def test_custom_resources_are_rendered_only_if_enabled(helm: Helm) -> None:
    assert {one["kind"] for one in helm.rendered("minimal")} == {
        "ConfigMap",
        "Deployment",
        "Job",
        "NetworkPolicy",
        "Pod",
        "Service",
        "ServiceAccount",
    }


def test_an_external_secret_creates_the_mounted_secret(helm: Helm) -> None:
    rendered = helm.rendered("production")
    volumes = {
        volume["name"]: volume["secret"]["secretName"]
        for volume in rendered.pod["volumes"]
        if "secret" in volume
    }
    external = rendered.one("ExternalSecret", "partner")
    assert volumes["secret-partner"] == external["metadata"]["name"]
    assert volumes["secret-partner-next"] == "partner-next"
    assert {one["secretKey"] for one in external["spec"]["data"]} == {"access_key", "secret_key"}


@pytest.mark.parametrize("name", MATRIX)
def test_a_release_contains_no_secret(helm: Helm, name: str) -> None:
    assert not helm.rendered(name).of("Secret")


def tried(pod: Manifest, url: str) -> subprocess.CompletedProcess[str]:
    """Run the command of `helm test` on a gateway of this machine."""
    (container,) = pod["spec"]["containers"]
    program, *options, asked = container["command"]
    assert (program, asked) == ("python", "http://gw-partner-gateway:80/readyz")
    return subprocess.run(  # noqa: S603 - the chart's own
        [sys.executable, *options, url], capture_output=True, text=True, check=False
    )


def test_helm_test_reads_the_readiness_of_the_gateway(helm: Helm, served: Local) -> None:
    pod = helm.rendered("minimal").one("Pod", "test")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    ready = tried(pod, f"{served.url}/readyz")
    assert ready.returncode == 0, ready.stderr
    assert "200" in ready.stdout
    assert tried(pod, f"{served.url}/nothing").returncode != 0
