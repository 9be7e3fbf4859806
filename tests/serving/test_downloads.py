"""Downloads under gunicorn: slow readers, lost readers, files that break off, the shutdown."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.local import KEY, configuration
from sandbox.server import SandboxServer
from tests.support.bills import HEADER, MONTH, PATH, csv_file, packed, rows
from tests.support.bills import put as put_file
from tests.support.gunicorn_process import ServedGateway
from tests.support.raw_client import Wire
from tests.support.sandbox_driver import SandboxDriver
from tests.support.timing import wait_until

PATIENCE = 2  # seconds that a client may pause
LINES = 80_000  # more than the kernel buffers
HEADERS = {"Authorization": f"Bearer {KEY}"}
ASK = f"GET {PATH} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode()


@pytest.fixture(scope="module")
def behind() -> Iterator[SandboxDriver]:
    with SandboxServer() as server:
        driver = SandboxDriver(server.url)
        driver.bill_file(MONTH, lines=LINES)
        yield driver


def served_by(folder: Path, behind: SandboxDriver, patience: float = PATIENCE) -> ServedGateway:
    arguments = {"GUNICORN_CMD_ARGS": f"--graceful-timeout {patience}", "LOG_LEVEL": "DEBUG"}
    document: dict[str, Any] = configuration(folder, behind.url)
    (caller,) = document["callers"].values()
    caller["scopes"] = ["billing:read"]
    return ServedGateway(folder, document, environment=arguments)


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, behind: SandboxDriver
) -> Iterator[ServedGateway]:
    with served_by(tmp_path_factory.mktemp("downloads"), behind) as gateway:
        yield gateway


def ended(gateway: ServedGateway, before: int) -> dict[str, object]:
    """The log line of the first download that ends after so many others."""

    def lines() -> list[dict[str, object]]:
        return [
            line
            for line in gateway.lines
            if line.get("event") == "request" and line["operation"] == "get_partner_bill_lines"
        ]

    wait_until(lambda: len(lines()) > before)
    return lines()[before]


def finished(gateway: ServedGateway) -> int:
    """The number of downloads that have ended."""
    return sum(line.get("operation") == "get_partner_bill_lines" for line in gateway.lines)


def test_a_reader_that_is_slow_but_goes_on_gets_the_whole_bill(served: ServedGateway) -> None:
    before = finished(served)
    with Wire(served.url, receive_buffer=4096) as wire:
        wire.send(ASK)
        begun, received, pause_at = time.monotonic(), bytearray(), 0
        while not received.endswith(b"\r\n0\r\n\r\n"):
            if len(received) > pause_at:
                time.sleep(0.75)  # the test is a slow client
                pause_at += 4_000_000
            piece = wire.read_some(1024 * 1024)
            assert piece, "cut off"
            received += piece
    assert time.monotonic() - begun > 2 * PATIENCE
    assert b'{"complete": true, "lines": 80000}' in received[-200:]
    line = ended(served, before)
    assert (line["complete"], line["status"], line.get("code")) == (True, 200, None)
    assert isinstance(line["milliseconds"], float)
    assert line["milliseconds"] > 1000 * PATIENCE  # all of it, but for what the kernel buffers
    assert abs(int(str(line["bytes"])) - len(received)) < 20_000  # the head and the chunks


def test_readers_that_stop_are_cut_off_and_hold_no_place(served: ServedGateway) -> None:
    before = finished(served)
    with Wire(served.url, receive_buffer=4096) as one, Wire(served.url, receive_buffer=4096) as two:
        one.send(ASK)
        two.send(ASK)
        assert one.read_some(10)
        assert two.read_some(10)
        refused = requests.get(served.url + PATH, headers=HEADERS, timeout=10)
        assert refused.json()["code"] == "OVERLOADED"
        lines = [ended(served, before + place) for place in range(3)]
    assert [line.get("complete") for line in lines[1:]] == [False, False]
    found = requests.get(f"{served.url}{PATH}?customer_id=cust-1", headers=HEADERS, timeout=30)
    assert json.loads(found.text.splitlines()[-1]) == {"complete": True, "lines": LINES // 10}


def test_a_reader_that_leaves_releases_the_connection_to_obs(served: ServedGateway) -> None:
    for _ in range(4):  # more than a caller may have in progress
        before = finished(served)
        with Wire(served.url, receive_buffer=4096) as wire:
            wire.send(ASK)
            assert wire.read_some(10)
        line = ended(served, before)
        assert (line["status"], line["complete"], line.get("code")) == (200, False, None)
    assert not any("exceptions" in line for line in served.lines)


@pytest.mark.parametrize("accept", ["application/x-ndjson", "text/csv"])
def test_a_bill_that_breaks_off_is_an_error_of_the_http_client(
    served: ServedGateway, behind: SandboxDriver, accept: str
) -> None:
    content = packed(csv_file([HEADER, *rows(20_000)]), b'"no CSV', month="202604")
    put_file(behind.url, content, "202604")
    path = PATH.replace(MONTH, "2026-04")
    before = finished(served)
    with requests.get(
        served.url + path, headers=HEADERS | {"Accept": accept}, timeout=30, stream=True
    ) as answer:
        assert answer.status_code == 200
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            for _ in answer.iter_content(65536):
                pass
    assert ended(served, before)["code"] == "UPSTREAM_MALFORMED"
    assert not any("exceptions" in line for line in served.lines)


def test_other_requests_are_answered_during_a_download(served: ServedGateway) -> None:
    with requests.get(served.url + PATH, headers=HEADERS, timeout=30, stream=True) as answer:
        pieces = answer.iter_content(1024 * 1024)
        worst = 0.0
        for _ in pieces:
            begun = time.monotonic()
            assert requests.get(f"{served.url}/livez", timeout=10).status_code == 200
            worst = max(worst, time.monotonic() - begun)
    assert worst < 1.5  # the machine is busy


def test_on_sigterm_a_download_ends_whole_and_one_that_waits_is_cut_off(
    tmp_path: Path, behind: SandboxDriver
) -> None:
    with (
        served_by(tmp_path, behind, 3 * PATIENCE) as gateway,
        Wire(gateway.url, receive_buffer=4096) as waits,
        Wire(gateway.url) as reads,
    ):
        waits.send(ASK)
        assert waits.read_some(10)
        reads.send(ASK)
        assert reads.read_some(10)
        gateway.signal(signal.SIGTERM)
        received = reads.read()
        assert b'{"complete": true, "lines": 80000}' in received[-200:]
        assert gateway.wait() == 0
        assert b'"complete"' not in waits.read()
