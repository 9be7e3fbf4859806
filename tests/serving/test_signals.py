"""Signals by which gunicorn reloads or starts workers are ignored; a dead worker is replaced."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.gate import Gate, submit
from tests.support.gateway import configuration
from tests.support.gunicorn_process import LIMIT, ServedGateway
from tests.support.raw_upstream import RawUpstream
from tests.support.timing import wait_until

IGNORED = {
    signal.SIGHUP: "SIGHUP is ignored: a changed configuration needs a restart",
    signal.SIGTTIN: "SIGTTIN is ignored: the gateway is one process",
    signal.SIGTTOU: "SIGTTOU is ignored: the gateway is one process",
    signal.SIGUSR2: "SIGUSR2 is ignored: the gateway is one process",
}


@dataclass(frozen=True)
class Held:
    """A gateway whose upstream answers while a gate is open."""

    gateway: ServedGateway
    gate: Gate
    audit: Path
    file: Path


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    folder, gate = tmp_path_factory.mktemp("signals"), Gate()
    audit = folder / "audit.jsonl"
    with RawUpstream(gate) as upstream:
        document = {**configuration(folder, upstream.url), "audit": {"file": str(audit)}}
        with ServedGateway(folder, document) as gateway:
            assert submit(gateway).status_code == 201  # the first call proves the key
            assert gate.arrived.acquire(timeout=LIMIT)
            yield Held(gateway, gate, audit, folder / "config.yaml")


def test_reloads_are_ignored_with_a_line_and_lose_no_request(held: Held) -> None:
    gateway, gate, worker = held.gateway, held.gate, held.gateway.worker
    content = held.file.read_text()
    held.file.write_text("accounts: none")  # a reload would fail
    gate.shut()
    with ThreadPoolExecutor() as threads:
        answers = [threads.submit(submit, gateway, f"c-{place}") for place in range(5)]
        for _ in answers:
            assert gate.arrived.acquire(timeout=LIMIT)
        for number, text in IGNORED.items():
            gateway.signal(number)
            assert gateway.line(event=text)["level"] == "WARNING"
            os.kill(worker, number)
        gate.open()
        assert {answer.result(LIMIT).status_code for answer in answers} == {201}
    held.file.write_text(content)
    assert gateway.operate("/livez").status_code == 200
    assert gateway.worker == worker


def test_a_worker_that_was_killed_leaves_a_trace_of_its_write_and_is_replaced(held: Held) -> None:
    gateway, gate, worker = held.gateway, held.gate, held.gateway.worker
    held.file.write_text("accounts: none")  # a changed configuration needs a restart
    gate.shut()
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(submit, gateway, "c-lost")
        assert gate.arrived.acquire(timeout=LIMIT)
        os.kill(worker, signal.SIGKILL)
        assert answer.exception(LIMIT) is not None
    gate.open()
    traces = [line for line in held.audit.read_text().splitlines() if '"c-lost"' in line]
    assert len(traces) == 1
    assert '"event":"sending"' in traces[0]

    killed = f"Worker (pid:{worker}) was sent SIGKILL! Perhaps out of memory?"
    assert gateway.line(event=killed)["level"] == "ERROR"
    wait_until(lambda: gateway.worker != worker)
    assert submit(gateway, "c-next").status_code == 201
    assert gateway.operate("/readyz").status_code == 200
    assert "gateway_build_info" in gateway.operate("/metrics").text
