"""Unreachable upstreams: nothing is sent, and the caller learns that a repeat is safe."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from app import create_app
from app.errors import ErrorCode, GatewayError
from app.huawei.transport import Endpoint
from app.settings import Settings
from tests.support.connect_proxy import drip
from tests.support.gateway import altered, code, submit
from tests.support.raw_upstream import SUCCESS, RawUpstream
from tests.support.timing import wait_until

QUICK = {"connect": 0.3, "read": 0.5}


@contextlib.contextmanager
def unbound() -> Iterator[str]:
    """A reserved port on which no server listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@contextlib.contextmanager
def black_hole() -> Iterator[str]:
    """A port that ignores new connections because its backlog is full."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = held.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("place", [unbound, black_hole])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_refused_connection_is_reported_as_unreachable(
    settings: Settings, place: Any, scheme: str
) -> None:
    with place() as address:
        changed = altered(settings, endpoint=f"{scheme}://{address}", timeouts=QUICK)
        begun = time.monotonic()
        response = submit(create_app(changed).test_client())
    problem = response.get_json()
    assert (response.status_code, problem["code"]) == (503, "UPSTREAM_UNREACHABLE")
    assert (problem["retry"], problem["fault"]) == ("AFTER_DELAY", "UPSTREAM")
    assert "upstream" not in problem
    assert time.monotonic() - begun < 3


def test_an_upstream_with_an_untrusted_certificate_is_unreachable_and_is_sent_nothing(
    settings: Settings, tls: ssl.SSLContext
) -> None:
    with RawUpstream(tls=tls) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        assert code(submit(client)) == "UPSTREAM_UNREACHABLE"
        assert upstream.closed.acquire(timeout=10)
    assert upstream.connections == 1
    assert upstream.requests == []


def test_an_upstream_with_a_certificate_for_another_host_is_unreachable(
    settings: Settings, authority: trustme.CA, ca_file: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    with RawUpstream(tls=context) as upstream:
        changed = altered(settings, endpoint=upstream.url, ca_file=ca_file)
        assert code(submit(create_app(changed).test_client())) == "UPSTREAM_UNREACHABLE"
    assert upstream.requests == []


def test_tls_older_than_1_2_is_refused(
    settings: Settings, tls: ssl.SSLContext, ca_file: str
) -> None:
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        tls.maximum_version = ssl.TLSVersion.TLSv1_1
    with RawUpstream(tls=tls) as upstream:
        changed = altered(settings, endpoint=upstream.url, ca_file=ca_file)
        assert code(submit(create_app(changed).test_client())) == "UPSTREAM_UNREACHABLE"
    assert upstream.requests == []


def test_the_authority_of_ca_file_is_trusted(
    settings: Settings, tls: ssl.SSLContext, ca_file: str
) -> None:
    with RawUpstream(tls=tls) as upstream:
        changed = altered(settings, endpoint=upstream.url, ca_file=ca_file)
        client = create_app(changed).test_client()
        assert [submit(client).status_code for _ in range(3)] == [201] * 3
    assert (len(upstream.requests), upstream.connections) == (3, 1)


def test_the_machines_authorities_are_trusted_without_a_ca_file(
    settings: Settings, tls: ssl.SSLContext, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    with RawUpstream(tls=tls) as upstream:
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        assert submit(client).status_code == 201


def silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def closing(connection: socket.socket) -> None:
    connection.recv(1)


def dripping(connection: socket.socket) -> None:
    record = b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc".ljust(0x4000)
    drip(connection, record)


@pytest.mark.parametrize("behaviour", [silent, closing, dripping])
def test_a_tls_handshake_that_does_not_end_is_reported_as_unreachable(
    settings: Settings, behaviour: Any
) -> None:
    with RawUpstream(behaviour, at_once=True) as upstream:
        url = upstream.url.replace("http:", "https:")
        client = create_app(altered(settings, endpoint=url, timeouts=QUICK)).test_client()
        begun = time.monotonic()
        assert code(submit(client)) == "UPSTREAM_UNREACHABLE"
        assert time.monotonic() - begun < 3


@pytest.mark.parametrize("upper", [True, False])
def test_proxies_and_netrc_of_the_environment_are_ignored(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, upper: bool
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    with unbound() as address, RawUpstream() as upstream:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name.upper() if upper else name, f"http://{address}")
        monkeypatch.setenv("NETRC", str(netrc))
        client = create_app(altered(settings, endpoint=upstream.url)).test_client()
        assert submit(client).status_code == 201
    (received,) = upstream.requests
    assert received.headers["Authorization"].startswith("SDK-HMAC-SHA256 ")


@pytest.mark.parametrize("dripped", ["the body", "the headers"])
def test_an_answer_that_drips_ends_within_the_read_timeout(
    settings: Settings, dripped: str
) -> None:
    _, body = SUCCESS.split(b"\r\n\r\n")

    def slowly(connection: socket.socket) -> None:
        slow = SUCCESS if dripped == "the headers" else body
        connection.sendall(SUCCESS.removesuffix(slow))
        drip(connection, slow)

    with RawUpstream(slowly) as upstream:
        changed = altered(settings, endpoint=upstream.url, timeouts={"read": 0.4})
        client = create_app(changed).test_client()
        begun = time.monotonic()
        assert code(submit(client)) == "OUTCOME_UNKNOWN"
        assert time.monotonic() - begun < 3


def test_a_request_takes_its_turn_once_its_connection_is_open(settings: Settings) -> None:
    with RawUpstream() as upstream:
        endpoint, opened = Endpoint(upstream.url, settings.accounts["default"]), []

        def turn() -> None:
            wait_until(lambda: upstream.connections == 1)
            opened.append(len(upstream.requests))

        assert endpoint.send("GET", "/", {}, None, writes=False, turn=turn).status == 200
    assert opened == [0]  # nothing had been sent


def test_a_request_whose_turn_does_not_come_is_not_sent(settings: Settings) -> None:
    def turn() -> None:
        raise GatewayError(ErrorCode.OVERLOADED, write=True)

    with RawUpstream() as upstream:
        endpoint = Endpoint(upstream.url, settings.accounts["default"])
        with pytest.raises(GatewayError) as caught:
            endpoint.send("POST", "/", {}, b"{}", writes=True, turn=turn)
        assert upstream.closed.acquire(timeout=10)
    assert caught.value.code is ErrorCode.OVERLOADED
    assert not upstream.requests


def test_a_connection_stays_open_while_its_request_waits_for_its_turn(settings: Settings) -> None:
    hasty = altered(settings, timeouts={"connect": 1.0}).accounts["default"]
    with RawUpstream() as upstream:
        endpoint, later = Endpoint(upstream.url, hasty), time.monotonic() + 1.5

        def turn() -> None:
            wait_until(lambda: time.monotonic() > later)

        assert endpoint.send("POST", "/", {}, b"{}", writes=True, turn=turn).status == 200


def test_a_request_whose_turn_comes_after_its_deadline_is_not_sent(settings: Settings) -> None:
    with RawUpstream() as upstream:
        endpoint, ends = Endpoint(upstream.url, settings.accounts["default"]), time.monotonic() + 1

        def turn() -> None:
            wait_until(lambda: time.monotonic() > ends)

        with pytest.raises(GatewayError) as caught:
            endpoint.send("POST", "/", {}, b"{}", writes=True, ends=ends, turn=turn)
    assert caught.value.code is ErrorCode.DEADLINE_EXCEEDED
    assert not upstream.requests
