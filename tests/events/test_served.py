"""Consumers of replicas under gunicorn that share a Redis; the test adds as one more replica."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from threading import Event as Flag

import pytest
import requests

from app.events import Feed
from tests.serving.hogs import check_probes, connections, memory
from tests.support.events import add
from tests.support.gunicorn_process import ServedGateway
from tests.support.patience import headers, patient
from tests.support.raw_client import statuses
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until
from tests.support.valkey import Valkey

EVENTS = "/v1/events"
CALLERS = {"writer": {"scopes": ["events:read"], "max_waiting": 2000}}
MANY = 1950  # gunicorn.conf.py accepts 2,000 connections


@pytest.fixture
def feed(valkey: Valkey) -> Feed:
    """The feed of one more replica."""
    return Feed(valkey.state(), Flag())


@pytest.fixture
def replicas(
    tmp_path: Path, sandbox: SandboxDriver, valkey: Valkey
) -> Iterator[tuple[ServedGateway, ServedGateway]]:
    with ExitStack() as stack:
        started = []
        for name in ("one", "other"):
            folder = tmp_path / name
            folder.mkdir()
            document = patient(folder, sandbox.url, {"url": valkey.url}, CALLERS)
            started.append(stack.enter_context(ServedGateway(folder, document)))
        yield started[0], started[1]


def poll(gateway: ServedGateway, after: str, wait: int = 25) -> requests.Response:
    return gateway.request("GET", EVENTS, params={"after": after}, headers=headers(wait=wait))


def place(gateway: ServedGateway) -> str:
    answer = gateway.request("GET", EVENTS, headers=headers())
    return str(answer.json()["next"])


def waiting(gateway: ServedGateway) -> int:
    """The number of requests that wait for an event."""
    found = re.search(r"^gateway_events_waiting (\S+)$", gateway.operate("/metrics").text, re.M)
    assert found
    return int(float(found[1]))


def processor_seconds(process: int) -> float:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_long_polls_are_woken_within_a_second_by_an_event_of_another_replica(
    replicas: tuple[ServedGateway, ServedGateway], feed: Feed, sandbox: SandboxDriver
) -> None:
    after, same = (place(gateway) for gateway in replicas)
    assert after == same
    with ThreadPoolExecutor(20) as threads:
        polls = [threads.submit(poll, gateway, after) for gateway in replicas]
        wait_until(lambda: [waiting(gateway) for gateway in replicas] == [1, 1])
        added = time.monotonic()
        add(feed, "cust-1")
        one, other = (poll.result() for poll in polls)
        assert time.monotonic() - added < 1
    assert one.json() == other.json()
    assert [item["customer_id"] for item in one.json()["items"]] == ["cust-1"]
    assert sandbox.requests() == []


def test_a_shutdown_ends_long_polls_at_once_and_with_a_place(
    replicas: tuple[ServedGateway, ServedGateway],
) -> None:
    gateway, _ = replicas
    after = place(gateway)
    with ThreadPoolExecutor(20) as threads:
        polls = [threads.submit(poll, gateway, after) for _ in range(20)]
        wait_until(lambda: waiting(gateway) == 20)
        begun = time.monotonic()
        gateway.signal(signal.SIGTERM)
        answers = [poll.result() for poll in polls]
        assert time.monotonic() - begun < 2
        assert gateway.wait() == 0
        assert time.monotonic() - begun < 8
    for answer in answers:
        assert (answer.status_code, answer.json()) == (200, {"items": [], "next": after})


@pytest.mark.long
def test_two_thousand_long_polls_cost_little_and_are_told_together(
    replicas: tuple[ServedGateway, ServedGateway], feed: Feed
) -> None:
    gateway, _ = replicas
    asked = (
        f"GET {EVENTS}?after={place(gateway)} HTTP/1.1\r\nHost: gateway\r\n"
        "Authorization: Bearer writer-key\r\nPrefer: wait=25\r\nConnection: close\r\n\r\n"
    ).encode()
    before = memory(gateway.worker)
    with (
        connections(gateway.url, MANY, lambda _: asked) as wires,
        DefaultSelector() as readable,
    ):
        for wire in wires:
            readable.register(wire, EVENT_READ, wire)
        wait_until(lambda: waiting(gateway) == MANY)
        used, begun = processor_seconds(gateway.worker), time.monotonic()
        check_probes(gateway)
        time.sleep(2)  # the measurement
        share = (processor_seconds(gateway.worker) - used) / (time.monotonic() - begun)
        assert waiting(gateway) == MANY
        used = processor_seconds(gateway.worker)
        add(feed, "cust-1")
        wait_until(lambda: len(readable.select(0)) == MANY)
        told = processor_seconds(gateway.worker) - used
        answers = [wire.read() for wire in wires]
    assert [statuses(answer) for answer in answers] == [[200]] * MANY
    assert all(b"cust-1" in answer for answer in answers)
    assert share < 0.1
    assert told < 10
    assert memory(gateway.worker) - before < 150
