"""A call ends at its deadline, whichever phase upstream delays."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import ErrorCode, GatewayError
from app.huawei.transport import Endpoint
from app.settings import Settings
from tests.support.connect_proxy import drip
from tests.support.gateway import CUSTOMER, PERSON, altered, bearer
from tests.support.gunicorn_process import ServedGateway
from tests.support.raw_upstream import SUCCESS, RawUpstream

LIMIT = 10  # seconds; only a failing test waits this long
WITHIN = 1.5  # seconds
SLACK = 2.0  # seconds that a busy machine may take; a call without the deadline takes LIMIT
HELLO = b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc".ljust(
    0x4000
)  # the start of a TLS server's handshake
HEAD, CONTENT = SUCCESS.split(b"\r\n\r\n")


def by_tls(connection: socket.socket, context: ssl.SSLContext) -> tuple[ssl.SSLObject, Any]:
    """Serve TLS through memory buffers so that records can be sent in pieces; reads the request."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)

    def pump(step: Callable[[], Any]) -> None:
        while True:
            try:
                step()
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                incoming.write(connection.recv(65536))
            else:
                connection.sendall(outgoing.read())
                return

    pump(tls.do_handshake)
    pump(lambda: tls.read(65536))
    return tls, outgoing


def handshake(connection: socket.socket, _: ssl.SSLContext) -> None:
    drip(connection, HELLO)


def head(connection: socket.socket, context: ssl.SSLContext) -> None:
    dripped(connection, context, b"", SUCCESS)


def body(connection: socket.socket, context: ssl.SSLContext) -> None:
    dripped(connection, context, HEAD + b"\r\n\r\n", CONTENT)


def body_without_a_length(connection: socket.socket, context: ssl.SSLContext) -> None:
    dripped(connection, context, b"HTTP/1.1 200 OK\r\n\r\n", CONTENT)


def dripped(
    connection: socket.socket, context: ssl.SSLContext, at_once: bytes, slow: bytes
) -> None:
    tls, outgoing = by_tls(connection, context)
    tls.write(at_once)
    connection.sendall(outgoing.read())
    ended = threading.Event()
    with contextlib.suppress(OSError):  # the gateway closes the connection
        for byte in slow:
            tls.write(bytes([byte]))
            connection.sendall(outgoing.read())
            ended.wait(0.05)


def tls_record(connection: socket.socket, context: ssl.SSLContext) -> None:
    tls, outgoing = by_tls(connection, context)
    tls.write(SUCCESS)
    drip(connection, outgoing.read())


PHASES = {
    handshake: "UPSTREAM_UNREACHABLE",
    head: "OUTCOME_UNKNOWN",
    body: "OUTCOME_UNKNOWN",
    body_without_a_length: "OUTCOME_UNKNOWN",
    tls_record: "OUTCOME_UNKNOWN",
}


@pytest.mark.parametrize("phase", PHASES)
def test_an_answer_whose_head_or_body_drips_ends_at_the_deadline(
    settings: Settings, tls: ssl.SSLContext, ca_file: str, phase: Any
) -> None:
    with RawUpstream(lambda connection: phase(connection, tls), at_once=True) as upstream:
        url = upstream.url.replace("http:", "https:")
        endpoint = Endpoint(url, altered(settings, ca_file=ca_file).accounts["default"])
        begun = time.monotonic()
        with pytest.raises(GatewayError) as failed:
            endpoint.send("POST", "/", {}, b"{}", writes=True, ends=begun + WITHIN)
        assert WITHIN - 0.1 < time.monotonic() - begun < WITHIN + SLACK
        assert failed.value.code.name == PHASES[phase]
        assert upstream.closed.acquire(timeout=LIMIT)


def test_an_upstream_that_does_not_read_ends_the_sending_at_the_deadline(
    settings: Settings,
) -> None:
    ended = threading.Event()

    def deaf(_: socket.socket) -> None:
        ended.wait(LIMIT)

    with RawUpstream(deaf, at_once=True) as upstream:
        endpoint = Endpoint(upstream.url, settings.accounts["default"])
        begun = time.monotonic()
        with pytest.raises(GatewayError) as failed:
            endpoint.send("POST", "/", {}, b"x" * 2**24, writes=True, ends=begun + WITHIN)
        assert time.monotonic() - begun < WITHIN + SLACK
        ended.set()
    assert failed.value.code is ErrorCode.OUTCOME_UNKNOWN


def test_the_served_gateway_reaches_upstream_by_tls_and_ends_dripping_answers(
    config: dict[str, Any], tls: ssl.SSLContext, ca_file: str, tmp_path: Path
) -> None:
    """Under gevent, whose sockets restart their timeout for each piece of a TLS record."""
    phases: list[Any] = [None]

    def script(connection: socket.socket) -> None:
        phases[0](connection, tls)

    with RawUpstream(tls=tls) as proper, RawUpstream(script, at_once=True) as dripping:
        account = config["accounts"]["default"]
        account |= {"ca_file": ca_file, "timeouts": {"connect": WITHIN, "read": WITHIN}}
        for name, upstream in (("default", dripping), ("second", proper)):
            config["accounts"][name] = {
                **account,
                "endpoint": upstream.url.replace("http:", "https:"),
            }
        with ServedGateway(tmp_path, config) as gateway:

            def submit(account: str) -> tuple[int, str | None]:
                path = f"/v1/customers/{CUSTOMER}/verifications/individual"
                headers = {**bearer(), "Partner-Account": account}
                answer = gateway.request("POST", path, json=PERSON, headers=headers)
                return answer.status_code, answer.json().get("code")

            assert [submit("second") for _ in range(3)] == [(201, None)] * 3
            assert proper.connections == 1
            for phase, code in PHASES.items():
                phases[0] = phase
                begun = time.monotonic()
                assert submit("default")[1] == code, phase
                assert time.monotonic() - begun < 2 * WITHIN + SLACK, phase
