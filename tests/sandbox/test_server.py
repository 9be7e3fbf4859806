"""The server of the sandbox: kept-alive connections, bodies of a wrong length, a clean end."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from demo.processes import end, running
from sandbox.__main__ import main
from sandbox.server import SandboxServer
from tests.support.partner import VERIFIED_INFO, Partner, verified_info
from tests.support.sandbox_driver import SandboxDriver

STATE = "/_sandbox/state"


@pytest.fixture
def connection(driver: SandboxDriver) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(driver.url).netloc, timeout=10)
    yield connection
    connection.close()


def ask(connection: http.client.HTTPConnection, method: str, path: str, **how: bytes) -> int:
    connection.request(method, path, **how)  # type: ignore[arg-type]
    response = connection.getresponse()
    response.read()
    return response.status


def exchange(url: str, sent: bytes) -> bytes:
    """Send bytes and read until the connection closes."""
    host = urlsplit(url)
    received = b""
    with socket.create_connection((host.hostname, host.port), timeout=10) as raw:
        raw.sendall(sent)
        while piece := raw.recv(65536):
            received += piece
    return received


def test_a_connection_serves_many_requests(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "GET", STATE) == 200
    first = connection.sock
    # An unread body must not be parsed as the next request.
    assert ask(connection, "GET", "/nothing", body=b"x" * 100_000) == 404
    assert ask(connection, "POST", "/_sandbox/nothing", body=b"x" * 100_000) == 404
    assert ask(connection, "HEAD", STATE) == 200
    assert ask(connection, "GET", STATE) == 200
    assert connection.sock is first is not None


def test_an_http_1_0_client_gets_its_answer_and_a_closed_connection(driver: SandboxDriver) -> None:
    answer = exchange(driver.url, b"GET /nothing HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"Connection: close" in answer


def test_a_client_that_expects_100_continue_gets_it(driver: SandboxDriver) -> None:
    head = b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n"
    answer = exchange(driver.url, head + b"Expect: 100-continue\r\n\r\n{}")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 ")


@pytest.mark.parametrize("length", [b"-1", b"x", "²".encode()])
def test_a_content_length_that_is_not_a_number_is_a_bad_request(
    driver: SandboxDriver, length: bytes
) -> None:
    head = b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: "
    assert exchange(driver.url, head + length + b"\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_an_aborted_control_call_does_not_block_others(driver: SandboxDriver) -> None:
    host = urlsplit(driver.url)
    with socket.create_connection((host.hostname, host.port), timeout=10) as raw:
        raw.sendall(b"PUT /_sandbox/clock HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
        assert driver.state()["offset_seconds"] == 0
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert driver.state()["offset_seconds"] == 0


def test_a_body_over_12_megabytes_is_too_large(driver: SandboxDriver, partner: Partner) -> None:
    big = b"x" * (12 * 1024 * 1024 + 1)
    for body in (big, iter((big,))):
        response = requests.put(driver.url + VERIFIED_INFO, data=body, timeout=30)
        assert (response.status_code, response.json()["error_code"]) == (413, "APIGW.0201")
    assert partner.verify().status_code == 200


def test_a_chunked_body_is_read_and_signed(partner: Partner) -> None:
    body = json.dumps(verified_info()).encode()
    prepared = partner.sign(
        "PUT", VERIFIED_INFO, body=body, headers={"Content-Type": "application/json"}
    )
    prepared.body = iter((body[:9], body[9:]))  # type: ignore[assignment]
    prepared.headers["Transfer-Encoding"] = "chunked"
    del prepared.headers["Content-Length"]
    assert partner.send(prepared).status_code == 200


def test_a_stopped_server_closes_its_connections() -> None:
    with SandboxServer() as server, requests.Session() as session:
        url = f"{server.url}{STATE}"
        assert session.get(url, timeout=10).status_code == 200
        server.__exit__(None, None, None)
        with pytest.raises(requests.ConnectionError):
            session.get(url, timeout=10)


def test_two_sandboxes_share_no_state(driver: SandboxDriver) -> None:
    with SandboxServer() as other:
        driver.settings(is_review=0)
        assert SandboxDriver(other.url).state()["settings"]["is_review"] == 1


def test_a_reset_returns_to_the_settings_of_the_start() -> None:
    with SandboxServer(settings={"requests_per_second": None, "is_review": 0}) as server:
        sandbox = SandboxDriver(server.url)
        sandbox.settings(is_review=1, review_seconds=0)
        sandbox.reset()
        settings = sandbox.state()["settings"]
        assert (settings["requests_per_second"], settings["is_review"]) == (None, 0)
        assert settings["review_seconds"] == 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("x", "argument --settings: not a JSON object"),
        ("[]", "argument --settings: not a JSON object"),
        ('{"is_review": 2}', "setting is_review cannot be 2"),
        ('{"nothing": 2}', "the setting 'nothing' is unknown"),
    ],
)
def test_settings_of_the_start_that_are_not_valid_are_named(
    capsys: pytest.CaptureFixture[str], settings: str, said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--port", "0", "--settings", settings])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_serves_until_a_signal_and_exits_with_0(number: signal.Signals) -> None:
    class Ready(io.StringIO):
        """Standard output that raises the signal once the sandbox reports readiness."""

        def write(self, text: str) -> int:
            """Write, and raise the signal."""
            written = super().write(text)
            signal.raise_signal(number)
            return written

    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    output = Ready()
    with contextlib.redirect_stdout(output):
        assert main(["--port", "0"]) == 0
    for each, action in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
        signal.signal(each, action)
    assert output.getvalue().startswith("sandbox listening on http://127.0.0.1:")


def test_the_sandbox_runs_as_a_program_of_its_own() -> None:
    settings = ("--settings", '{"requests_per_second": null}')
    command = [sys.executable, "-m", "sandbox", "--port", "0", *settings]
    with running(command, subprocess.PIPE) as program:
        assert program.stdout is not None
        url = program.stdout.readline().decode().split()[-1]
        assert SandboxDriver(url).state()["settings"]["requests_per_second"] is None
        assert end(program) == [0]
