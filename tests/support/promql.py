"""The metrics and labels in PromQL expressions, and those that the gateway serves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import promql_parser
from prometheus_client import REGISTRY, Metric
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

from app.observability import metrics

# Labels that Prometheus adds to every scraped metric.
OF_THE_TARGET = frozenset({"namespace", "job", "instance", "pod"})

_SAMPLES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "counter": {"_total": frozenset()},
    "gauge": {"": frozenset()},
    "histogram": {
        "_bucket": frozenset({"le"}),
        "_count": frozenset(),
        "_sum": frozenset(),
    },
}


def _families(condition: Collector) -> Iterator[tuple[str, str, Iterable[str]]]:
    """Name, type and labels of each metric, with or without a value."""
    declared = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    for one in declared:
        yield one._name, str(one._type), one._labelnames
    ours = {one._name for one in declared}
    found: list[Metric] = [*condition.collect(), *REGISTRY.collect()]
    for family in found:
        if family.name not in ours:
            yield family.name, family.type, getattr(family, "_labelnames", ())


def served(condition: Collector) -> dict[str, frozenset[str]]:
    """The names of the gateway's metrics in Prometheus, each with its labels.

    Args:
        condition: The collector that computes metrics at each scrape.
    """
    return {
        name + suffix: frozenset(labels) | more | OF_THE_TARGET
        for name, kind, labels in _families(condition)
        for suffix, more in _SAMPLES[kind].items()
    }


def _parts(expression: str) -> list[Any]:
    parts: list[Any] = []
    promql_parser.walk(promql_parser.parse(expression), parts.append)
    return parts


def selectors(expression: str) -> list[tuple[str, dict[str, str]]]:
    """Every metric in an expression, with the labels of its selectors."""
    return [
        (str(part.name), {one.name: one.value for one in part.matchers.matchers})
        for part in _parts(expression)
        if isinstance(part, promql_parser.VectorSelector)
    ]


def grouped(expression: str) -> set[str]:
    """The labels by which an expression groups, joins or names results."""
    found: set[str] = set()
    for part in _parts(expression):
        if isinstance(part, promql_parser.AggregateExpr) and part.modifier:
            found |= set(part.modifier.labels)
        elif isinstance(part, promql_parser.BinaryExpr) and part.modifier:
            matching = part.modifier.matching
            found |= set(matching.labels if matching else ())
            found |= set(part.modifier.group_labels or ())
    return found


def made(expression: str) -> set[str]:
    """The labels that an expression adds."""
    return {
        part.args[1].val
        for part in _parts(expression)
        if isinstance(part, promql_parser.Call) and part.func.name == "label_replace"
    }


def unknown(expression: str, known: Mapping[str, frozenset[str]]) -> list[str]:
    """The metrics and labels in an expression that nothing serves."""
    wrong, labels = [], made(expression)
    for name, asked in selectors(expression):
        if name not in known:
            wrong.append(name)
            continue
        wrong += [f"{name}{{{label}}}" for label in asked if label not in known[name]]
        labels |= known[name]
    return wrong + [f"by {label}" for label in grouped(expression) - labels]
