"""The alerts: each fires in its scenario only, uses existing metrics, and is explained in the
runbook."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from app.condition import Condition
from app.errors import ErrorCode, Fault
from app.gateway import Gateway
from app.observability import metrics
from app.settings import Settings
from demo.local import PROJECT
from tests.support.programs import needed
from tests.support.promql import OF_THE_TARGET, grouped, made, selectors, served, unknown

ALERTS = PROJECT / "helm/files/alerts.yaml"
RUNBOOK = PROJECT / "docs/runbook.md"
SCENARIOS = sorted((PROJECT / "tests/observability/alerts").glob("*.yaml"))
FIRING = 'count by (alertname, severity, fault) (ALERTS{alertstate="firing"})'

# Failures with an alert of their own; the availability alerts cover all others.
NAMED = {
    ErrorCode.ACCESS_KEY_LOCKED: "GatewayKeyLocked",
    ErrorCode.CLOCK_SKEWED: "GatewayClockSkewed",
    ErrorCode.LEGACY_API_RETIRED: "GatewayLegacyRetired",
    ErrorCode.OVERLOADED: "GatewayQuotaSaturated",
    ErrorCode.UPSTREAM_ACCESS_DENIED: "GatewayCredentialRefused",
    ErrorCode.UPSTREAM_UNMAPPED: "GatewayUnmappedCode",
}


RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
]
RAISED = [rule for rule in RULES if "alert" in rule]


def named(rule: dict[str, Any]) -> str:
    alert = f"{rule.get('alert')}-{rule.get('labels', {}).get('severity')}"
    return str(rule.get("record") or alert)


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run(  # noqa: S603 - no shell
        [needed("promtool"), *arguments], capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


@pytest.fixture
def known(settings: Settings) -> dict[str, frozenset[str]]:
    """Names and labels of the served metrics and of the recording rules."""
    names = served(Condition(lambda: Gateway.build(settings, observe=lambda _: None), "1"))
    names["up"] = OF_THE_TARGET  # Prometheus's own
    for rule in RULES:
        if "record" in rule:
            sources = [names[name] for name, _ in selectors(rule["expr"])]
            labels = frozenset[str]().union(*sources) | made(rule["expr"])
            by = grouped(rule["expr"]) if rule["expr"].startswith("sum by") else labels
            names[rule["record"]] = labels & frozenset(by)
    return names


def test_promtool_accepts_the_alert_rules() -> None:
    assert f"{len(RULES)} rules found" in promtool("check", "rules", "--lint=all", ALERTS)


UP = {"series": 'up{namespace="partner", job="gateway"}', "values": "1x10000"}


def reached(scenario: str) -> str:
    """The scenario with a gateway that Prometheus reaches, unless the scenario says otherwise."""
    if "series: 'up{" in scenario:
        return scenario
    series = "    input_series:\n"
    return scenario.replace(
        series, f"{series}      - {yaml.safe_dump(UP, default_flow_style=True)}"
    )


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_fires_its_alerts_and_no_others(scenario: Path, tmp_path: Path) -> None:
    path = tmp_path / scenario.name
    text = scenario.read_text().replace("../../../helm/files/alerts.yaml", str(ALERTS))
    path.write_text(reached(text))
    assert "SUCCESS" in promtool("test", "rules", path)


def expected(scenario: Path) -> Iterator[tuple[str, str]]:
    """The expected alerts of a scenario at each of its moments."""
    for case in yaml.safe_load(scenario.read_text())["tests"]:
        assert [one["expr"] for one in case["promql_expr_test"]].count(FIRING) > 0, case["name"]
        for moment in case["promql_expr_test"]:
            for sample in moment["exp_samples"]:
                labels = dict(re.findall(r'(\w+)="(\w+)"', sample["labels"]))
                yield labels["alertname"], labels["severity"]


def test_every_alert_fires_in_some_scenario() -> None:
    fired = {one for scenario in SCENARIOS for one in expected(scenario)}
    assert fired == {(rule["alert"], rule["labels"]["severity"]) for rule in RAISED}


@pytest.mark.long
def test_a_failure_that_callers_did_not_cause_fires_one_alert_that_names_the_cause(
    tmp_path: Path,
) -> None:
    cases = []
    for code in ErrorCode:
        fault = Fault.GATEWAY if code in NAMED else code.fault
        alert = NAMED.get(code, "GatewayAvailabilityFastBurn")
        page = f'{{alertname="{alert}", fault="{fault.name}", severity="page"}}'
        request = f'operation="get_verification", caller="shop", status="{code.status}"'
        counted = (
            f'gateway_requests_total{{{request}, code="{code.name}"}}',
            f'gateway_failures_total{{fault="{code.fault.name}", code="{code.name}"}}',
        )
        moment = {
            "expr": FIRING,
            "eval_time": "30m",
            "exp_samples": [{"labels": page, "value": 1}] if fault is not Fault.CALLER else [],
        }
        case = {"name": code.name, "interval": "1m", "promql_expr_test": [moment]}
        case["input_series"] = [UP, *({"series": one, "values": "0+60x30"} for one in counted)]
        cases.append(case)
    path = tmp_path / "codes.yaml"
    document = {"rule_files": [str(ALERTS)], "evaluation_interval": "5m", "tests": cases}
    path.write_text(yaml.safe_dump(document))
    promtool("test", "rules", path)


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_alert_rules_use_existing_metrics_and_labels(
    rule: dict[str, Any], known: dict[str, frozenset[str]]
) -> None:
    assert unknown(rule["expr"], known) == []
    labels = frozenset[str]().union(*(known[name] for name, _ in selectors(rule["expr"])))
    texts = " ".join(rule.get("annotations", {}).values())
    assert set(re.findall(r"\$labels\.(\w+)", texts)) <= labels


def test_alert_rules_use_existing_operations_codes_and_histogram_buckets(app: Flask) -> None:
    operations = {one.endpoint.rpartition(".")[2] for one in app.url_map.iter_rules()} | {"none"}
    codes = set(ErrorCode.__members__)
    buckets = {str(float(bound)) for bound in metrics.REQUEST_SECONDS._kwargs["buckets"]}
    for rule in RULES:
        for _, asked in selectors(rule["expr"]):
            assert set(asked.get("operation", "none").split("|")) <= operations
            assert asked.get("cause", "other") in codes | {"other"}
            assert asked.get("le", "5.0") in buckets


@pytest.mark.parametrize("rule", RAISED, ids=named)
def test_an_alert_says_what_is_wrong_and_who_must_act(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert set(rule["annotations"]) == {"summary", "who_must_act", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_every_alert_has_a_section_of_the_runbook_and_every_section_an_alert() -> None:
    sections = re.findall(r"^## (Gateway\w+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert sections == list(dict.fromkeys(rule["alert"] for rule in RAISED))
