"""The network policy admits callers and Prometheus, and allows egress to configured hosts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.helm import MATRIX, Helm

PUBLIC = [
    {
        "ipBlock": {
            "cidr": "0.0.0.0/0",
            "except": [
                "10.0.0.0/8",
                "100.64.0.0/10",
                "169.254.0.0/16",
                "172.16.0.0/12",
                "192.168.0.0/16",
            ],
        }
    }
]


def namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def egress(helm: Helm, name: str, *settings: str) -> dict[tuple[int, ...], Any]:
    """The allowed peers of egress by their ports, without DNS."""
    rules = helm.rendered(name, *settings).one("NetworkPolicy")["spec"]["egress"]
    assert rules[0]["to"] == [namespace("kube-system")]
    assert [(one["protocol"], one["port"]) for one in rules[0]["ports"]] == [
        ("UDP", 53),
        ("TCP", 53),
    ]
    assert all(one["protocol"] == "TCP" for rule in rules[1:] for one in rule["ports"])
    found = [(tuple(one["port"] for one in rule["ports"]), rule.get("to")) for rule in rules[1:]]
    assert len(dict(found)) == len(found), "two rules on the same ports cannot be told apart here"
    return dict(found)


@pytest.mark.parametrize("name", MATRIX)
def test_the_network_policy_covers_ingress_and_egress_of_the_gateways_pods(
    helm: Helm, name: str
) -> None:
    rendered = helm.rendered(name)
    policy = rendered.one("NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["podSelector"] == rendered.one("Deployment")["spec"]["selector"]
    labels = rendered.one("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()


def test_callers_reach_the_http_port_only_and_prometheus_the_metrics_port_only(helm: Helm) -> None:
    callers, prometheus = helm.rendered("service-account-callers").one("NetworkPolicy")["spec"][
        "ingress"
    ]
    assert callers["from"][1:] == [
        {**namespace("billing"), "podSelector": {"matchLabels": {"app": "api"}}}
    ]
    assert [port["port"] for port in callers["ports"]] == ["http"]
    assert prometheus["from"] == [namespace("monitoring")]
    assert [port["port"] for port in prometheus["ports"]] == ["metrics"]


def test_the_network_policy_admits_the_pod_of_helm_test(helm: Helm) -> None:
    rendered = helm.rendered("production")
    callers = rendered.one("NetworkPolicy")["spec"]["ingress"][0]["from"]
    labels = rendered.one("Pod", "test")["metadata"]["labels"]
    assert callers[0] == {"podSelector": {"matchLabels": labels}}


def test_the_minimal_installation_reaches_public_addresses_by_https_only(helm: Helm) -> None:
    assert egress(helm, "minimal") == {(443,): PUBLIC}


def test_the_sandbox_installation_has_no_egress(helm: Helm) -> None:
    assert egress(helm, "sandbox") == {}


def test_a_host_below_localhost_needs_no_egress(helm: Helm) -> None:
    endpoint = "config.accounts.default.endpoint=http://bss.localhost:8090"
    assert egress(helm, "minimal", endpoint) == {}


def test_egress_to_redis_and_the_collector_is_limited_to_their_ports(helm: Helm) -> None:
    found = egress(helm, "production", "config.oidc.jwks_url=https://login.example.com:8443/keys")
    assert found == {
        (443,): PUBLIC,
        (6380,): [namespace("redis")],
        (4318,): [namespace("monitoring")],
        (8443,): PUBLIC,
    }


CLUSTER: list[dict[str, Any]] = [{"namespaceSelector": {}}]


def test_egress_without_given_addresses_is_limited_to_the_cluster(helm: Helm) -> None:
    changes = [f"networkPolicy.egress.{name}.to=null" for name in ("state", "tracing")]
    found = egress(helm, "production", *changes, "config.oidc.jwks_url=https://[::1]/keys")
    assert found == {(443,): PUBLIC, (6380,): CLUSTER, (4318,): CLUSTER}
    found = egress(helm, "service-account-callers", "networkPolicy.egress.kubernetes.to=null")
    assert found == {(443,): PUBLIC, (443, 6443): CLUSTER}


@pytest.mark.parametrize("name", MATRIX)
def test_https_egress_excludes_private_addresses(helm: Helm, name: str) -> None:
    rules = helm.rendered(name).one("NetworkPolicy")["spec"]["egress"]
    for rule in rules:
        if any(port["port"] == 443 for port in rule["ports"]):
            assert rule["to"] == PUBLIC or "0.0.0.0/0" not in str(rule["to"])


def test_addresses_and_ports_of_egress_can_be_set(helm: Helm) -> None:
    found = egress(
        helm,
        "production",
        "networkPolicy.egress.state.ports={6379}",
        "networkPolicy.egress.oidc.to[0].ipBlock.cidr=10.1.2.3/32",
        "networkPolicy.egress.oidc.ports={8443,9443}",
    )
    assert found[(6379,)] == [namespace("redis")]
    assert found[(8443, 9443)] == [{"ipBlock": {"cidr": "10.1.2.3/32"}}]
    assert (6380,) not in found


def test_egress_to_the_api_server_covers_its_service_and_its_endpoint_port(helm: Helm) -> None:
    assert egress(helm, "service-account-callers") == {
        (443,): PUBLIC,
        (443, 6443): [{"ipBlock": {"cidr": "172.18.0.2/32"}}],
    }


def test_an_account_with_a_proxy_needs_egress_to_the_proxy_only(helm: Helm) -> None:
    traces = {(4318,): CLUSTER}
    assert egress(helm, "two-accounts") == traces | {(443,): PUBLIC, (3128,): None}
    direct = egress(helm, "two-accounts", "config.accounts.europe.proxy=http://127.0.0.1:3128")
    assert direct == traces | {(443,): PUBLIC}


def test_the_egress_port_of_a_url_defaults_to_that_of_its_scheme(helm: Helm) -> None:
    found = egress(
        helm,
        "production",
        "config.state.url=redis://redis",
        "config.state.insecure=true",
        "config.tracing.endpoint=http://collector",
        "config.oidc.jwks_url=https://[::1]/keys",
    )
    assert found.keys() == {(443,), (6379,), (80,)}


def test_the_network_policy_can_be_disabled(helm: Helm) -> None:
    assert not helm.rendered("minimal", "networkPolicy.enabled=false").of("NetworkPolicy")
