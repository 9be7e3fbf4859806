"""How a watch goes is shown by every replica, and survives a change of the holder."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.condition import Condition
from app.events.book import SHORTEST
from app.events.lease import LASTS
from app.gateway import Gateway
from app.huawei.pacing.quota import MARGIN
from app.settings import Settings
from app.state import MemoryState
from tests.support.gateway import configuration
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock
from tests.support.watching import Replica


@pytest.fixture
def settings(tmp_path: Path, sandbox: SandboxDriver) -> Settings:
    return Settings.model_validate(configuration(tmp_path, sandbox.url))


@pytest.fixture
def replica(settings: Settings) -> Replica:
    clock = Clock()
    return Replica(settings, MemoryState(now=clock), clock)


def age(replica: Replica) -> float:
    """Seconds since the oldest look, as reported."""
    watch = replica.report.read()
    assert watch is not None
    return replica.clock() - watch.oldest_look


def test_the_oldest_look_is_as_old_as_a_sweep_takes(
    replica: Replica, sandbox: SandboxDriver
) -> None:
    replica.begin(sandbox, *(f"cust-{number}" for number in range(30)))
    replica.watch(120)
    watch = replica.report.read()
    assert watch is not None
    assert 20 < age(replica) < 30 * MARGIN + SHORTEST + 10
    assert 30 < watch.sweep < 60 * MARGIN + SHORTEST


def test_a_failed_look_does_not_count_as_a_look(replica: Replica, sandbox: SandboxDriver) -> None:
    replica.begin(sandbox, "cust-1")
    replica.watch(20)
    assert age(replica) < 2 * SHORTEST + 5
    sandbox.fault("result", "code", code="CBC.0999")
    sandbox.fault("list_customers", "code", code="CBC.0999")
    replica.watch(600)
    assert age(replica) > 580


def test_a_new_holder_does_not_forget_how_old_the_oldest_look_is(
    settings: Settings, replica: Replica, sandbox: SandboxDriver
) -> None:
    replica.begin(sandbox, "cust-1")
    replica.watch(20)
    sandbox.fault("result", "code", code="CBC.0999")
    other = Replica(settings, replica.state, replica.clock, beside=replica)
    other.clock.pass_time(300 + LASTS)
    other.watch(60)
    assert age(other) > 300


def test_without_an_open_review_there_is_no_old_look(replica: Replica) -> None:
    replica.watch(60)
    assert age(replica) < 10


def test_every_replica_shows_the_watch(settings: Settings) -> None:
    gateway = Gateway.build(settings, observe=lambda _: None)
    gateway.accounts["default"].reviews.begin("cust-1", "INDIVIDUAL", "writer", None)
    gateway.accounts["default"].report.write(30.0, 12.0)
    shown = {
        (sample.name, sample.labels["account"]): sample.value
        for metric in Condition(lambda: gateway, "1").collect()
        for sample in metric.samples
        if "review" in sample.name or "watch" in sample.name
    }
    assert shown["gateway_open_reviews", "default"] == 1
    assert shown["gateway_open_reviews", "second"] == 0
    assert shown["gateway_watch_sweep_seconds", "default"] == 12
    assert ("gateway_watch_oldest_look_timestamp_seconds", "second") not in shown
