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


CLUSTER: list[dict[str, Any]] = [{"namespaceSelector": {}}]
ANYWHERE = [*CLUSTER, {"ipBlock": {"cidr": "0.0.0.0/0"}}]


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
    (allowed,) = callers[0].values()
    for pod in rendered.of("Pod"):
        assert allowed["matchLabels"].items() <= pod["metadata"]["labels"].items()


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
        (8444,): CLUSTER,
    }


def test_webhooks_may_go_to_configured_addresses_and_to_the_ports_of_their_urls_only(
    helm: Helm,
) -> None:
    url = "config.callers.crm.webhook.url=https://crm.sales.svc/hooks"
    address = "networkPolicy.egress.webhooks.to[0].ipBlock.cidr=10.1.2.3/32"
    rules = helm.rendered("production", url, address).one("NetworkPolicy")["spec"]["egress"]
    receiver = {"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [_tcp(443)]}
    assert receiver in rules
    closed = helm.rendered("production", url, "networkPolicy.egress.webhooks.to=[]")
    assert len(closed.one("NetworkPolicy")["spec"]["egress"]) == len(rules) - 1


def _tcp(port: int) -> dict[str, Any]:
    return {"protocol": "TCP", "port": port}


def test_egress_to_redis_and_to_the_collector_is_limited_to_the_cluster_by_default(
    helm: Helm,
) -> None:
    redis = ("config.state.url=rediss://redis", "config.state.key_file=/etc/state/key")
    found = egress(helm, "two-accounts", *redis)
    assert found == {(443,): PUBLIC, (3128,): ANYWHERE, (6379,): CLUSTER, (4318,): CLUSTER}


@pytest.mark.parametrize(
    ("destination", "ports"),
    [("upstream", (443,)), ("proxy", (3128,)), ("tracing", (4318,)), ("dns", (53, 53))],
)
@pytest.mark.parametrize("empty", ["to", "ports"])
def test_an_empty_list_allows_no_connection_to_a_destination(
    helm: Helm, destination: str, ports: tuple[int, ...], empty: str
) -> None:
    rendered = helm.rendered("two-accounts", f"networkPolicy.egress.{destination}.{empty}=[]")
    for policy in (rendered.one("NetworkPolicy"), rendered.one("NetworkPolicy", "test")):
        rules = policy["spec"]["egress"]
        assert all(rule.get("to") and rule.get("ports") for rule in rules)
        opened = [tuple(port["port"] for port in rule["ports"]) for rule in rules]
        assert opened.count(ports) == 0
        assert len(opened) == (3 if policy["metadata"]["name"] == "gw-partner-gateway" else 4)


@pytest.mark.parametrize("peers", ["callers", "prometheus"])
def test_an_empty_list_admits_nobody_but_the_pods_of_helm_test(helm: Helm, peers: str) -> None:
    rules = helm.rendered("minimal", f"networkPolicy.ingress.{peers}=[]").one("NetworkPolicy")
    counts = [len(rule["from"]) for rule in rules["spec"]["ingress"]]
    assert counts == ([1, 1] if peers == "callers" else [2])
    assert all(rule["from"] for rule in rules["spec"]["ingress"])


def test_the_ports_of_dns_can_be_set(helm: Helm) -> None:
    policy = helm.rendered("minimal", "networkPolicy.egress.dns.ports={5353}").one("NetworkPolicy")
    assert policy["spec"]["egress"][0]["ports"] == [
        {"protocol": "UDP", "port": 5353},
        {"protocol": "TCP", "port": 5353},
    ]


def test_the_pods_of_helm_test_reach_what_the_gateway_reaches_and_the_gateway(helm: Helm) -> None:
    rendered = helm.rendered("production")
    gateway, test = rendered.one("NetworkPolicy"), rendered.one("NetworkPolicy", "test")
    first, *others = test["spec"]["egress"]
    assert others == gateway["spec"]["egress"]
    assert first["to"] == [{"podSelector": gateway["spec"]["podSelector"]}]
    assert "ingress" not in test["spec"]


def test_the_pod_that_checks_the_configuration_has_no_connection(helm: Helm) -> None:
    rendered = helm.rendered("production")
    policy = rendered.one("NetworkPolicy", "check")["spec"]
    labels = rendered.one("Job", "check")["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert policy.keys() == {"podSelector", "policyTypes"}
    assert policy["policyTypes"] == ["Ingress", "Egress"]


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
    assert egress(helm, "two-accounts") == traces | {(443,): PUBLIC, (3128,): ANYWHERE}
    direct = egress(helm, "two-accounts", "config.accounts.europe.proxy=http://127.0.0.1:3128")
    assert direct == traces | {(443,): PUBLIC}


def test_the_egress_port_of_a_url_defaults_to_that_of_its_scheme(helm: Helm) -> None:
    found = egress(
        helm,
        "production",
        "config.state.url=rediss://redis",
        "config.tracing.endpoint=http://collector",
        "config.oidc.jwks_url=https://[::1]/keys",
    )
    assert found.keys() == {(443,), (6379,), (80,), (8444,)}


def test_the_network_policy_can_be_disabled(helm: Helm) -> None:
    assert not helm.rendered("minimal", "networkPolicy.enabled=false").of("NetworkPolicy")
