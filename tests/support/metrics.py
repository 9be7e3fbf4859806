"""Readings of the gateway's metrics."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from prometheus_client import REGISTRY, CollectorRegistry

from app.condition import Condition


def counted(name: str, **labels: str) -> Callable[[], float]:
    """A function that returns the increase of a sample since this call."""

    def value() -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    begun = value()
    return lambda: value() - begun


def seen(app: Flask, name: str, **labels: str) -> float | None:
    """The current value of a sample that the gateway computes at the scrape."""
    registry = CollectorRegistry()
    registry.register(Condition(lambda: app.extensions["partner_gateway"], "1.2.3"))
    return registry.get_sample_value(name, labels)
