"""One deadline for name look-up and connecting, with several addresses."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import trustme

from app.errors import ErrorCode, GatewayError
from app.huawei.transport import Endpoint, Reply
from app.settings import Settings
from tests.huawei.transport.test_reaching import black_hole
from tests.support.gateway import altered
from tests.support.raw_upstream import RawUpstream

LIMIT = 10  # seconds; only a failing test waits this long


class Resolver:
    """Resolves every name to these addresses, once it is released."""

    def __init__(self, *places: str) -> None:
        self._places = [place.rpartition(":") for place in places]
        self.asked: list[str] = []
        self.let = threading.Event()
        self.let.set()

    def __call__(self, host: str, _: int, **__: Any) -> list[Any]:
        self.asked.append(host)
        if not self.let.wait(LIMIT):
            raise socket.gaierror
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, (address, int(port))) for address, _, port in self._places]


def reaching(settings: Settings, resolver: Resolver, connect: float) -> Endpoint:
    changed = altered(settings, timeouts={"connect": connect})
    return Endpoint("http://upstream.example", changed.accounts["default"], resolve=resolver)


def write(endpoint: Endpoint, within: float = LIMIT) -> Reply:
    return endpoint.send("POST", "/", {}, b"{}", writes=True, ends=time.monotonic() + within)


@contextlib.contextmanager
def refused(code: ErrorCode, seconds: float) -> Iterator[None]:
    begun = time.monotonic()
    with pytest.raises(GatewayError) as failed:
        yield
    assert failed.value.code is code
    assert time.monotonic() - begun < seconds


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443)])
def test_a_url_without_a_port_means_the_port_of_its_scheme(
    settings: Settings, scheme: str, port: int
) -> None:
    asked = []

    def resolver(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append((host, port))
        raise OSError

    url = f"{scheme}://upstream.example"
    with refused(ErrorCode.UPSTREAM_UNREACHABLE, LIMIT):
        write(Endpoint(url, settings.accounts["default"], resolve=resolver))
    assert asked == [("upstream.example", port)]


@pytest.mark.parametrize("dead", [1, 2])
def test_dead_addresses_of_a_host_leave_time_for_the_one_that_answers(
    settings: Settings, dead: int
) -> None:
    with RawUpstream() as upstream, contextlib.ExitStack() as held:
        holes = [held.enter_context(black_hole()) for _ in range(dead)]
        endpoint = reaching(settings, Resolver(*holes, upstream.authority), connect=1.5)
        assert write(endpoint).status == 200
        assert upstream.requests[0].headers["Host"] == "upstream.example"


@pytest.mark.parametrize("within", [0.6, LIMIT])
def test_six_dead_addresses_of_a_host_take_no_longer_than_one(
    settings: Settings, within: float
) -> None:
    with black_hole() as hole:
        endpoint = reaching(settings, Resolver(*[hole] * 6), connect=0.6)
        begun = time.monotonic()
        with refused(ErrorCode.UPSTREAM_UNREACHABLE, 2.4):
            write(endpoint, within)
        assert time.monotonic() - begun > 0.55  # and each gets its share


def test_the_tls_handshake_may_take_more_than_the_share_of_its_address(
    settings: Settings, authority: trustme.CA, ca_file: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("upstream.example").configure_cert(context)

    def slowly(*_: Any) -> None:
        threading.Event().wait(0.7)

    context.sni_callback = slowly
    account = altered(settings, ca_file=ca_file, timeouts={"connect": LIMIT}).accounts["default"]
    with RawUpstream(tls=context) as upstream:
        resolver = Resolver(*[upstream.authority] * 20)
        assert write(Endpoint("https://upstream.example", account, resolve=resolver)).status == 200
    assert upstream.connections == 1


def test_an_address_that_refuses_connections_is_skipped_at_once(settings: Settings) -> None:
    with RawUpstream() as upstream:
        endpoint = reaching(settings, Resolver("127.0.0.1:1", upstream.authority), connect=2)
        assert write(endpoint).status == 200


def test_an_address_of_a_family_that_the_machine_does_not_support_is_skipped(
    settings: Settings,
) -> None:
    with RawUpstream() as upstream:
        usable = Resolver(upstream.authority)

        def resolver(host: str, *_: Any, **__: Any) -> list[Any]:
            (entry,) = usable(host, 0)
            return [(socket.AF_UNSPEC, *entry[1:]), entry]

        account = settings.accounts["default"]
        assert write(Endpoint("http://upstream.example", account, resolve=resolver)).status == 200


def test_a_host_name_that_cannot_be_encoded_is_unreachable_at_once(settings: Settings) -> None:
    account = altered(settings, timeouts={"connect": LIMIT}).accounts["default"]
    with refused(ErrorCode.UPSTREAM_UNREACHABLE, LIMIT / 2):
        write(Endpoint(f"http://{'x' * 64}.example", account))


def test_a_host_name_without_an_address_is_unreachable(settings: Settings) -> None:
    with refused(ErrorCode.UPSTREAM_UNREACHABLE, LIMIT):
        write(reaching(settings, Resolver(), connect=0.3))


def test_a_slow_resolver_does_not_outlast_the_deadline_and_is_asked_once(
    settings: Settings,
) -> None:
    with RawUpstream() as upstream:
        resolver = Resolver(upstream.authority)
        resolver.let.clear()
        endpoint = reaching(settings, resolver, connect=0.3)
        with ThreadPoolExecutor(4) as many:
            for late in [many.submit(write, endpoint) for _ in range(4)]:
                with refused(ErrorCode.UPSTREAM_UNREACHABLE, 1.5):
                    late.result()
        assert resolver.asked == ["upstream.example"]
        waiting = ThreadPoolExecutor(1).submit(write, reaching(settings, resolver, connect=LIMIT))
        resolver.let.set()
        assert waiting.result(LIMIT).status == 200
        assert write(endpoint).status == 200
        assert upstream.connections == 2


@pytest.mark.parametrize("host", ["localhost", "upstream.localhost", "127.0.0.1"])
def test_loopback_is_reached_without_a_name_look_up(settings: Settings, host: str) -> None:
    resolver = Resolver()
    with RawUpstream() as upstream:
        account = settings.accounts["default"]
        endpoint = Endpoint(f"http://{host}:{upstream.port}", account, resolve=resolver)
        assert write(endpoint).status == 200
    assert resolver.asked == []
