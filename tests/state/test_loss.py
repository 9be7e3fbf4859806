"""A lost Valkey server: the gateway continues with its memory and logs the loss once."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from app import create_app
from app.observability.logs import JsonFormatter
from app.settings import Settings, StateSettings
from app.state import Client, SharedState
from app.state.address import TIMEOUT
from app.state.client import RENEWAL
from tests.support.gateway import submit
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import Clock, together, wait_until
from tests.support.valkey import KEY_FILE, PASSWORD, SEALING, Valkey

RETRY_INTERVAL = 5.0  # seconds, the module's constant


def degraded() -> float | None:
    return REGISTRY.get_sample_value("gateway_state_degraded")


def lines(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    found = [one for one in caplog.records if one.name == "gateway.state"]
    return [JsonFormatter().format(one) for one in found if one.levelno == level]


def test_a_lost_state_is_replaced_by_memory_and_reported_once(
    mortal: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    state = mortal.state()
    state.put("a", b"1", 60)
    assert (state.shared, degraded()) == (True, 0)
    mortal.kill()

    assert state.get("a") == b"1"  # this process still knows its own values
    assert (state.shared, degraded()) == (False, 1)
    state.put("a", b"2", 60)
    assert state.get("a") == b"2"
    assert state.add("b", b"1", 60)
    assert not state.add("b", b"1", 60)
    assert [state.increase("n", 60) for _ in range(3)] == [1, 2, 3]
    state.delete("a")
    assert state.get("a") is None

    (line,) = lines(caplog, logging.ERROR)
    assert "lost" in line
    assert PASSWORD not in line
    assert str(mortal.port) not in line


def test_a_process_that_loses_the_state_still_holds_the_keys_that_it_added(mortal: Valkey) -> None:
    one, other = mortal.state(), mortal.state()
    assert one.add("lock", b"one", 60)
    assert not other.add("lock", b"other", 60)
    mortal.kill()
    assert not one.add("lock", b"again", 60)
    assert (one.get("lock"), other.get("lock")) == (b"one", None)


def test_eight_threads_that_lose_the_state_fail_no_call_and_report_it_once(
    mortal: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    state = mortal.state()
    lost = threading.Event()

    def count(place: int) -> int:
        while not lost.is_set():
            state.increase("n", 60)
            state.put(f"{place}", b"1", 60)
        return state.increase("after", 60)

    def kill() -> int:
        wait_until(lambda: int(mortal.values().get(mortal.name("n"), b"0")) > 100)
        mortal.kill()
        wait_until(lambda: not state.shared)
        lost.set()
        return 0

    counts = together(9, lambda place: count(place) if place else kill())
    assert sorted(counts) == list(range(9))
    assert len(lines(caplog, logging.ERROR)) == 1


def test_a_restarted_server_is_used_again_after_the_retry_interval(
    mortal: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    state = mortal.state()
    mortal.kill()
    begun = time.monotonic()
    state.put("a", b"mine", 60)
    mortal.start()
    assert (
        state.get("a") == b"mine"
    )  # the server is not tried yet: a lost server must not cost time
    wait_until(lambda: (state.get("a"), state.shared)[1])
    assert RETRY_INTERVAL - 0.5 < time.monotonic() - begun < RETRY_INTERVAL + 2
    assert (state.get("a"), degraded()) == (None, 0)
    state.put("a", b"ours", 60)
    assert mortal.value("a") == b"ours"
    assert len(lines(caplog, logging.ERROR)) == 1
    assert [line for line in lines(caplog, logging.WARNING) if "available again" in line]


def test_a_hanging_state_delays_one_call_by_a_second(mortal: Valkey) -> None:
    state = mortal.state()
    state.put("a", b"1", 60)
    mortal.freeze()
    begun = time.monotonic()
    try:
        state.put("a", b"2", 60)
        state.add("b", b"1", 60)
        assert state.get("a") == b"2"
    finally:
        mortal.thaw()
    assert 0.9 < time.monotonic() - begun < 2.5
    assert not state.shared


def test_of_many_requests_one_tries_a_lost_server(mortal: Valkey) -> None:
    clock = Clock()
    state = mortal.state(monotonic=clock)
    state.put("a", b"1", 60)
    opened = mortal.connections
    mortal.freeze()
    try:
        assert state.get("a") == b"1"
        clock.pass_time(RETRY_INTERVAL)
        assert together(8, lambda _: state.get("a")) == [b"1"] * 8
    finally:
        mortal.thaw()
    assert mortal.connections == opened + 2  # the one that tried, and that of the test itself


def test_a_wrong_password_of_the_state_counts_as_a_lost_server(
    mortal: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = "wrong-state-password"
    state = mortal.state(StateSettings(url=mortal.url.replace(PASSWORD, wrong), key_file=KEY_FILE))
    state.put("a", b"1", 60)
    assert (state.get("a"), state.shared) == (b"1", False)
    assert mortal.values() == {}
    (line,) = lines(caplog, logging.ERROR)
    assert wrong not in line


@pytest.fixture
def shared_settings(settings: Settings, mortal: Valkey, tmp_path: Path) -> Settings:
    key_file = tmp_path / "state-key"
    key_file.write_text("k" * 32)
    document = settings.model_dump(exclude_unset=True) | {
        "state": {"url": mortal.url, "key_file": key_file}
    }
    return Settings.model_validate(document)


def test_requests_succeed_after_the_server_of_the_state_dies(
    shared_settings: Settings, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    client = create_app(shared_settings).test_client()
    assert submit(client).status_code == 201
    mortal.kill()
    assert [submit(client).status_code for _ in range(3)] == [201] * 3
    assert client.get("/readyz").status_code == 200
    assert len(sandbox.requests("verified-info")) == 4


def test_a_gateway_starts_and_serves_without_the_server_of_its_state(
    shared_settings: Settings, sandbox: SandboxDriver, mortal: Valkey
) -> None:
    mortal.kill()
    client = create_app(shared_settings).test_client()
    assert client.get("/readyz").status_code == 200
    assert submit(client).status_code == 201
    assert len(sandbox.requests("verified-info")) == 1


def test_a_key_of_another_type_costs_its_own_value_only(mortal: Valkey) -> None:
    clock = Clock()
    state = mortal.state(monotonic=clock)
    with mortal._client() as client:
        client.lpush(mortal.name("a").decode(), "1")
    assert state.get("a") is None
    clock.pass_time(RETRY_INTERVAL)
    assert state.get("b") is None
    assert state.shared


def test_a_look_up_that_hangs_holds_up_no_request_longer_than_a_second(mortal: Valkey) -> None:
    clock, answers = Clock(), threading.Event()

    def resolve(*_: Any, **__: Any) -> None:
        assert answers.wait(60)

    state = SharedState(Client(mortal.settings, clock, resolve), SEALING)
    try:
        state.put("a", b"1", 60)
        clock.pass_time(RENEWAL)
        begun = time.monotonic()
        assert [state.get("a") for _ in range(5)] == [b"1"] * 5  # by the connections of before
        mortal.kill()
        state.get("a")
        clock.pass_time(RETRY_INTERVAL)
        assert state.get("a") == b"1"
        assert not state.shared
        assert time.monotonic() - begun < 10
    finally:
        answers.set()


def test_a_look_up_that_takes_longer_than_a_request_waits_still_renews_the_connections(
    valkey: Valkey,
) -> None:
    clock, answers = Clock(), threading.Event()

    def resolve(*_: Any, **__: Any) -> None:
        assert answers.wait(60)

    state = SharedState(Client(valkey.settings, clock, resolve), SEALING)
    before = state.client.redis.connection_pool
    clock.pass_time(RENEWAL)
    state.put("a", b"1", 60)
    time.sleep(TIMEOUT + 0.2)  # a slow name server
    assert state.client.redis.connection_pool is before
    answers.set()
    wait_until(lambda: state.client.redis.connection_pool is not before)
    assert state.get("a") == b"1"
