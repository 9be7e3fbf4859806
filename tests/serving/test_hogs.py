"""Clients that take many connections, or one caller with many requests, lock nobody out."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from selectors import EVENT_READ, DefaultSelector

import pytest

from tests.serving.hogs import check_probes, connections, memory
from tests.support.gateway import PERSON, configuration
from tests.support.gunicorn_process import ServedGateway
from tests.support.raw_client import statuses
from tests.support.raw_upstream import RawUpstream
from tests.support.timing import wait_until

BODY = json.dumps(PERSON).encode()
HEAD = b"GET /livez HTTP/1.1\r\nHost: gateway\r\n"
MANY = 2050
MOST_WAITING = 500  # the default of callers.<name>.max_waiting


def submission(place: int) -> bytes:
    return (
        f"POST /v1/customers/c-{place}/verifications/individual HTTP/1.1\r\nHost: gateway\r\n"
        f"Authorization: Bearer writer-key\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(BODY)}\r\nConnection: close\r\n\r\n"
    ).encode() + BODY


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedGateway]:
    """A gateway that may send one call a second: further ones wait."""
    folder = tmp_path_factory.mktemp("hogs")
    with RawUpstream() as upstream:
        document = configuration(folder, upstream.url)
        document["accounts"]["default"]["quota"] = {"requests_per_second": 1}
        with ServedGateway(folder, document, environment={"LOG_LEVEL": "WARNING"}) as served:
            yield served
            served.signal(signal.SIGQUIT)  # without waiting for the requests in progress
            served.wait()


def test_idle_connections_of_callers_take_neither_the_probes_nor_the_port_away(
    gateway: ServedGateway,
) -> None:
    with connections(gateway.url, 2100):
        check_probes(gateway)
        assert gateway.request("GET", "/livez").status_code == 200


def test_idle_connections_to_the_operations_port_do_not_take_it_away(
    gateway: ServedGateway,
) -> None:
    with connections(gateway.operations_url, 1020):
        check_probes(gateway)


def test_unfinished_heads_neither_fill_the_memory_nor_the_port(gateway: ServedGateway) -> None:
    head = HEAD + b"".join(b"X-%d: %b\r\n" % (place, b"a" * 8000) for place in range(48))
    with connections(gateway.url, 700, lambda _: head):
        check_probes(gateway)
        assert gateway.request("GET", "/livez").status_code == 200
    with connections(gateway.url, 1200, lambda _: head[:31_000]):
        check_probes(gateway)
        assert gateway.request("GET", "/livez").status_code == 200
        assert memory(gateway.worker) < 256


def test_the_requests_of_one_caller_in_progress_are_bounded_and_the_others_are_refused_at_once(
    gateway: ServedGateway,
) -> None:
    with connections(gateway.url, MANY, submission) as wires, DefaultSelector() as readable:
        for wire in wires:
            readable.register(wire, EVENT_READ, wire)
        wait_until(lambda: len(readable.select(0)) >= MANY - MOST_WAITING)
        check_probes(gateway)
        answers = [key.data.read() for key, _ in readable.select(0)]
    refused = [one for one in answers if b'"code": "OVERLOADED"' in one]
    sent = [one for one in answers if one not in refused]  # one a second
    assert MANY - MOST_WAITING - len(sent) <= len(refused) <= MANY - MOST_WAITING
    for one in sent:  # a busy machine may not connect to upstream in time
        assert statuses(one) == [201] or b'"code": "UPSTREAM_UNREACHABLE"' in one
    for one in refused:
        assert statuses(one) == [503]
        assert b"Too many of your requests are in progress." in one
        assert b"\r\nRetry-After: 1\r\n" in one
