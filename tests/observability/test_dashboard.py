"""The dashboard: every expression is valid and uses existing metrics and labels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from app.condition import Condition
from app.errors import Fault
from app.gateway import Gateway
from app.settings import Settings
from demo.local import PROJECT
from tests.support.promql import OF_THE_TARGET, selectors, served, unknown

DASHBOARD = json.loads((PROJECT / "helm/files/dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = {
    f"{panel['title']}-{target['refId']}": target for panel in PANELS for target in panel["targets"]
}
each_query = pytest.mark.parametrize("target", QUERIES.values(), ids=QUERIES)


def expression(target: dict[str, Any]) -> str:
    """The expression with Grafana's variables substituted."""
    text = str(target["expr"]).replace("$__rate_interval", "2m").replace("$__range", "6h")
    return text.replace("$namespace", "pay").replace("$job", "gateway")


@pytest.fixture
def known(settings: Settings) -> dict[str, frozenset[str]]:
    names = served(Condition(lambda: Gateway.build(settings, observe=lambda _: None), "1"))
    alert = {"alertname", "alertstate", "severity", "fault"}
    return names | {"ALERTS": OF_THE_TARGET | alert}


@each_query
def test_dashboard_queries_use_existing_metrics_and_labels(
    target: dict[str, Any], known: dict[str, frozenset[str]]
) -> None:
    asked = expression(target)
    assert "$" not in asked
    assert unknown(asked, known) == []
    labels = frozenset[str]().union(*(known[name] for name, _ in selectors(asked)))
    assert set(re.findall(r"{{(\w+)}}", target.get("legendFormat", ""))) <= labels


@each_query
def test_dashboard_queries_select_the_chosen_gateway(target: dict[str, Any]) -> None:
    for name, asked in selectors(expression(target)):
        chosen = {label: asked.get(label) for label in ("namespace", "job")}
        assert chosen == {"namespace": "pay", "job": "gateway"}, name


def test_the_dashboard_shows_every_metric_of_the_gateway(known: dict[str, frozenset[str]]) -> None:
    shown = {name for one in QUERIES.values() for name, _ in selectors(expression(one))}
    families = {re.sub("_(bucket|count|sum)$", "", one) for one in known if "gateway_" in one}
    assert families == {
        re.sub("_(bucket|count|sum)$", "", one) for one in shown if "gateway_" in one
    }


def test_the_data_source_of_the_dashboard_can_be_chosen() -> None:
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    sources = [panel["datasource"] for panel in PANELS]
    sources += [variables["namespace"]["datasource"], variables["job"]["datasource"]]
    assert all(one == {"type": "prometheus", "uid": "${datasource}"} for one in sources)


def test_who_must_act_agrees_with_the_error_catalogue() -> None:
    (panel,) = [one for one in PANELS if one["title"] == "Who must act"]
    turns = {Fault.CALLER: "Caller", Fault.GATEWAY: "Gateway", Fault.UPSTREAM: "Huawei"}
    counted = {
        asked["fault"]: target["legendFormat"]
        for target in panel["targets"]
        for _, asked in selectors(expression(target))
    }
    assert counted == {fault.name: turn for fault, turn in turns.items()}


def test_panels_of_the_dashboard_do_not_overlap_and_stay_on_the_grid() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    assert all(one["x"] + one["w"] <= 24 for one in places)
    for one, other in combinations(places, 2):
        apart_across = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_down = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_across or apart_down
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)


def _named_in_the_runbook() -> Iterator[str]:
    text = (PROJECT / "docs/runbook.md").read_text()
    yield from re.findall(r"(?<!\w)_([A-Z][^_\n]+)_(?!\w)", text)


def test_the_runbook_names_existing_panels_of_the_dashboard() -> None:
    named = set(_named_in_the_runbook())
    assert len(named) > 5
    assert named <= {panel["title"] for panel in DASHBOARD["panels"]}
